"""Regions of an image, superpixels say: their means, their centres, which of them touch, and the small ones joined."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["borders", "join_small_regions", "neighbour_pairs", "region_centres", "region_means"]


def region_means(values: NDArray[Any], regions: NDArray[np.integer[Any]], valid: NDArray[np.bool_]) -> NDArray[Any]:
    """Mean values of the valid pixels of each region.

    Parameters
    ----------
    values
        (H, W, C), floats.
    regions
        (H, W), integers: n regions, numbered from 0 without gaps, each with a valid pixel.
    valid
        (H, W), bool.

    Returns
    -------
    ndarray
        (n, C), of the values' dtype.

    Examples
    --------
    >>> values = np.array([[[1.0], [3.0], [5.0]]])
    >>> region_means(values, np.array([[0, 0, 1]]), np.ones((1, 3), bool)).tolist()
    [[2.0], [5.0]]
    """
    from scipy.sparse import csr_array

    inside = regions[valid]
    counts = np.bincount(inside)
    weights = (1.0 / np.maximum(counts, 1)).astype(values.dtype)[inside]
    member = csr_array((weights, (inside, np.arange(len(inside)))), shape=(len(counts), len(inside)))
    return np.asarray(member @ values[valid])


def region_centres(regions: NDArray[np.integer[Any]], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, 2), float64: mean row and column of the valid pixels of each region, numbered as for `region_means`."""
    rows, columns = np.nonzero(valid)
    inside = regions[valid]
    counts = np.bincount(inside)
    return np.stack([np.bincount(inside, place) / np.maximum(counts, 1) for place in (rows, columns)], axis=1)


def borders(regions: NDArray[np.integer[Any]], valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Neighbouring valid pixels in two regions: (m, 2), int64, the upper or left one's region, then the other's."""
    found = []
    for here, there in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        both = valid[here] & valid[there] & (regions[here] != regions[there])
        found.append(np.stack([regions[here][both], regions[there][both]], axis=1).astype(np.int64))
    return np.concatenate(found)


def neighbour_pairs(regions: NDArray[np.integer[Any]], valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pairs of regions that touch: (m, 2), int64, each pair once, the lower number first, in order.

    Two regions touch where a valid pixel of one has a valid pixel of the other above, below, left or right.
    """
    pairs = np.sort(borders(regions, valid), axis=1)
    count = int(regions.max()) + 1
    return np.stack(np.divmod(np.unique(pairs[:, 0] * count + pairs[:, 1]), count), axis=1)


def join_small_regions(
    regions: NDArray[np.integer[Any]], values: NDArray[Any], valid: NDArray[np.bool_] | None, smallest: int
) -> NDArray[np.int32]:
    """Make regions connected, and join each that is too small to the neighbour whose mean is nearest.

    Parameters
    ----------
    regions
        (H, W), integers from 1. Parts of one that do not touch become regions of their own.
    values
        (H, W, C), floats: what means are made of.
    valid
        (H, W), bool: pixels that belong to regions; None: all.
    smallest
        Pixels. What is smaller and has no neighbour stays.

    Returns
    -------
    ndarray
        (H, W), int32, regions numbered from 0 without gaps; 0 also where there is no valid pixel.
    """
    from skimage.measure import label

    inside = regions if valid is None else np.where(valid, regions, 0)
    parts: NDArray[np.int64] = label(inside, background=0, connectivity=1)  # type: ignore[no-untyped-call]
    flat = parts.ravel()
    sizes = np.bincount(flat)
    sums = np.stack([np.bincount(flat, values[:, :, band].ravel()) for band in range(values.shape[2])])
    owner = everyone = np.arange(len(sizes))
    one, other = _neighbours_of(parts, sizes < smallest)
    while len(one):
        joined = _join_nearest(one, other, sums / np.maximum(sizes, 1))
        sizes = np.bincount(joined, sizes, len(everyone))
        sums = np.stack([np.bincount(joined, band, len(everyone)) for band in sums])
        owner, one, other = joined[owner], joined[one], joined[other]
        left = (sizes[one] < smallest) & (one != other)
        one, other = one[left], other[left]
    remains = np.bincount(owner[1:], minlength=len(everyone)) > 0
    numbers = np.maximum(np.cumsum(remains) - 1, 0).astype(np.int32)
    numbered: NDArray[np.int32] = numbers[owner][parts]
    return numbered


def _neighbours_of(parts: NDArray[Any], chosen: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Chosen parts, and those that touch them, 0 apart: as often as pixels of both lie side by side."""
    inside = chosen[parts]
    ones, others = [], []
    for here, there in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        at = np.flatnonzero((inside[here] | inside[there]) & (parts[here] != parts[there]))
        first, second = parts[here].ravel()[at], parts[there].ravel()[at]
        ones += [first, second]
        others += [second, first]
    one, other = np.concatenate(ones), np.concatenate(others)
    kept = chosen[one] & (one > 0) & (other > 0)
    return one[kept], other[kept]


def _join_nearest(one: NDArray[Any], other: NDArray[Any], means: NDArray[np.float64]) -> NDArray[np.int64]:
    """The part that each belongs to once all of `one` have joined the nearest of their `other` (Boruvka's trees)."""
    count = means.shape[1]
    one, other = _least(((means[:, one] - means[:, other]) ** 2).sum(axis=0), one, other)
    pair = np.minimum(one, other).astype(np.int64) * count + np.maximum(one, other)
    one, other = _least(pair, one, other)  # of two that are as near, the same for both: chains never close
    everyone = np.arange(count)
    joined = everyone.copy()
    joined[one] = other
    joined = np.where(joined[joined] == everyone, np.minimum(joined, everyone), joined)  # two that chose each other
    while (joined != joined[joined]).any():
        joined = joined[joined]
    return joined


def _least(values: NDArray[Any], one: NDArray[Any], other: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The pairs whose value is the least that their first has."""
    least = np.full(one.max() + 1, values.max())
    np.minimum.at(least, one, values)
    kept = values == least[one]
    return one[kept], other[kept]
