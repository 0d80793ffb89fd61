"""How much ground a pixel or a polygon covers."""

from __future__ import annotations

import math

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio import warp

from terrasift.raster.reading import RasterInfo

__all__ = ["pixels_of", "square_metres"]

_EQUAL_AREA = "EPSG:6933"  # a cylinder: the edges of pixels, along meridians and parallels, stay straight on it


def pixels_of(area: float, info: RasterInfo) -> int:
    """Pixels of a raster that cover an area in the unit of `square_metres`, rounded up, going by its middle pixel."""
    a, b, c, d, e, f = info.transform
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) + np.array([info.width / 2, info.height / 2])
    x, y = square_metres(np.stack([corners @ (a, b) + c, corners @ (d, e) + f], axis=1), info.crs).T
    x, y = x - x[0], y - y[0]  # far from the origin, products of coordinates lose digits
    pixel = float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return math.ceil(round(area / pixel, 6))  # 400 pixels of 0.25 m2 are 100 m2, not a rounding error more


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
        return np.stack(warp.transform(known, _EQUAL_AREA, places[:, 0], places[:, 1]), axis=1)
    return places * float(known.linear_units_factor[1])
