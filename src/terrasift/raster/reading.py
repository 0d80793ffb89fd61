"""Rasters of any kind that GDAL opens, read by windows, with nodata as a validity mask."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.windows import Window as RasterioWindow

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.matlab import is_matlab, open_matlab

__all__ = ["Raster", "RasterInfo", "Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels: the row and column of its upper left corner, and its size."""

    row: int
    column: int
    height: int
    width: int


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
        Names of the `bands`, "" where there is none.
    crs
        As an authority code or WKT; "" for plain images.
    transform
        The six coefficients of the affine geotransform (a, b, c, d, e, f).
    nodata
        The nodata value, if there is one.
    driver
        GDAL's name for the format.
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

    def check_bands(self, numbers: Sequence[int] | None) -> None:
        """Check that bands (numbers from 1; None means all) exist; InputError names the first that does not."""
        missing = [number for number in numbers or () if not 1 <= number <= self.bands]
        if not missing:
            return
        if self.alpha and missing[0] == self.bands + 1:
            raise InputError(
                self.path,
                f"marks band {missing[0]} as alpha, which says where there is data",
                f"if it holds values, unmark it: gdal_edit.py -colorinterp_{missing[0]} undefined FILE",
            )
        raise InputError(self.path, f"has no band {missing[0]}", f"its bands are 1 to {self.bands}; change `bands`")


class Raster:
    """An open raster, read by windows. One per thread and process: handles cannot be shared.

    Parameters
    ----------
    path
        Any path GDAL opens, or a MATLAB file (``.mat``) with one image, H x W or H x W x bands.

    Raises
    ------
    InputError
        If it cannot be opened, or if its values are of a kind that is no image.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = str(path)
        matlab = is_matlab(self.path)
        with gdal_errors(self.path, "is not a raster that can be opened"):
            self._dataset = open_matlab(self.path) if matlab else rasterio.open(self.path)
        try:
            self._palette = _palette(self._dataset)
            self.info = _info(self.path, self._dataset, self._palette)
            if matlab:
                self.info = replace(self.info, driver="MATLAB")
        except BaseException:
            self._dataset.close()
            raise

    def read(
        self, window: Window | None = None, bands: Sequence[int] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values and validity of a window.

        Parameters
        ----------
        window
            Must lie inside the raster; None means all of it.
        bands
            Numbers from 1, as GIS count them; None means all of `info.bands`.

        Returns
        -------
        values
            (H, W, bands), in the raster's dtype.
        valid
            (H, W), bool. Integer rasters follow GDAL: a pixel is nodata where all the bands read are. In float rasters
            one band that is nodata, NaN or infinite is enough. An alpha band or a mask of 0 makes any pixel invalid.

        Raises
        ------
        InputError
            If a band does not exist, or if the file is damaged there.
        """
        self.info.check_bands(bands)
        numbers = list(bands or range(1, self.info.bands + 1))
        area = None if window is None else RasterioWindow(window.column, window.row, window.width, window.height)
        with gdal_errors(self.path, "cannot be read: the file is damaged"):
            if self._palette is not None:
                indices = self._dataset.read(1, window=area)
                colors = self._palette[indices][:, :, [number - 1 for number in numbers]]
                return colors, self._dataset.dataset_mask(window=area) > 0
            values = self._dataset.read(numbers, window=area)
            valid = self._validity(values, numbers, area)
        return np.moveaxis(values, 0, 2), valid

    def read_indices(self, window: Window | None = None) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The first band as it is stored, a palette's indices and not its colours, and validity: both (H, W)."""
        area = None if window is None else RasterioWindow(window.column, window.row, window.width, window.height)
        with gdal_errors(self.path, "cannot be read: the file is damaged"):
            values = self._dataset.read([1], window=area)
            return values[0], self._validity(values, [1], area)

    def read_stored(self, window: Window | None = None) -> NDArray[Any]:
        """Every band as it is stored, one marked as alpha too: (H, W, stored bands)."""
        area = None if window is None else RasterioWindow(window.column, window.row, window.width, window.height)
        with gdal_errors(self.path, "cannot be read: the file is damaged"):
            return np.moveaxis(self._dataset.read(window=area), 0, 2)

    @property
    def has_palette(self) -> bool:
        """Whether the values are indices into a colour table."""
        return self._palette is not None

    def close(self) -> None:
        """Close the file."""
        self._dataset.close()

    def __enter__(self) -> Raster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _validity(self, values: NDArray[Any], numbers: list[int], area: RasterioWindow | None) -> NDArray[np.bool_]:
        is_float = values.dtype.kind == "f"
        valid = np.ones(values.shape[1:], np.bool_)
        if not all(MaskFlags.all_valid in self._dataset.mask_flag_enums[number - 1] for number in numbers):
            masks = self._dataset.read_masks(numbers, window=area) > 0
            valid &= masks.all(axis=0) if is_float else masks.any(axis=0)
        if is_float:
            valid &= np.isfinite(values).all(axis=0)
        if self.info.alpha:  # GDAL itself heeds it beside one or three bands only
            valid &= self._dataset.read(self.info.bands + 1, window=area) > 0
        return valid


def _info(path: str, dataset: Any, palette: NDArray[np.uint8] | None) -> RasterInfo:
    dtypes = sorted(set(dataset.dtypes))
    if len(dtypes) > 1:
        raise InputError(path, f"has bands of different types ({', '.join(dtypes)})", "save them as one type")
    if "complex" in dtypes[0]:
        raise InputError(path, f"holds complex numbers ({dtypes[0]})", "save magnitude or phase as float32")
    if ColorInterp.alpha in dataset.colorinterp[:-1]:
        raise InputError(path, "has an alpha band that is not its last", "save the bands with alpha as the last")
    alpha = dataset.colorinterp[-1] is ColorInterp.alpha
    bands = palette.shape[1] if palette is not None else dataset.count - int(alpha)
    if not bands:
        raise InputError(path, "has an alpha band and nothing else", "use an image with values")
    names = ("red", "green", "blue") if palette is not None else dataset.descriptions
    all_valid = all(MaskFlags.all_valid in flags for flags in dataset.mask_flag_enums)
    return RasterInfo(
        path=path,
        height=dataset.height,
        width=dataset.width,
        bands=bands,
        dtype=str(palette.dtype) if palette is not None else dtypes[0],
        may_be_invalid=not all_valid or alpha or dtypes[0].startswith("float"),
        alpha=alpha,
        descriptions=tuple(name or "" for name in names[:bands]),
        crs=_crs_text(dataset.crs),
        transform=tuple(dataset.transform)[:6],
        nodata=dataset.nodata,
        driver=dataset.driver,
    )


def _crs_text(crs: Any) -> str:
    if not crs:
        return ""
    authority = crs.to_authority()
    return ":".join(authority) if authority else str(crs.to_wkt())


def _palette(dataset: Any) -> NDArray[np.uint8] | None:
    if dataset.count != 1 or dataset.colorinterp[0] is not ColorInterp.palette:
        return None
    colors = dataset.colormap(1)
    table = np.zeros((65536 if dataset.dtypes[0] == "uint16" else 256, 3), np.uint8)
    for index, color in colors.items():
        table[index] = color[:3]
    return table
