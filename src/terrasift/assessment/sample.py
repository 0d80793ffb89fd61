"""A sample to check a map with: which pixels, of which strata, of which version of the map."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrasift.assessment.allocation import FEW_POINTS
from terrasift.assessment.design import SampleDesign
from terrasift.assessment.drawing import Drawn, draw_pixels
from terrasift.assessment.strata import Counted, Stratum, count_map, strata_of
from terrasift.errors import InputError
from terrasift.files import read_typed_json, write_text
from terrasift.legend import Legend
from terrasift.legend.land_class import is_color
from terrasift.raster import ClassMap, Grid, Place, places_of

__all__ = ["Point", "Sample", "SampledClass", "draw_sample", "points_of"]


@dataclass(frozen=True)
class SampledClass:
    """A class of the map: its value there, its name and its colour."""

    value: int
    name: str
    color: str


@dataclass(frozen=True)
class Point:
    """A pixel to be looked at.

    Attributes
    ----------
    id
        From 1, in random order.
    row, column
        Of the map.
    x, y
        Of its middle, in the map's CRS; without one, as QGIS lays plain images: y is negative.
    longitude, latitude
        In degrees on WGS 84; None without a place on Earth.
    stratum
        Its place in the list of strata.
    value
        What the map has there.
    area
        What the pixel covers, in the sample's unit.
    """

    id: int
    row: int
    column: int
    x: float
    y: float
    longitude: float | None
    latitude: float | None
    stratum: int
    value: int
    area: float


@dataclass(frozen=True)
class Sample:
    """A stratified random sample of a map's pixels, with all that an estimate needs beside the reference labels.

    Attributes
    ----------
    map
        The file that was sampled.
    digest
        Of its values and grid: another version of the map has another.
    height, width, crs, transform
        Of the map: its grid, which another map must have to be assessed by the same points.
    unit
        Of areas: ``ha``, or ``pixels`` where the map has no place on Earth.
    clusters
        Whether the map shows clusters: its strata are groups of them, and it has no classes.
    allocation, seed
        How it was drawn.
    classes
        Of the map, in the order of their values; if it shows clusters, those that were given to label with.
    strata, points
        What was sampled.
    """

    map: str
    digest: str
    height: int
    width: int
    crs: str
    transform: tuple[float, ...]
    unit: str
    clusters: bool
    allocation: str
    seed: int
    classes: tuple[SampledClass, ...]
    strata: tuple[Stratum, ...]
    points: tuple[Point, ...]

    @property
    def grid(self) -> Grid:
        """Of the map."""
        return Grid(self.height, self.width, self.crs, self.transform)

    @property
    def points_of_strata(self) -> NDArray[np.int64]:
        """(H,): how many points each stratum has."""
        return np.bincount([point.stratum for point in self.points], minlength=len(self.strata)).astype(np.int64)

    @property
    def notes(self) -> list[str]:
        """What to know before labelling: which strata have too few points for narrow intervals."""
        counts = zip(self.strata, self.points_of_strata.tolist(), strict=True)
        few = [stratum.name for stratum, points in counts if points < min(FEW_POINTS, stratum.pixels)]
        if not few:
            return []
        where = ", ".join(few)
        return [f"fewer than {FEW_POINTS} points in {where}: accuracies there will be rough; give each class as many"]

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``sample.json``, which `load` reads, into a folder."""
        content = {"format": _FORMAT, **asdict(self)}
        return write_text(Path(folder) / _FILE, json.dumps(content, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Sample:
        """Read the sample in a folder.

        Raises
        ------
        InputError
            If there is none, or it is not such a file.
        """
        path = Path(folder) / _FILE
        if not path.exists():
            raise InputError(folder, "holds no sample.json", "name what `terrasift assess sample` wrote")
        mend = "draw the sample anew"
        if read_typed_json(path, _Kind, mend=mend).format != _FORMAT:
            raise InputError(path, "is not a sample of this version of terrasift", mend)
        found = read_typed_json(path, cls, mend=mend)
        if wrong := found._wrong:
            raise InputError(path, f"is not a sample: {wrong}", mend)
        return found

    @property
    def _wrong(self) -> str:
        """What does not fit together, as in a file that somebody has changed."""
        height, width = self.height, self.width
        if not self.points or not self.strata or len(self.transform) != 6 or self.unit not in ("ha", "pixels"):
            return "points, strata, transform or unit"
        if len({point.id for point in self.points}) < len(self.points):
            return "two points of one id"
        if not all(0 <= each.row < height and 0 <= each.column < width for each in self.points):
            return "a point beside the map"
        if not all(0 <= each.stratum < len(self.strata) and 0 <= each.value <= _LARGEST for each in self.points):
            return "a point of no stratum"
        if not all(each.pixels > 0 and each.area >= 0 and each.values for each in self.strata):
            return "a stratum without pixels"
        if not all(0 <= each.value <= _LARGEST and is_color(each.color) for each in self.classes):
            return "a class without value or colour"
        if not self.clusters and not {each.name for each in self.strata} <= {each.name for each in self.classes}:
            return "a stratum of no class"
        return ""


@dataclass(frozen=True)
class _Kind:
    format: str


_LARGEST = 65535  # value of a map
_FORMAT = "terrasift sample 1"
_FILE = "sample.json"


def draw_sample(path: str | os.PathLike[str], design: SampleDesign) -> Sample:
    """Draw a stratified random sample of a map's pixels; errors as for `terrasift.assess.sample`."""
    legend = Legend.load(design.classes) if design.classes is not None else None
    with ClassMap(path) as opened:
        if legend is not None and not design.clusters:
            opened.names = dict(enumerate(legend.names))
            opened.colors = {index: entry.color for index, entry in enumerate(legend.classes)}
        counted = count_map(opened)
        strata = strata_of(opened, counted, clusters=design.clusters)
        drawn = draw_pixels(opened, counted, strata, design.points(strata), design.seed)
        return Sample(
            map=str(Path(path).absolute()) if Path(path).exists() else str(path),
            digest=counted.digest,
            height=opened.info.height,
            width=opened.info.width,
            crs=opened.info.grid.crs,
            transform=opened.info.grid.transform,
            unit=counted.ground.unit,
            clusters=design.clusters,
            allocation="equal" if design.per_class is not None else design.allocation,
            seed=design.seed,
            classes=tuple(_classes(opened, strata) if not design.clusters else _classes_of(legend)),
            strata=tuple(strata),
            points=points_of(opened, counted, drawn),
        )


def _classes(opened: ClassMap, strata: list[Stratum]) -> list[SampledClass]:
    values = sorted({value for stratum in strata for value in stratum.values} | set(opened.names))
    return [SampledClass(value, opened.name(value), opened.colors.get(value, "#808080")) for value in values]


def _classes_of(legend: Legend | None) -> list[SampledClass]:
    entries = legend.classes if legend is not None else ()
    return [SampledClass(index, entry.name, entry.color) for index, entry in enumerate(entries)]


def points_of(opened: ClassMap, counted: Counted, drawn: Drawn) -> tuple[Point, ...]:
    """Drawn pixels as points: where each lies, and what it covers."""
    places = places_of(opened.info, drawn.rows, drawn.columns)
    if places is None:
        plain = zip(drawn.rows.tolist(), drawn.columns.tolist(), strict=True)
        places = [Place(column + 0.5, -(row + 0.5), None, None) for row, column in plain]
    pixels = zip(*(part.tolist() for part in (*drawn, counted.ground.of_rows(drawn.rows))), strict=True)
    return tuple(
        Point(number, row, column, *place, stratum, value, area)
        for number, (place, (row, column, stratum, value, area)) in enumerate(zip(places, pixels, strict=True), 1)
    )
