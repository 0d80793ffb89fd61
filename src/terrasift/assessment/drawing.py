"""Random pixels of each stratum of a map of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.assessment.strata import Counted, Stratum
from terrasift.progress import track
from terrasift.raster import ClassMap

__all__ = ["Drawn", "draw_pixels"]


class Drawn(NamedTuple):
    """Pixels that were drawn, in random order.

    Attributes
    ----------
    rows, columns
        (N,), int64.
    strata
        (N,), int64: places in the list of strata.
    values
        (N,), int64: what the map has there.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    strata: NDArray[np.int64]
    values: NDArray[np.int64]


def draw_pixels(
    opened: ClassMap, counted: Counted, strata: Sequence[Stratum], points: NDArray[np.int64], seed: int
) -> Drawn:
    """Draw pixels without replacement, each pixel of a stratum as likely as any other.

    The pixels of a stratum are numbered row by row, numbers are drawn, and the strips that hold them are read again:
    the draw depends on the map and the seed, not on how the map is read.
    """
    generator = np.random.default_rng(seed)
    ranks = [
        np.sort(generator.choice(stratum.pixels, number, replace=False, shuffle=False))
        for stratum, number in zip(strata, points.tolist(), strict=True)
    ]
    numbers = np.full(len(counted.ground.pixels), -1, np.int64)
    for number, stratum in enumerate(strata):
        numbers[list(stratum.values)] = number
    found = _find(opened, counted, numbers, ranks)
    order = generator.permutation(len(found))  # nobody who labels them sees a stratum after the other
    return Drawn(*found[order].T)


def _find(
    opened: ClassMap, counted: Counted, numbers: NDArray[np.int64], ranks: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """(N, 4): row, column, stratum and value of the pixels with these ranks in their strata."""
    held = np.zeros((len(counted.strips), len(ranks)), np.int64)
    for place, (values, counts) in enumerate(counted.counts):
        sampled = numbers[values] >= 0
        np.add.at(held[place], numbers[values[sampled]], counts[sampled])
    ends = held.cumsum(axis=0)
    found: list[NDArray[np.int64]] = []
    for place, strip in enumerate(track(counted.strips, len(counted.strips), "points")):
        begins, end = ends[place] - held[place], ends[place]
        wanted = [
            own[np.searchsorted(own, first) : np.searchsorted(own, last)] - first
            for own, first, last in zip(ranks, begins, end, strict=True)
        ]
        if not any(len(own) for own in wanted):
            continue
        labels = opened.read(strip).ravel()
        inside = numbers[labels]
        for number, own in enumerate(wanted):
            if len(own):
                pixels = np.flatnonzero(inside == number)[own]
                rows, columns = np.divmod(pixels, strip.width)
                found.append(np.stack([rows + strip.row, columns, np.full(len(own), number), labels[pixels]], axis=1))
    return _sorted(np.concatenate(found))


def _sorted(found: NDArray[Any]) -> NDArray[np.int64]:
    """In the order of strata and ranks, whatever the strips were."""
    return np.asarray(found[np.lexsort((found[:, 1], found[:, 0], found[:, 2]))], np.int64)
