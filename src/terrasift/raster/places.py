"""Where on Earth a pixel lies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio import warp
from rasterio.control import GroundControlPoint
from rasterio.transform import from_gcps

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.grid import PLAIN
from terrasift.raster.info import RasterInfo

__all__ = ["Place", "georeference", "pixels_at", "place_of", "places_of"]


class Place(NamedTuple):
    """The middle of a pixel: in its raster's CRS, and in degrees on WGS 84, None where that has no place on Earth."""

    easting: float
    northing: float
    longitude: float | None
    latitude: float | None


def place_of(info: RasterInfo, row: int, column: int) -> Place | None:
    """Where the middle of a pixel lies; None if the raster has no CRS, or neither geotransform nor control points.

    Ground control points stand for a geotransform (`georeference`).
    """
    places = places_of(info, np.array([row]), np.array([column]))
    return None if places is None else places[0]


def places_of(info: RasterInfo, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> list[Place] | None:
    """`place_of` of many pixels, (N,) each."""
    transform, crs = georeference(info)
    if not crs or transform == PLAIN:
        return None
    a, b, c, d, e, f = transform
    eastings = (a * (columns + 0.5) + b * (rows + 0.5) + c).tolist()
    northings = (d * (columns + 0.5) + e * (rows + 0.5) + f).tolist()
    try:
        with gdal_errors(info.path, "does not lie on Earth"):
            longitudes, latitudes = warp.transform(crs, "EPSG:4326", eastings, northings)
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
    transform, own = georeference(info)
    if not own or transform == PLAIN:
        raise InputError(info.path, "has no place on Earth", "georeference it, or use an image of the map's own size")
    with gdal_errors(info.path, f"cannot be brought to {crs}", "reproject it"):
        there = warp.transform(crs, own, x.tolist(), y.tolist())
    a, b, c, d, e, f = tuple(~rasterio.Affine(*transform))[:6]
    places = np.stack([np.asarray(values, np.float64) for values in there[:2]], axis=1)
    found = np.floor(np.stack([places @ (d, e) + f, places @ (a, b) + c], axis=1))
    inside = np.isfinite(found).all(axis=1) & (found >= 0).all(axis=1) & (found < (info.height, info.width)).all(axis=1)
    return np.where(inside[:, None], found, -1).astype(np.int64)


def georeference(info: RasterInfo) -> tuple[tuple[float, ...], str]:
    """Geotransform and CRS of a raster; where it has control points, the affine one that fits them best, and theirs."""
    if not info.gcps:
        return info.transform, info.crs
    return tuple(from_gcps([GroundControlPoint(*point) for point in info.gcps]))[:6], info.gcps_crs
