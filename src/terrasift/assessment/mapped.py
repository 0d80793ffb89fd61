"""What a map shows at the points of a sample: the map that was sampled, or another one on its grid."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrasift.assessment.sample import Point, Sample
from terrasift.progress import track
from terrasift.raster import ClassMap, Ground, check_same_grid, row_areas

__all__ = ["WITHOUT_CLASS", "MappedPoints", "classes_of_other_map", "classes_of_sample"]

WITHOUT_CLASS = "(no class)"
"""What a map shows where it has nodata and the sampled one had a class."""


@dataclass(frozen=True)
class MappedPoints:
    """What a map shows at points.

    Attributes
    ----------
    names
        Of its classes, or of the groups of its clusters.
    colors
        Of classes that have one, by name.
    areas
        What it shows of each class, by name.
    places
        (N,), int64: of each point, its place among `names`.
    are_clusters
        Whether they are groups of clusters, of which none is a class.
    """

    names: list[str]
    colors: dict[str, str]
    areas: dict[str, float]
    places: NDArray[np.int64]
    are_clusters: bool = False


def classes_of_sample(sample: Sample, points: Sequence[Point]) -> MappedPoints:
    """Of the map that was sampled, as the sample has recorded it."""
    colors = {entry.name: entry.color for entry in sample.classes}
    areas = {stratum.name: stratum.area for stratum in sample.strata}
    strata = [stratum.name for stratum in sample.strata]
    names = strata if sample.clusters else [entry.name for entry in sample.classes]
    place_of_stratum = np.array([names.index(name) for name in strata], np.int64)
    places = place_of_stratum[[point.stratum for point in points]]
    return MappedPoints(names, colors, areas, places, are_clusters=sample.clusters)


def classes_of_other_map(sample: Sample, points: Sequence[Point], path: str | os.PathLike[str]) -> MappedPoints:
    """Of another map, read at the points.

    Raises
    ------
    InputError
        If it is no class map, or does not lie on the grid of the sampled one.
    """
    with ClassMap(path) as opened:
        check_same_grid(path, opened.info.grid, sample.map, sample.grid)
        ground = Ground(opened.dtype, row_areas(opened.info))
        rows = np.array([point.row for point in points])
        columns = np.array([point.column for point in points])
        values = np.zeros(len(points), np.int64)
        for strip in track(strips := opened.strips(), len(strips), "map"):
            labels = opened.read(strip)
            ground.add(labels, strip)
            inside = (rows >= strip.row) & (rows < strip.row + strip.height)
            values[inside] = labels[rows[inside] - strip.row, columns[inside]]
    shown = sorted((set(np.flatnonzero(ground.pixels).tolist()) | set(opened.names)) - {opened.nodata})
    names = [*map(opened.name, shown), *([WITHOUT_CLASS] if opened.nodata in values else [])]
    place_of_value = {value: place for place, value in enumerate([*shown, opened.nodata])}
    return MappedPoints(
        names,
        {opened.name(value): opened.colors[value] for value in shown if value in opened.colors},
        {opened.name(value): float(ground.area[value]) for value in shown},
        np.array([place_of_value[value] for value in values.tolist()], np.int64),
    )
