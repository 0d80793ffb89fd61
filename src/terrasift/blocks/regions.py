"""Regions of an image, superpixels say, as numbers: their means, their centres, and which of them touch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["neighbour_pairs", "region_centres", "region_means"]


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


def neighbour_pairs(regions: NDArray[np.integer[Any]], valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pairs of regions that touch: (m, 2), int64, each pair once, the lower number first, in order.

    Two regions touch where a valid pixel of one has a valid pixel of the other above, below, left or right.
    """
    found = []
    for here, there in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        both = valid[here] & valid[there] & (regions[here] != regions[there])
        found.append(np.stack([regions[here][both], regions[there][both]], axis=1).astype(np.int64))
    pairs = np.sort(np.concatenate(found), axis=1)
    count = int(regions.max()) + 1
    return np.stack(np.divmod(np.unique(pairs[:, 0] * count + pairs[:, 1]), count), axis=1)
