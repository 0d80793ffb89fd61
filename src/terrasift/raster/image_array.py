"""Images that are arrays, in memory or computed when they are asked for, read as rasters are."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.grid import PLAIN
from terrasift.raster.info import Window

__all__ = ["ArrayDataset", "ImageArray"]


@dataclass(frozen=True, eq=False)
class ImageArray:
    """An image without a file, which `Raster` opens as it opens files.

    Attributes
    ----------
    values
        (H, W, bands) or (H, W), read by windows: an array, or whatever can be indexed with two slices and a list of
        bands, has `shape` and `dtype`, and turns into an array of NumPy then. Where it has `chunks`, as Dask has, it is
        written in these.
    name
        What errors call it.
    descriptions
        Names of the bands, "" where one has none; empty where none has.
    crs
        As an authority code or WKT; "" for plain images.
    transform
        The six coefficients of the affine geotransform (a, b, c, d, e, f).
    nodata
        The value of pixels without data, if there is one.
    token
        Tells one image from another.

    Raises
    ------
    InputError
        If it is not of two or three dimensions, or of a type that no raster has.
    """

    values: Any
    name: str = "array"
    descriptions: tuple[str, ...] = ()
    crs: str = ""
    transform: tuple[float, ...] = PLAIN
    nodata: float | None = None
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        shape = " x ".join(map(str, self.values.shape))
        if self.values.ndim not in (2, 3):
            raise InputError(self.name, f"has the shape {shape}", "give (H, W) or (H, W, bands)")
        if not all(self.values.shape):
            raise InputError(self.name, f"is empty: its shape is {shape}", "give an image with pixels")
        if self.values.dtype.name not in _DTYPES:
            what = f"holds {self.values.dtype}, which no raster does"
            raise InputError(self.name, what, f"convert it to one of {', '.join(_DTYPES)}")
        if self.values.ndim == 2:
            object.__setattr__(self, "values", self.values[:, :, None])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, bands."""
        height, width, bands = self.values.shape
        return height, width, bands

    def read(self, window: Window, numbers: Sequence[int]) -> NDArray[Any]:
        """(H, W, bands): a window of some bands, by their numbers from 1."""
        return np.asarray(self.values[(*window.slices, [number - 1 for number in numbers])])

    def pieces(self) -> list[Window]:
        """Windows that cover it, in which it is computed without computing anything twice."""
        height, width, _ = self.shape
        rows, columns, *_ = getattr(self.values, "chunks", None) or (_strips(height), (width,))
        return [
            Window(top, left, tall, wide)
            for top, tall in zip(_starts(rows), rows, strict=True)
            for left, wide in zip(_starts(columns), columns, strict=True)
        ]


_DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")
_STRIP = 512  # rows


def _strips(height: int) -> list[int]:
    return [min(_STRIP, height - top) for top in range(0, height, _STRIP)]


def _starts(lengths: Sequence[int]) -> list[int]:
    return [0, *accumulate(lengths[:-1])]


class ArrayDataset:
    """An `ImageArray` as far as `Raster` asks rasterio's datasets: no palette, no alpha, no masks but nodata."""

    driver = "array"
    gcps: tuple[list[Any], None] = ([], None)
    interleaving = None

    def __init__(self, image: ImageArray) -> None:
        self._image = image
        self._read: tuple[Any, NDArray[Any]] | None = None
        self.height, self.width, self.count = image.shape
        self.dtypes = (image.values.dtype.name,) * self.count
        self.nodata = image.nodata
        with gdal_errors(image.name, f"has a CRS that is none: {image.crs[:80]}", "mend it"):
            self.crs = rasterio.CRS.from_user_input(image.crs) if image.crs else None
        self.transform = rasterio.Affine(*image.transform)
        self.descriptions = image.descriptions or (None,) * self.count
        self.colorinterp = (ColorInterp.undefined,) * self.count
        flag = MaskFlags.all_valid if image.nodata is None else MaskFlags.nodata
        self.mask_flag_enums = ([flag],) * self.count
        self.block_shapes = [(min(self.height, 256), min(self.width, 256))] * self.count
        self.files: list[str] = []

    def read(self, numbers: Sequence[int] | None = None, window: Any = None) -> NDArray[Any]:
        """(bands, H, W), as rasterio gives them; `window` is one of rasterio's."""
        key = numbers, window
        if self._read is None or self._read[0] != key:  # `read_masks` asks for the same again
            rows = Window(0, 0, self.height, self.width)
            if window is not None:
                rows = Window(window.row_off, window.col_off, window.height, window.width)
            values = self._image.read(rows, numbers or range(1, self.count + 1))
            self._read = key, np.moveaxis(values, 2, 0)
        return self._read[1]

    def read_masks(self, numbers: Sequence[int] | None = None, window: Any = None) -> NDArray[np.uint8]:
        """(bands, H, W): 0 where a band is nodata, else 255."""
        values = self.read(numbers, window)
        if self.nodata is None:
            return np.full(values.shape, 255, np.uint8)
        is_nodata = np.isnan(values) if np.isnan(self.nodata) else values == np.asarray(self.nodata, values.dtype)
        return np.where(is_nodata, 0, 255).astype(np.uint8)

    def tags(self, ns: str = "") -> dict[str, str]:
        """None: what an image says beside its values is in `ImageArray`."""
        return {}

    def overviews(self, band: int) -> list[int]:
        """None."""
        return []

    def close(self) -> None:
        """Forget what was read."""
        self._read = None
