"""How much ground each class of a map covers, in all or in the polygons of a second file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from terrasift.notebook import data_frame, html_table
from terrasift.progress import track
from terrasift.raster.areas import row_areas
from terrasift.raster.info import Window
from terrasift.raster.zones import Zone, read_zones

if TYPE_CHECKING:
    import pandas

    from terrasift.raster.class_map_reading import ClassMap

__all__ = ["ClassArea", "ClassAreas", "Ground", "areas_of"]


@dataclass(frozen=True)
class ClassArea:
    """What one class covers.

    Attributes
    ----------
    value
        In the map.
    name
        What the map calls it.
    pixels
        How many there are.
    area
        In the unit of the whole: hectares, or pixels.
    """

    value: int
    name: str
    pixels: int
    area: float


@dataclass(frozen=True, repr=False)
class ClassAreas:
    """What the classes of a map cover.

    Attributes
    ----------
    unit
        ``ha``; ``pixels`` where the map has no place on Earth.
    classes
        In the order of their values: those that the map names, and those that it holds.
    zones
        The same for each polygon that was asked about, by the polygon's name, in the order of their file. Polygons may
        overlap, and pixels outside all of them are in none.
    """

    unit: str
    classes: tuple[ClassArea, ...]
    zones: dict[str, tuple[ClassArea, ...]]

    def __repr__(self) -> str:
        zones = f", {len(self.zones)} zones" if self.zones else ""
        return f"ClassAreas({len(self.classes)} classes, {self.total:,.10g} {self.unit}{zones})"

    def _repr_html_(self) -> str:
        return html_table(repr(self), self._rows, self._columns)

    @property
    def total(self) -> float:
        """What all classes cover together, in the unit."""
        return sum(entry.area for entry in self.classes)

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)

    def to_frame(self) -> pandas.DataFrame:
        """A row for each class, by name: value, pixels, area in the unit, share of all; of each zone, where asked."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(self._columns)
        return data_frame(dict(zip(self._columns, columns, strict=True)), "class")

    @property
    def _columns(self) -> list[str]:
        return [*(["zone"] if self.zones else []), "class", "value", "pixels", *_AREA_COLUMN[self.unit], "share"]

    @property
    def _rows(self) -> list[list[Any]]:
        parts = [([name], entries) for name, entries in self.zones.items()] or [([], self.classes)]
        return [[*zone, *row] for zone, entries in parts for row in self._rows_of(entries)]

    def _rows_of(self, entries: Sequence[ClassArea]) -> Iterator[list[Any]]:
        total = sum(entry.area for entry in entries)
        for entry in entries:
            area = [entry.area] if self.unit in _AREA_COLUMN[self.unit] else []
            yield [entry.name, entry.value, entry.pixels, *area, entry.area / total if total else 0.0]


_AREA_COLUMN: dict[str, list[str]] = {"ha": ["ha"], "pixels": []}  # pixels have a column of their own


def areas_of(opened: ClassMap, zones: str | os.PathLike[str] | None = None) -> ClassAreas:
    """`ClassMap.areas`."""
    parts = read_zones(zones, opened.info) if zones is not None else []
    rows = row_areas(opened.info)
    whole, *inside = grounds = [Ground(opened.dtype, rows) for _ in range(len(parts) + 1)]
    strips = opened.strips()
    for strip in track(strips, len(strips), "areas"):
        labels = opened.read(strip)
        whole.add(labels, strip)
        for zone, ground in zip(parts, inside, strict=True):
            _add_zone(ground, zone, labels, strip)
    present = sorted((set(np.flatnonzero(whole.pixels).tolist()) | set(opened.names)) - {opened.nodata})
    everything, *each = ([ground.of(value, opened.name(value)) for value in present] for ground in grounds)
    return ClassAreas(
        unit=whole.unit,
        classes=tuple(everything),
        zones={zone.name: tuple(found) for zone, found in zip(parts, each, strict=True)},
    )


class Ground:
    """Pixels of each value of a map, and what they cover, summed up window by window.

    Parameters
    ----------
    dtype
        Of the map: uint8 or uint16.
    rows
        Square metres that a pixel of each row covers, (H,), as `row_areas` measures them; None counts pixels.

    Attributes
    ----------
    pixels
        (256,) or (65536,), int64.
    unit
        ``ha``, or ``pixels``.
    """

    def __init__(self, dtype: np.dtype[Any], rows: NDArray[np.float64] | None) -> None:
        self.unit = "pixels" if rows is None else "ha"
        self._rows = None if rows is None else rows / _SQUARE_METRES
        self._is_even = rows is None or float(np.ptp(rows)) == 0
        self.pixels = np.zeros(np.iinfo(dtype).max + 1, np.int64)
        self._uneven = np.zeros(len(self.pixels), np.float64)

    @property
    def area(self) -> NDArray[np.float64]:
        """What the pixels of each value cover, in the unit."""
        if not self._is_even:
            return self._uneven
        return np.asarray(self.pixels * self.of_rows(np.zeros(1, np.int64)), np.float64)

    def of_rows(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """What a pixel of each of these rows covers, (N,)."""
        return np.ones(len(rows)) if self._rows is None else self._rows[rows]

    def add(self, labels: NDArray[Any], window: Window, inside: NDArray[np.bool_] | None = None) -> None:
        """Count the values of a window, (H, W), or those `inside`, (H, W)."""
        counted = labels.ravel() if inside is None else labels[inside]
        self.pixels += np.bincount(counted, minlength=len(self.pixels))
        if not self._is_even:
            each = self.of_rows(np.arange(window.row, window.row + window.height))
            per_row = np.full(window.height, window.width) if inside is None else inside.sum(axis=1)
            self._uneven += np.bincount(counted, each.repeat(per_row), minlength=len(self.pixels))

    def of(self, value: int, name: str) -> ClassArea:
        """What has been counted of one value."""
        return ClassArea(value, name, int(self.pixels[value]), float(self.area[value]))


_SQUARE_METRES = 10_000  # in a hectare


def _add_zone(ground: Ground, zone: Zone, labels: NDArray[Any], strip: Window) -> None:
    window = zone.part_of(strip)
    if window is not None:
        top, left = window.row - strip.row, window.column
        ground.add(labels[top : top + window.height, left : left + window.width], window, zone.inside(window))
