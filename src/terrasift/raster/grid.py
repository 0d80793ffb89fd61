"""Where the pixels of a raster lie, and whether those of two lie on each other."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
import rasterio
from numpy.typing import NDArray

from terrasift.errors import InputError

__all__ = ["PLAIN", "Grid", "check_same_grid"]

PLAIN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""GDAL's answer where there is no geotransform."""

_Numbers = TypeVar("_Numbers", float, NDArray[Any])


class Grid(NamedTuple):
    """Rows and columns, and where they lie."""

    height: int
    width: int
    crs: str = ""
    """As in `RasterInfo`; "" where it is not known."""
    transform: tuple[float, ...] = PLAIN

    @property
    def is_placed(self) -> bool:
        """Whether it says where it lies: else columns and rows are its only coordinates."""
        return self.transform != PLAIN

    @property
    def is_on_earth(self) -> bool:
        """Whether it says where, and in which CRS."""
        return self.is_placed and bool(self.crs)

    @property
    def affine(self) -> rasterio.Affine:
        """What takes columns and rows to x and y; y is minus the row where it is not placed, as QGIS lays images."""
        return rasterio.Affine(*self.transform) if self.is_placed else rasterio.Affine(1, 0, 0, 0, -1, 0)

    @property
    def inverse(self) -> rasterio.Affine:
        """What takes x and y to columns and rows.

        Raises
        ------
        InputError
            If the geotransform puts all pixels on one line.
        """
        if self.affine.is_degenerate:
            raise InputError("geotransform", f"{list(self.transform)} puts all pixels on one line", "place it anew")
        return ~self.affine

    def places(self, rows: _Numbers, columns: _Numbers) -> tuple[_Numbers, _Numbers]:
        """The x and y of places among the pixels: 0, 0 is the upper left corner, 0.5, 0.5 the first pixel's middle."""
        return _moved(self.affine, columns, rows)

    def pixels(self, x: _Numbers, y: _Numbers) -> tuple[_Numbers, _Numbers]:
        """Rows and columns of places, the inverse of `places`; those of a pixel's middle end in a half."""
        columns, rows = _moved(self.inverse, x, y)
        return rows, columns

    def __str__(self) -> str:
        lies = f", {self.crs or 'no CRS'}, transform {list(self.transform)}" if self.is_placed else ""
        return f"{self.width} x {self.height} pixels{lies}"

    def meets(self, other: Grid) -> bool:
        """Whether pixels correspond; where either does not say where it lies, or in which CRS, that decides nothing."""
        if (self.height, self.width) != (other.height, other.width):
            return False
        if not (self.is_placed and other.is_placed):
            return True
        return self._corners_meet(other) and (self.crs == other.crs or not (self.crs and other.crs))

    def _corners_meet(self, other: Grid) -> bool:
        """Whether the corners of two grids of one size lie less than a hundredth of a pixel apart."""
        rows, columns = np.array([0.0, 0.0, self.height]), np.array([0.0, self.width, 0.0])  # three tell all
        ours, theirs = np.array(self.places(rows, columns)), np.array(other.places(rows, columns))
        return bool(np.abs(ours - theirs).max() <= 0.01 * np.sqrt(abs(self.affine.determinant)))


def check_same_grid(path: object, grid: Grid, other_path: object, other: Grid) -> None:
    """Check that the pixels of a label map or mask lie on those of what it belongs to.

    Raises
    ------
    InputError
        If they do not: the two are of different sizes, or both say where they lie, and lie elsewhere.
    """
    if not grid.meets(other):
        raise InputError(path, f"has {grid}, but {other_path} has {other}", "bring both to one grid")


def _moved(affine: rasterio.Affine, x: _Numbers, y: _Numbers) -> tuple[_Numbers, _Numbers]:
    a, b, c, d, e, f = tuple(affine)[:6]
    return a * x + b * y + c, d * x + e * y + f
