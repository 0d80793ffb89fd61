"""What a raster is, without its pixels: size, bands, and where on Earth it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rasterio.control import GroundControlPoint
from rasterio.transform import from_gcps

from terrasift.errors import InputError
from terrasift.raster.grid import Grid

__all__ = ["Bands", "RasterInfo", "Window"]

Bands: TypeAlias = Sequence[int | str]
"""Bands by their numbers, from 1 as GIS count them, or by their names."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels: the row and column of its upper left corner, and its size."""

    row: int
    column: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """What an array (H, W, ...) of the whole raster is indexed with to get the window."""
        return slice(self.row, self.row + self.height), slice(self.column, self.column + self.width)

    def inside(self, other: Window) -> Window:
        """The same pixels, counted from the upper left corner of another window."""
        return Window(self.row - other.row, self.column - other.column, self.height, self.width)

    def common(self, other: Window) -> Window | None:
        """The pixels that lie in both; None if there are none."""
        row, column = max(self.row, other.row), max(self.column, other.column)
        bottom = min(self.row + self.height, other.row + other.height)
        right = min(self.column + self.width, other.column + other.width)
        return Window(row, column, bottom - row, right - column) if bottom > row and right > column else None


@dataclass(frozen=True)
class RasterInfo:
    """What a raster is, without its pixels.

    Attributes
    ----------
    path
        As it was given.
    height, width
        In pixels.
    bands
        Bands that hold image values: a palette counts as its three colours, an alpha band, always the last, as none.
    dtype
        NumPy's name for the type of the values.
    may_be_invalid
        Whether any pixel can be nodata: there is a nodata value, a mask, an alpha band, or floats with NaN.
    alpha
        Whether one more band says which pixels are valid.
    descriptions
        Names of the `bands`: their descriptions, or what the file says of their colour; "" where there is neither.
    crs
        As an authority code or WKT; "" for plain images.
    transform
        The six coefficients of the affine geotransform (a, b, c, d, e, f).
    nodata
        The nodata value, if there is one.
    driver
        GDAL's name for the format.
    resolution
        Metres a pixel to which the raster is resampled as it is read; None: it is read on its own grid.
    gcps
        Ground control points (row, column, x, y, z), where they take the place of a geotransform.
    gcps_crs
        The CRS of their x and y, as `crs`.
    rpcs
        Rational polynomial coefficients, as GDAL names and writes them.
    """

    path: str
    height: int
    width: int
    bands: int
    dtype: str
    may_be_invalid: bool
    alpha: bool
    descriptions: tuple[str, ...]
    crs: str
    transform: tuple[float, ...]
    nodata: float | None
    driver: str
    resolution: float | None = None
    gcps: tuple[tuple[float, float, float, float, float], ...] = ()
    gcps_crs: str = ""
    rpcs: tuple[tuple[str, str], ...] = ()

    @property
    def grid(self) -> Grid:
        """Where its pixels lie; ground control points stand for a geotransform by the affine one that fits them."""
        if not self.gcps:
            return Grid(self.height, self.width, self.crs, self.transform)
        fitted = from_gcps([GroundControlPoint(*point) for point in self.gcps])
        return Grid(self.height, self.width, self.gcps_crs, tuple(fitted)[:6])

    @property
    def is_small(self) -> bool:
        """Whether all of it can be read while somebody waits: 25 million pixels at most."""
        return self.height * self.width <= 25_000_000

    def band_numbers(self, bands: Bands | None) -> list[int]:
        """The numbers of bands, from 1: this is the one place where names become numbers.

        Parameters
        ----------
        bands
            Numbers or names; case and spaces around a name do not matter. None means all of them.

        Raises
        ------
        InputError
            If one does not exist, if two bands have its name, or if two of them are the same band.
        """
        if bands is None:
            return list(range(1, self.bands + 1))
        numbers = [self._named(band) if isinstance(band, str) else self._numbered(band) for band in bands]
        for index, number in enumerate(numbers):
            if number in numbers[:index]:
                both = f"{bands[numbers.index(number)]} and {bands[index]}"
                raise InputError(self.path, f"{both} are both its band {number}", "name each once in `bands`")
        return numbers

    def _numbered(self, number: int) -> int:
        if 1 <= number <= self.bands:
            return number
        if self.alpha and number == self.bands + 1:
            raise InputError(
                self.path,
                f"marks band {number} as alpha, which says where there is data",
                f"if it holds values, unmark it: gdal_edit.py -colorinterp_{number} undefined FILE",
            )
        raise InputError(self.path, f"has no band {number}", f"its bands are 1 to {self.bands}; change `bands`")

    def _named(self, name: str) -> int:
        wanted = name.strip().casefold()
        found = [i for i, each in enumerate(self.descriptions, 1) if each and each.strip().casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(map(str, found))
            raise InputError(self.path, f"has several bands named {name}: {listed}", "choose one by its number")
        names = ", ".join(f"{i} {each}" for i, each in enumerate(self.descriptions, 1) if each)
        mend = f"its named bands are {names}" if names else f"none has a name: choose by number, 1 to {self.bands}"
        raise InputError(self.path, f"has no band named {name}", mend)
