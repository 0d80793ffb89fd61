"""Polygons of a file, laid over a raster's grid."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.raster.info import RasterInfo, Window
from terrasift.raster.layers import Layer, read_layer
from terrasift.raster.locating import burn, pixel_bounds, to_pixels

__all__ = ["Zone", "read_zones"]


@dataclass(frozen=True)
class Zone:
    """One polygon, or several that belong together.

    Attributes
    ----------
    name
        As the file has it, else its place in the file.
    polygon
        As GeoJSON, in columns and rows of the raster.
    bounds
        The pixels that it may hold.
    """

    name: str
    polygon: Mapping[str, Any]
    bounds: Window

    def part_of(self, window: Window) -> Window | None:
        """What the zone may hold of a window; None where they do not meet."""
        top, left = max(window.row, self.bounds.row), max(window.column, self.bounds.column)
        bottom = min(window.row + window.height, self.bounds.row + self.bounds.height)
        right = min(window.column + window.width, self.bounds.column + self.bounds.width)
        return Window(top, left, bottom - top, right - left) if bottom > top and right > left else None

    def inside(self, window: Window) -> NDArray[np.bool_]:
        """(H, W): pixels of a window whose middle the zone holds."""
        return burn(self.polygon, window)


def read_zones(path: str | os.PathLike[str], info: RasterInfo) -> list[Zone]:
    """Read the polygons of a file and lay them over a raster's grid.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON or Shapefile, of one layer.
    info
        The raster. Without a CRS it takes them as they lie, x to the right and y up from its upper left corner, as QGIS
        lays plain images.

    Raises
    ------
    InputError
        If the file cannot be read, holds other things than polygons or none, or if only one of the two has a CRS.
    SettingError
        If pyogrio or shapely are not installed.
    """
    layer = read_layer(path, "zones", "name a file of polygons")
    zones = []
    for place, (shape, name) in enumerate(zip(layer.shapes, _names(layer), strict=True), 1):
        if shape is None or shape.is_empty:
            continue
        if shape.geom_type not in ("Polygon", "MultiPolygon"):
            raise InputError(path, f"feature {place} is a {shape.geom_type}", "zones are polygons")
        polygon = _on_grid(path, shape, layer.crs, info)
        zones.append(Zone(name, polygon, _bounds(polygon, info)))
    if not zones:
        raise InputError(path, "holds no polygon", "name a file of polygons")
    return zones


def _names(layer: Layer) -> list[str]:
    columns = {name.lower(): values for name, values in layer.columns.items()}
    found = columns.get("name", [None] * len(layer.shapes))
    return _distinct([str(name) if name else str(place) for place, name in enumerate(found, 1)])


def _distinct(names: list[str]) -> list[str]:
    return [f"{name} ({place})" if names.count(name) > 1 else name for place, name in enumerate(names, 1)]


def _on_grid(path: object, shape: Any, crs: str, info: RasterInfo) -> Mapping[str, Any]:
    own = info.grid.crs
    if bool(crs) != bool(own):
        which = "polygons have" if own else "map has"
        raise InputError(path, f"the {which} no CRS, and the {'map' if own else 'polygons'} one", "give both the same")
    return to_pixels(shape.__geo_interface__, crs, info)


def _bounds(polygon: Mapping[str, Any], info: RasterInfo) -> Window:
    left, top, right, bottom = pixel_bounds(polygon)
    if not all(map(math.isfinite, (left, top, right, bottom))):
        return Window(0, 0, 0, 0)
    row, column = max(0, math.floor(top)), max(0, math.floor(left))
    return Window(row, column, min(info.height, math.ceil(bottom)) - row, min(info.width, math.ceil(right)) - column)
