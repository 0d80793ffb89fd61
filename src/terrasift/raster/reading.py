"""Rasters of any kind that GDAL opens, read by windows, with nodata as a validity mask."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.windows import Window as RasterioWindow

from terrasift.errors import InputError
from terrasift.files import file_digest
from terrasift.raster.areas import pixel_metres
from terrasift.raster.bounds import check_claims, check_opening
from terrasift.raster.gdal_errors import gdal_errors, open_raster
from terrasift.raster.image_array import ArrayDataset, ImageArray
from terrasift.raster.info import Bands, RasterInfo, Window
from terrasift.raster.matlab import is_matlab, open_matlab
from terrasift.raster.resampling import ResampledGrid

__all__ = ["Raster", "Source"]

Source: TypeAlias = str | os.PathLike[str] | ImageArray
"""What can be opened: a path, or an image without a file."""


class Raster:
    """An open raster, read by windows. One per thread and process: handles cannot be shared.

    Parameters
    ----------
    source
        Any path GDAL opens, a MATLAB file (``.mat``) with one image, H x W or H x W x bands, or an `ImageArray`.
    resolution
        Metres a pixel: `info` is of the grid of about that ground sampling which covers the raster, as near as whole
        numbers of pixels allow, and `read` takes its windows. None: the raster's own, which also stands where the two
        differ by at most 1 %.
    overview
        Open one of the smaller copies that the file holds, by its place in `overviews`; None: the raster itself.

    Attributes
    ----------
    path
        The path as it was given, or the name of the image.
    info
        What the raster is.
    resampled
        How the grid of `info` lies over the raster's own; None where it is the raster's own.

    Raises
    ------
    InputError
        If it cannot be opened, if its values are of a kind that is no image, or if a resolution is asked of a raster
        that does not say where on Earth it lies.
    """

    def __init__(self, source: Source, resolution: float | None = None, *, overview: int | None = None) -> None:
        self._source = source
        self.path = source.name if isinstance(source, ImageArray) else str(source)
        matlab = not isinstance(source, ImageArray) and is_matlab(self.path)
        self._dataset = _open(source, matlab, overview)
        try:
            with gdal_errors(self.path, "is not a raster that can be opened"):  # a server may fail only now
                check_claims(self.path, self._dataset)
                self._palette = _palette(self._dataset)
                self.info = _info(self.path, self._dataset, self._palette)
            if matlab:
                self.info = replace(self.info, driver="MATLAB")
            self.resampled: ResampledGrid | None = None
            if resolution is not None:
                self.info, self.resampled = _at_resolution(self.info, resolution)
        except BaseException:
            self._dataset.close()
            raise

    def at(self, resolution: float | None) -> Raster:
        """The same raster, opened once more, at a resolution: see the class."""
        return Raster(self._source, resolution)

    def read(self, window: Window | None = None, bands: Bands | None = None) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values and validity of a window.

        Parameters
        ----------
        window
            Must lie inside the raster; None means all of it.
        bands
            Numbers from 1, or names; None means all of `info.bands`.

        Returns
        -------
        values
            (H, W, bands), in the raster's dtype.
        valid
            (H, W), bool. Integer rasters follow GDAL: a pixel is nodata where all the bands read are. In float rasters
            one band that is nodata, NaN or infinite is enough. An alpha band or a mask of 0 makes any pixel invalid.
            Resampled, values are made of valid pixels alone: see `ResampledGrid`.

        Raises
        ------
        InputError
            If a band does not exist, or if the file is damaged there.
        """
        numbers = self.info.band_numbers(bands)
        grid = self.resampled
        if grid is None:
            return self._read_own(window, numbers)
        parts = []
        whole = window or Window(0, 0, self.info.height, self.info.width)
        for strip in grid.strips(whole, _MOST_VALUES // len(numbers)):
            parts.append(grid.resample(*self._read_own(grid.sources(strip), numbers), strip))
        return np.concatenate([values for values, _ in parts]), np.concatenate([valid for _, valid in parts])

    def _read_own(self, window: Window | None, numbers: list[int]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        area = None if window is None else RasterioWindow(window.column, window.row, window.width, window.height)
        with gdal_errors(self.path, "cannot be read: the file is damaged"):
            if self._palette is not None:
                indices = self._dataset.read(1, window=area)
                colors = self._palette[indices][:, :, [number - 1 for number in numbers]]
                return colors, self._dataset.dataset_mask(window=area) > 0
            values = self._dataset.read(numbers, window=area)
            valid = self._validity(values, numbers, area)
        return np.moveaxis(values, 0, 2), valid

    def valid_share(self) -> float:
        """The share of pixels that hold data; all of them are read, a strip at a time."""
        height, width = self.info.height, self.info.width
        strips = [Window(top, 0, min(_STRIP, height - top), width) for top in range(0, height, _STRIP)]
        return sum(int(self.read(strip)[1].sum()) for strip in strips) / (height * width)

    def read_indices(self, window: Window | None = None) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The first band as it is stored, a palette's indices and not its colours, and validity: both (H, W).

        Never resampled: windows are of the raster's own grid, here and in `read_stored`.
        """
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
    def overviews(self) -> list[int]:
        """How many times smaller than the raster each copy is that the file holds beside it."""
        return list(map(int, self._dataset.overviews(1)))

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns of the pieces that the file is stored in."""
        rows, columns = self._dataset.block_shapes[0]
        return int(rows), int(columns)

    @property
    def has_palette(self) -> bool:
        """Whether the values are indices into a colour table."""
        return self._palette is not None

    @property
    def files(self) -> list[str]:
        """The files that it is made of: itself, those beside it, and what a virtual raster refers to."""
        own = [] if self._is_text else [self.path]
        return list(dict.fromkeys([*own, *self._dataset.files]))

    @property
    def _is_text(self) -> bool:
        """Whether the path is a virtual raster itself, as GDAL takes it (`with_surroundings`)."""
        return self.path.startswith("<VRTDataset")

    @property
    def state(self) -> list[list[Any]]:
        """Tells whether it has changed: path, size and time of files, the text of a VRT; of one elsewhere, its path."""
        if isinstance(self._source, ImageArray):
            return [[self.path, self._source.token]]
        if not self._is_text and not Path(self.path).exists():
            return [[self.path]]
        # GDAL keeps notes and overviews beside a raster, whenever somebody looks at it.
        files = [Path(file) for file in self.files if not file.endswith((".aux.xml", ".ovr"))]
        return [_state(file.absolute()) for file in files if file.exists()]

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


_STRIP = 512  # rows


def _state(file: Path) -> list[Any]:
    if file.suffix.lower() == ".vrt":  # it is what it says, wherever it lies
        return [file_digest(file)]
    state = file.stat()
    return [str(file), state.st_size, state.st_mtime_ns]


def _open(source: Source, matlab: bool, overview: int | None) -> Any:
    if isinstance(source, ImageArray):
        return ArrayDataset(source)
    path = str(source)
    check_opening(path)
    level: dict[str, Any] = {} if overview is None else {"overview_level": overview}
    with gdal_errors(path, "is not a raster that can be opened"):
        return open_matlab(path) if matlab else open_raster(path, **level)


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
    georeferenced = dataset.transform != rasterio.Affine.identity()
    gcps, gcps_crs = ([], None) if georeferenced else dataset.gcps
    all_valid = all(MaskFlags.all_valid in flags for flags in dataset.mask_flag_enums)
    return RasterInfo(
        path=path,
        height=dataset.height,
        width=dataset.width,
        bands=bands,
        dtype=str(palette.dtype) if palette is not None else dtypes[0],
        may_be_invalid=not all_valid or alpha or dtypes[0].startswith("float"),
        alpha=alpha,
        descriptions=_names(dataset, palette)[:bands],
        crs=_crs_text(dataset.crs),
        transform=tuple(dataset.transform)[:6],
        nodata=dataset.nodata,
        driver=dataset.driver,
        gcps=tuple((point.row, point.col, point.x, point.y, point.z or 0.0) for point in gcps),
        gcps_crs=_crs_text(gcps_crs),
        rpcs=tuple(dataset.tags(ns="RPC").items()),
    )


def _names(dataset: Any, palette: NDArray[np.uint8] | None) -> tuple[str, ...]:
    if palette is not None:
        return ("red", "green", "blue")
    if any(dataset.descriptions):
        return tuple(name or "" for name in dataset.descriptions)
    return tuple(color.name if color in _NAMING else "" for color in dataset.colorinterp)


_NAMING = {
    *(ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.pan, ColorInterp.coastal),
    *(ColorInterp.rededge, ColorInterp.nir, ColorInterp.swir, ColorInterp.mwir, ColorInterp.lwir, ColorInterp.tir),
}


def _at_resolution(info: RasterInfo, resolution: float) -> tuple[RasterInfo, ResampledGrid | None]:
    size = pixel_metres(info)
    if size is None:
        raise InputError(info.path, "has no ground sampling: it has no CRS", "give it one, or leave out `resolution`")
    down, across = size
    if max(abs(down / resolution - 1), abs(across / resolution - 1)) <= _SAME:
        return replace(info, resolution=resolution), None
    height = max(1, round(info.height * down / resolution))
    width = max(1, round(info.width * across / resolution))
    tall, wide = info.height / height, info.width / width
    a, b, c, d, e, f = info.transform
    resampled = replace(
        info,
        height=height,
        width=width,
        transform=(a * wide, b * tall, c, d * wide, e * tall, f),
        resolution=resolution,
        gcps=tuple((row / tall, column / wide, x, y, z) for row, column, x, y, z in info.gcps),
    )
    return resampled, ResampledGrid((info.height, info.width), (height, width))


_SAME = 0.01  # metres of a projection are not quite metres on the ground: 0.04 % in UTM
_MOST_VALUES = 1 << 24  # read at once to be resampled: 64 MiB as they are summed


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
