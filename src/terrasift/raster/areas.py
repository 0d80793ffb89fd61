"""How much ground a pixel or a polygon covers."""

from __future__ import annotations

import logging
import math
import re

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio import warp
from rasterio.errors import CRSError

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.info import RasterInfo

__all__ = ["ground_sampling", "pixel_metres", "pixels_of", "row_areas", "square_metres"]

_logger = logging.getLogger(__name__)

_EQUAL_AREA = "EPSG:6933"  # a cylinder: the edges of pixels, along meridians and parallels, stay straight on it


def pixels_of(area: float, info: RasterInfo) -> int:
    """Pixels of a raster that cover an area in the unit of `square_metres`, rounded up, going by its middle pixel."""
    rows, columns = info.height / 2 + np.array([0, 0, 1, 1]), info.width / 2 + np.array([0, 1, 1, 0])
    x, y = square_metres(np.stack(info.grid.places(rows, columns), axis=1), info.grid.crs).T
    x, y = x - x[0], y - y[0]  # far from the origin, products of coordinates lose digits
    pixel = float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return math.ceil(round(area / pixel, 6))  # 400 pixels of 0.25 m2 are 100 m2, not a rounding error more


def row_areas(info: RasterInfo) -> NDArray[np.float64] | None:
    """Square metres of ground that a pixel of each row covers, (H,) float64; None where it has no place on Earth.

    In a CRS that counts in degrees these are areas on the ellipsoid. In a projected one they are those of its plane, as
    surveys have them, if they are within 1 % of the true ones; else, where the distortion follows the rows, as in Web
    Mercator, they are the true ones, and where it does not, a warning says how far off they are.

    Raises
    ------
    InputError
        If the raster counts in degrees and is rotated, or if its CRS is not of Earth.
    """
    grid = info.grid
    if not grid.is_on_earth:
        return None
    a, b, _, d, e, _ = grid.transform
    known = rasterio.CRS.from_user_input(grid.crs)
    if known.is_geographic:
        if b or d:
            raise InputError(info.path, "is rotated and counts in degrees", "reproject it to measure areas")
        return _ellipsoidal_areas(info, known)
    flat = np.full(info.height, abs(a * e - b * d) * _unit(known) ** 2)
    return flat * _distortion(info, known, float(flat[0])) if known.is_projected else flat


def _ellipsoidal_areas(info: RasterInfo, crs: rasterio.CRS) -> NDArray[np.float64]:
    a, _, c, _, e, f = info.grid.transform
    latitudes = np.clip(f + e * np.arange(info.height + 1), -90, 90)  # grids with a pixel's middle on the pole
    meridian = math.floor(c + a * info.width / 2) + 0.25  # half a degree beside it never meets the date line
    with gdal_errors(info.path, "does not lie on Earth", "reproject it to measure areas"):
        _, y = warp.transform(crs, _EQUAL_AREA, [meridian] * len(latitudes), latitudes)
        x, _ = warp.transform(crs, _EQUAL_AREA, [meridian, meridian + 0.5], [0.0, 0.0])
    areas: NDArray[np.float64] = np.abs(np.diff(y)) * abs(a) * abs(x[1] - x[0]) / 0.5
    return areas


def _distortion(info: RasterInfo, crs: rasterio.CRS, flat: float) -> NDArray[np.float64]:
    """What the areas of a projected CRS's plane are to be multiplied with, (H,)."""
    rows = np.linspace(0, info.height, min(info.height, 256) + 1)
    true = np.stack([_true_areas(info, crs, rows, share * info.width) for share in (0.0, 0.5, 1.0)], axis=1) / flat
    off = float(np.abs(true - 1).max())
    if not off > _TOLERATED:  # nowhere, or not known
        return np.ones(info.height)
    if np.ptp(true, axis=1).max() > _TOLERATED / 10:
        _logger.warning(
            "%s: areas of %s are up to %.0f %% off; reproject to an equal-area CRS", info.path, crs, 100 * off
        )
        return np.ones(info.height)
    return np.asarray(np.interp(np.arange(info.height) + 0.5, rows, true.mean(axis=1)), np.float64)


