"""Where on Earth a pixel lies."""

from __future__ import annotations

from typing import NamedTuple

from rasterio import warp

from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.info import RasterInfo

__all__ = ["Place", "place_of"]


class Place(NamedTuple):
    """The middle of a pixel: in its raster's CRS, and in degrees on WGS 84."""

    easting: float
    northing: float
    longitude: float
    latitude: float


def place_of(info: RasterInfo, row: int, column: int) -> Place | None:
    """Where the middle of a pixel lies; None if the raster has no CRS and geotransform.

    Raises
    ------
    InputError
        If its CRS cannot be used.
    """
    if not info.crs:
        return None
    a, b, c, d, e, f = info.transform
    easting, northing = a * (column + 0.5) + b * (row + 0.5) + c, d * (column + 0.5) + e * (row + 0.5) + f
    with gdal_errors(info.path, "has a CRS that cannot be used"):
        longitudes, latitudes = warp.transform(info.crs, "EPSG:4326", [easting], [northing])
    return Place(easting, northing, longitudes[0], latitudes[0])
