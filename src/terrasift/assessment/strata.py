"""The strata of a class map: its classes, or its clusters in groups; counted strip by strip."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.progress import track
from terrasift.raster import ClassMap, Ground, Window, row_areas

__all__ = ["SMALLEST_GROUP", "Counted", "Labelled", "Stratum", "count_map", "digest_of", "strata_of"]

SMALLEST_GROUP = 0.05
"""Share of a map that a group of clusters holds at least."""


@dataclass(frozen=True)
class Stratum:
    """A part of a map that is sampled by itself.

    Attributes
    ----------
    name
        Of its class, or of its clusters.
    values
        That the map has there.
    pixels
        How many there are.
    area
        In hectares, or in pixels.
    """

    name: str
    values: tuple[int, ...]
    pixels: int
    area: float


class Labelled(NamedTuple):
    """A stratum, and how many of its points were drawn and labelled."""

    name: str
    pixels: int
    points: int
    labelled: int


@dataclass(frozen=True)
class Counted:
    """A map, counted once.

    Attributes
    ----------
    ground
        Pixels and area of each value.
    strips
        Windows that cover the map from top to bottom.
    counts
        For each strip the values that it holds, and the pixels of each.
    digest
        Of the map's values and grid: two files that show the same have the same.
    """

    ground: Ground
    strips: list[Window]
    counts: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    digest: str


def count_map(opened: ClassMap) -> Counted:
    """Read a map once, strip by strip."""
    ground = Ground(opened.dtype, row_areas(opened.info))
    digest = _grid_digest(opened)
    strips, counts = opened.strips(), []
    for strip in track(strips, len(strips), "strata"):
        labels = opened.read(strip)
        digest.update(labels.astype("<u2").tobytes())
        before = ground.pixels.copy()
        ground.add(labels, strip)
        grown = ground.pixels - before
        values = np.flatnonzero(grown)
        counts.append((values, grown[values]))
    if not np.delete(ground.pixels, opened.nodata).any():
        raise InputError(opened.path, "holds nothing but nodata", "name a map with classes")
    return Counted(ground, strips, counts, digest.hexdigest())


def digest_of(opened: ClassMap) -> str:
    """The digest that `count_map` finds."""
    digest, strips = _grid_digest(opened), opened.strips()
    for strip in track(strips, len(strips), "map"):
        digest.update(opened.read(strip).astype("<u2").tobytes())
    return str(digest.hexdigest())


def _grid_digest(opened: ClassMap) -> Any:
    info = opened.info
    grid = f"{info.height} {info.width} {info.crs} {info.transform} {opened.nodata}"
    return hashlib.sha256(grid.encode())


def strata_of(opened: ClassMap, counted: Counted, *, clusters: bool) -> list[Stratum]:
    """The classes that a map shows; or, of a map of clusters, groups of them.

    Of clusters the two smallest groups are joined until each holds `SMALLEST_GROUP` of the map: there are too many of
    them for a sample of each.
    """
    pixels, area = counted.ground.pixels, counted.ground.area
    values = [value for value in np.flatnonzero(pixels).tolist() if value != opened.nodata]
    if not clusters:
        return [Stratum(opened.name(value), (value,), int(pixels[value]), float(area[value])) for value in values]
    groups: list[tuple[int, ...]] = [(value,) for value in values]
    smallest = SMALLEST_GROUP * pixels[values].sum()
    while len(groups) > 1:
        groups.sort(key=lambda group: (int(pixels[list(group)].sum()), group))
        if pixels[list(groups[0])].sum() >= smallest:
            break
        groups[:2] = [tuple(sorted(groups[0] + groups[1]))]
    return [
        Stratum(_group_name(group), group, int(pixels[list(group)].sum()), float(area[list(group)].sum()))
        for group in sorted(groups)
    ]


def _group_name(group: tuple[int, ...]) -> str:
    return f"cluster{'s' * (len(group) > 1)} {', '.join(map(str, group))}"