_TOLERATED = 0.01


def _true_areas(info: RasterInfo, crs: rasterio.CRS, rows: NDArray[np.float64], column: float) -> NDArray[np.float64]:
    """Square metres on the ellipsoid of squares of a pixel around places of a column; NaN where there are none."""
    down, across = np.array([-0.5, -0.5, 0.5, 0.5]), np.array([-0.5, 0.5, 0.5, -0.5])
    corners = info.grid.places(np.ravel(rows[:, None] + down), np.ravel(column + np.tile(across, len(rows))))
    try:
        with gdal_errors(info.path, "does not lie on Earth"):
            x, y = warp.transform(crs, _EQUAL_AREA, *(part.tolist() for part in corners))
    except InputError:
        return np.full(len(rows), np.nan)
    x, y = np.reshape(x, (-1, 4)), np.reshape(y, (-1, 4))
    x, y = x - x[:, :1], y - y[:, :1]
    areas: NDArray[np.float64] = abs((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(axis=1)) / 2
    return np.where(np.isfinite(areas), areas, np.nan)


def ground_sampling(info: RasterInfo) -> float | None:
    """Metres on the ground that the raster's middle pixel is wide: the second of `pixel_metres`."""
    size = pixel_metres(info)
    return None if size is None else size[1]


def pixel_metres(info: RasterInfo) -> tuple[float, float] | None:
    """Height and width of a raster's middle pixel in metres on the ground; None where it has no place on Earth.

    True metres, whatever the CRS counts in: those of Web Mercator, say, grow towards the poles. Ground control points
    stand for a geotransform by the affine one that fits them best.
    """
    grid = info.grid
    if not grid.crs:
        return None
    rows, columns = np.array([0.0, 0.0, 0.0, -0.5, 0.5]), np.array([0.0, -0.5, 0.5, 0.0, 0.0])
    places = grid.places(info.height / 2 + rows, info.width / 2 + columns)
    try:
        with gdal_errors(info.path, "does not lie on Earth"):
            x, y = _metres(np.stack(places, axis=1), grid.crs).T
    except InputError:
        return None
    height, width = math.hypot(x[4] - x[3], y[4] - y[3]), math.hypot(x[2] - x[1], y[2] - y[1])
    return (height, width) if math.isfinite(height * width) and height * width > 0 else None


def _metres(places: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Coordinates (N, 2) of a CRS on a map whose distances from the first of them are true."""
    known = rasterio.CRS.from_user_input(crs)
    if not (known.is_geographic or known.is_projected):  # a building site's own
        return places * _unit(known)
    longitudes, latitudes = warp.transform(known, "EPSG:4326", places[:, 0], places[:, 1])
    around = f"+proj=aeqd +lat_0={latitudes[0]:.12f} +lon_0={longitudes[0]:.12f} +datum=WGS84"
    return np.stack(warp.transform("EPSG:4326", around, longitudes, latitudes), axis=1)


def square_metres(places: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Coordinates (N, 2) of a CRS, moved so that areas come out in square metres.

    Where the CRS counts in degrees they are projected onto an equal-area map of the world; where it counts in feet or
    other units they are scaled; distortions of a projected CRS remain (Web Mercator shows everything too large). With
    no CRS they stay as they are: pixels.
    """
    if not crs:
        return places
    known = rasterio.CRS.from_user_input(crs)
    if known.is_geographic:
        with gdal_errors(crs, "is a CRS in which areas cannot be measured here", "reproject the scene"):
            return np.stack(warp.transform(known, _EQUAL_AREA, places[:, 0], places[:, 1]), axis=1)
    return places * _unit(known)


def _unit(crs: rasterio.CRS) -> float:
    """Metres in the unit of a projected or local CRS; 1 where it does not say."""
    try:
        return float(crs.linear_units_factor[1])
    except CRSError:  # GDAL's answer for local ones, which name their unit all the same
        units = re.findall(r'UNIT\["[^"]*",\s*([0-9.eE+-]+)', crs.to_wkt())
        return float(units[-1]) if units else 1.0
