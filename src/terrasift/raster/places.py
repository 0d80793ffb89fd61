"""Where on Earth a pixel lies."""

from __future__ import annotations

from typing import NamedTuple

from rasterio import warp
from rasterio.control import GroundControlPoint
from rasterio.transform import from_gcps

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.info import RasterInfo

__all__ = ["PLAIN", "Place", "georeference", "place_of"]

PLAIN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""GDAL's answer where there is no geotransform."""


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
    transform, crs = georeference(info)
    if not crs or transform == PLAIN:
        return None
    a, b, c, d, e, f = transform
    easting, northing = a * (column + 0.5) + b * (row + 0.5) + c, d * (column + 0.5) + e * (row + 0.5) + f
    try:
        with gdal_errors(info.path, "does not lie on Earth"):
            longitudes, latitudes = warp.transform(crs, "EPSG:4326", [easting], [northing])
    except InputError:  # a building site's own CRS
        return Place(easting, northing, None, None)
    return Place(easting, northing, longitudes[0], latitudes[0])


def georeference(info: RasterInfo) -> tuple[tuple[float, ...], str]:
    """Geotransform and CRS of a raster; where it has control points, the affine one that fits them best, and theirs."""
    if not info.gcps:
        return info.transform, info.crs
    return tuple(from_gcps([GroundControlPoint(*point) for point in info.gcps]))[:6], info.gcps_crs
