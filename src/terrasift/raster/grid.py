"""Where the pixels of a raster lie, and whether those of two lie on each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrasift.errors import InputError

__all__ = ["PLAIN", "Grid", "check_same_grid"]

PLAIN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""GDAL's answer where there is no geotransform."""


class Grid(NamedTuple):
    """Rows and columns, and where they lie."""

    height: int
    width: int
    crs: str = ""
    """As in `RasterInfo`; "" where it is not known."""
    transform: tuple[float, ...] = PLAIN

    @property
    def is_placed(self) -> bool:
        """Whether it says where it lies."""
        return self.transform != PLAIN

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
        corners = np.array(
            [[0, self.width, 0], [0, 0, self.height], [1, 1, 1]]
        )  # three tell all of an affine transform
        a, b = (np.reshape(grid.transform, (2, 3)) for grid in (self, other))
        pixel = np.sqrt(abs(np.linalg.det(a[:, :2])))
        return bool(np.abs((a - b) @ corners).max() <= 0.01 * pixel)


def check_same_grid(path: object, grid: Grid, other_path: object, other: Grid) -> None:
    """Check that the pixels of a label map or mask lie on those of what it belongs to.

    Raises
    ------
    InputError
        If they do not: the two are of different sizes, or both say where they lie, and lie elsewhere.
    """
    if not grid.meets(other):
        raise InputError(path, f"has {grid}, but {other_path} has {other}", "bring both to one grid")
