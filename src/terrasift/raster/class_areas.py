"""How much ground each class of a map covers, in all or in the polygons of a second file."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.progress import track
from terrasift.raster.areas import row_areas
from terrasift.raster.class_map_reading import ClassMap
from terrasift.raster.info import Window
from terrasift.raster.zones import Zone, read_zones

__all__ = ["ClassArea", "ClassAreas", "Ground", "class_areas"]


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


@dataclass(frozen=True)
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

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)


def class_areas(path: str | os.PathLike[str], zones: str | os.PathLike[str] | None = None) -> ClassAreas:
    """Count what each class of a map covers: the map's own say, which no sample has checked.

    The map is read strip by strip and may be of any size.

    Parameters
    ----------
    path
        A class map: one band of uint8 or uint16. Nodata counts nowhere.
    zones
        Polygons (GeoPackage, GeoJSON, Shapefile), in any CRS that can be brought to the map's; a column ``name`` names
        them, else their places in the file do, from 1. A pixel belongs to a polygon that holds its middle.

    Returns
    -------
    ClassAreas
        In hectares, as `row_areas` measures pixels; in pixels where the map has no place on Earth.

    Raises
    ------
    InputError
        If the map or the polygons cannot be read, or if areas cannot be measured on the map's grid.
    SettingError
        If zones are asked for and pyogrio or shapely are not installed.

    Examples
    --------
    ``class_areas("map.tif", zones="parishes.gpkg").zones["Bath"]``
    """
    with ClassMap(path) as opened:
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
