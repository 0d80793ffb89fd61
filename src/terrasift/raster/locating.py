"""Geometries brought onto a raster's pixels, and places of pixels as coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio import features, warp

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.info import RasterInfo, Window
from terrasift.raster.places import place_of

__all__ = ["burn", "coordinates_of", "pixel_bounds", "to_pixels"]

_Geometry = Mapping[str, Any]


def to_pixels(geometry: _Geometry, crs: str, info: RasterInfo) -> _Geometry:
    """A geometry in columns and rows of a raster, whose upper left corner is 0, 0.

    Parameters
    ----------
    geometry
        As GeoJSON has it.
    crs
        Its CRS; "" where it is in the raster's own coordinates. Where the raster has none, those are columns and rows,
        the latter counted upwards where they are negative, as QGIS lays plain images.
    info
        What the raster is.

    Raises
    ------
    InputError
        If `crs` is none, or cannot be brought to the raster's, or the raster's geotransform has no inverse.
    """
    grid = info.grid
    if crs and grid.crs and crs != grid.crs:
        with gdal_errors(info.path, f"has no way from {crs} to its CRS", "save both in one CRS"):
            geometry = warp.transform_geom(crs, grid.crs, geometry)
    runs_down = not grid.is_placed and not _is_upwards(geometry)
    back = rasterio.Affine.identity() if runs_down else grid.inverse
    return {**geometry, "coordinates": _each(geometry["coordinates"], lambda x, y: back @ (x, y))}


def pixel_bounds(geometry: _Geometry) -> tuple[float, float, float, float]:
    """Smallest column and row, largest column and row, of a geometry in pixels."""
    places = np.array(list(_places(geometry["coordinates"])), np.float64)
    if not len(places):
        return (np.nan,) * 4
    return (*places.min(axis=0).tolist(), *places.max(axis=0).tolist())


def burn(geometry: _Geometry, window: Window) -> NDArray[np.bool_]:
    """(H, W): the pixels of a window whose middle a geometry in pixels holds; those in which a point lies."""
    shift = rasterio.Affine.translation(window.column, window.row)
    shape = (window.height, window.width)
    return np.asarray(features.rasterize([geometry], shape, transform=shift, dtype="uint8"), np.bool_)


def coordinates_of(info: RasterInfo, row: int, column: int, *, degrees: bool) -> tuple[float, float]:
    """The middle of a pixel as x and y: in the raster's CRS, or in longitude and latitude.

    Where the raster has no CRS: in columns and rows of its pixels, or what its geotransform makes of them.

    Raises
    ------
    InputError
        If degrees are asked for, and the raster has a CRS that has no place on Earth.
    """
    grid = info.grid
    if not grid.is_placed:
        return column + 0.5, row + 0.5
    place = place_of(info, row, column) if degrees else None
    if place is None:
        return grid.places(row + 0.5, column + 0.5)
    if place.longitude is None or place.latitude is None:
        raise InputError(info.path, "has a CRS without a place on Earth", "save as .gpkg, in that CRS")
    return place.longitude, place.latitude


def _is_upwards(geometry: _Geometry) -> bool:
    rows = [y for _, y in _places(geometry["coordinates"])]
    return bool(rows) and max(rows) <= 0 and min(rows) < 0


def _places(coordinates: Any) -> list[tuple[float, float]]:
    if coordinates and isinstance(coordinates[0], int | float):
        return [(float(coordinates[0]), float(coordinates[1]))]
    return [place for part in coordinates for place in _places(part)]


def _each(coordinates: Any, change: Any) -> Any:
    if coordinates and isinstance(coordinates[0], int | float):
        return [float(value) for value in change(coordinates[0], coordinates[1])]
    return [_each(part, change) for part in coordinates]
