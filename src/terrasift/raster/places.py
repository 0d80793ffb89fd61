"""Where on Earth a pixel lies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio import warp

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.info import RasterInfo

__all__ = ["Place", "pixels_at", "place_of", "places_of"]


class Place(NamedTuple):
    """The middle of a pixel: in its raster's CRS, and in degrees on WGS 84, None where that has no place on Earth."""

    easting: float
    northing: float
    longitude: float | None
    latitude: float | None


def place_of(info: RasterInfo, row: int, column: int) -> Place | None:
    """Where the middle of a pixel lies; None if the raster has no CRS, or neither geotransform nor control points."""
    places = places_of(info, np.array([row]), np.array([column]))
    return None if places is None else places[0]


def places_of(info: RasterInfo, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> list[Place] | None:
    """`place_of` of many pixels, (N,) each."""
    grid = info.grid
    if not grid.is_on_earth:
        return None
    eastings, northings = (part.tolist() for part in grid.places(rows + 0.5, columns + 0.5))
    try:
        with gdal_errors(info.path, "does not lie on Earth"):
            longitudes, latitudes = warp.transform(grid.crs, "EPSG:4326", eastings, northings)
    except InputError:  # a building site's own CRS
        longitudes = latitudes = [None] * len(eastings)
    return [Place(*place) for place in zip(eastings, northings, longitudes, latitudes, strict=True)]


def pixels_at(info: RasterInfo, x: NDArray[np.float64], y: NDArray[np.float64], crs: str) -> NDArray[np.int64]:
    """Rows and columns, (N, 2), of the pixels in which places lie; -1 for those outside the raster.

    Parameters
    ----------
    info
        The raster.
    x, y
        (N,): coordinates in `crs`.

    Raises
    ------
    InputError
        If the raster has no place on Earth, or the two CRSs cannot be brought together.
    """
    grid = info.grid
    if not grid.is_on_earth:
        raise InputError(info.path, "has no place on Earth", "georeference it, or use an image of the map's own size")
    with gdal_errors(info.path, f"cannot be brought to {crs}", "reproject it"):
        own = warp.transform(crs, grid.crs, x.tolist(), y.tolist())
    found = np.floor(np.stack(grid.pixels(np.asarray(own[0]), np.asarray(own[1])), axis=1))
    inside = np.isfinite(found).all(axis=1) & (found >= 0).all(axis=1) & (found < (info.height, info.width)).all(axis=1)
    return np.where(inside[:, None], found, -1).astype(np.int64)
