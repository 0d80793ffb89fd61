"""Every raster read and write. Nothing else in the project touches rasterio."""

from __future__ import annotations

import os
import shutil
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window as RasterioWindow

from terrasift.errors import InputError
from terrasift.legend import IGNORE, Legend

__all__ = ["ClassMapWriter", "Raster", "RasterInfo", "Window", "check_map_path", "read_labels", "write_image"]


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
        Any path GDAL opens.

    Raises
    ------
    InputError
        If GDAL cannot open it, or if its values are of a kind that is no image.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = str(path)
        with _rasterio_errors(self.path, "is not a raster that can be opened"):
            self._dataset = rasterio.open(self.path)
        try:
            self._palette = _palette(self._dataset)
            self.info = _info(self.path, self._dataset, self._palette)
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
        with _rasterio_errors(self.path, "cannot be read: the file is damaged"):
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
        with _rasterio_errors(self.path, "cannot be read: the file is damaged"):
            values = self._dataset.read([1], window=area)
            return values[0], self._validity(values, [1], area)

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


class ClassMapWriter:
    """Writes a class map window by window on a scene's own grid; the file appears when it is whole.

    A GeoTIFF is tiled and compressed and carries the scene's CRS and transform, a colour table, class names and the
    nodata value; a PNG (`.png`) carries what PNG can.

    Parameters
    ----------
    path
        ``.tif``, ``.tiff`` or ``.png``.
    like
        The scene whose grid it takes.
    legend
        Names and colours of the classes.

    Raises
    ------
    InputError
        If the file cannot be written, or cannot hold so many classes.
    """

    def __init__(self, path: str | os.PathLike[str], like: RasterInfo, legend: Legend) -> None:
        self.path = Path(path)
        self._driver = check_map_path(self.path)
        if self._driver == "PNG" and legend.dtype != np.uint8:
            raise InputError(path, f"cannot hold {len(legend.classes)} classes in colour", "end the name in .tif")
        self._legend = legend
        self._folder = self.path.with_name(f".{self.path.name}.partial")
        profile = {
            "driver": "GTiff",
            "height": like.height,
            "width": like.width,
            "count": 1,
            "dtype": legend.dtype.name,
            "nodata": legend.nodata,
            "tiled": True,
            "blockxsize": 256,
            "blockysize": 256,
            "compress": "deflate",
            "bigtiff": "if_safer",
        }
        if like.crs or like.transform != _PLAIN:
            profile |= {"crs": like.crs or None, "transform": rasterio.Affine(*like.transform)}
        with _rasterio_errors(self.path, "cannot be written", "choose another folder"):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._dataset = rasterio.open(self._folder / "map.tif", "w", **profile)
            self._dataset.write_colormap(1, {i: (*color, 255) for i, color in enumerate(legend.rgb.tolist())})
            self._dataset.update_tags(**{f"CLASS_{i}": name for i, name in enumerate(legend.names)})
            self._dataset.set_band_description(1, "class")

    def write(self, labels: NDArray[Any], window: Window) -> None:
        """Write (H, W) class indices into a window."""
        area = RasterioWindow(window.column, window.row, window.width, window.height)
        with _rasterio_errors(self.path, "cannot be written", "check the disk"):
            self._dataset.write(labels.astype(self._legend.dtype), 1, window=area)

    def __enter__(self) -> ClassMapWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        try:
            with _rasterio_errors(self.path, "cannot be written", "check the disk"):
                self._dataset.close()
                if kind is None:
                    self._finish()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _finish(self) -> None:
        whole = self._folder / "map.tif"
        if self._driver == "PNG":
            whole = self._folder / "map.png"
            rasterio.shutil.copy(self._folder / "map.tif", whole, driver="PNG")
        sidecar = Path(f"{whole}.aux.xml")
        _add_category_names(sidecar, self._legend.names)
        whole.replace(self.path)
        sidecar.replace(f"{self.path}.aux.xml")
        for stale in (".ovr", ".msk"):  # of an older map of this name: GDAL would show them for the new one
            Path(f"{self.path}{stale}").unlink(missing_ok=True)


def check_map_path(path: str | os.PathLike[str]) -> str:
    """GDAL's driver for a class map of this name.

    Raises
    ------
    InputError
        If the suffix is not one that class maps are written in.
    """
    drivers = {".tif": "GTiff", ".tiff": "GTiff", ".png": "PNG"}
    suffix = Path(path).suffix.lower()
    if suffix not in drivers:
        raise InputError(path, f"a class map cannot be written as {suffix!r}", "end the name in .tif or .png")
    return drivers[suffix]


def read_labels(path: str | os.PathLike[str], legend: Legend) -> NDArray[np.uint8]:
    """Class indices of a mask, (H, W) uint8, `IGNORE` where a pixel counts nowhere.

    A mask is an image painted in the legend's colours (three bands, or a palette), or one band of class indices
    without a palette. Nodata, 255, and colours listed under the legend's `ignore` count nowhere.

    Raises
    ------
    InputError
        If it holds a colour or an index that the legend does not name.
    """
    if len(legend.classes) > IGNORE:
        raise InputError("classes", f"are {len(legend.classes)}", f"masks can tell at most {IGNORE} apart")
    with Raster(path) as raster:
        if raster.has_palette or raster.info.bands >= 3:
            values, valid = raster.read(bands=(1, 2, 3))
            if values.dtype != np.uint8:
                raise InputError(path, f"is a colour mask of {values.dtype}", "save its colours as uint8")
            labels = np.full(valid.shape, IGNORE, np.uint8)
            labels[valid] = legend.indices(values[valid], path)
            return labels
        values, valid = raster.read(bands=(1,))
    return _checked_indices(path, values[:, :, 0], valid, len(legend.classes))


def write_image(
    path: str | os.PathLike[str], array: NDArray[Any], *, crs: str = "", transform: Sequence[float] = ()
) -> None:
    """Write (H, W) or (H, W, bands) as the suffix says (``.tif``, ``.png``, ``.jpg``), whole or not at all.

    Parameters
    ----------
    path
        The file.
    array
        Values in the dtype to be stored.
    crs, transform
        Coordinate reference system (say ``EPSG:32633``) and the six coefficients of the geotransform
        (a, b, c, d, e, f); leave out for plain images.
    """
    path = Path(path)
    bands = array[:, :, None] if array.ndim == 2 else array
    profile: dict[str, Any] = {"height": bands.shape[0], "width": bands.shape[1], "count": bands.shape[2]}
    profile |= {"dtype": bands.dtype.name, "driver": rasterio.drivers.driver_from_extension(path)}
    if crs:
        profile |= {"crs": crs, "transform": rasterio.Affine(*transform)}
    if profile["driver"] == "GTiff":
        profile |= {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
        profile |= {"alpha": "unspecified"}  # GDAL takes a fourth uint8 band for alpha otherwise
    partial = path.with_name(f".partial.{path.name}")
    with _rasterio_errors(path, "cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.open(partial, "w", **profile) as dataset:
            dataset.write(np.moveaxis(bands, 2, 0))
        partial.replace(path)


_PLAIN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def _checked_indices(path: object, values: NDArray[Any], valid: NDArray[np.bool_], classes: int) -> NDArray[np.uint8]:
    if values.dtype.kind == "f" and not np.array_equal(values[valid], np.round(values[valid])):
        raise InputError(path, "holds fractions, not class indices", "save the mask as integers")
    valid = valid & (values != IGNORE) & (values != 65535)
    wrong = np.unique(values[valid & ((values < 0) | (values >= classes))])
    if len(wrong):
        listed = ", ".join(f"{value:g}" for value in wrong[:8].tolist())
        raise InputError(
            path,
            f"holds class indices that the classes file does not name: {listed}",
            f"use 0 to {classes - 1}, and {IGNORE} for pixels to ignore",
        )
    return np.where(valid, values, IGNORE).astype(np.uint8)


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


def _add_category_names(sidecar: Path, names: Sequence[str]) -> None:
    # rasterio cannot set a band's category names; GDAL reads them from this file beside the raster.
    root = ElementTree.parse(sidecar).getroot() if sidecar.exists() else ElementTree.Element("PAMDataset")
    band = root.find("PAMRasterBand")
    if band is None:
        band = ElementTree.SubElement(root, "PAMRasterBand", band="1")
    categories = ElementTree.SubElement(band, "CategoryNames")
    for name in names:
        ElementTree.SubElement(categories, "Category").text = name
    ElementTree.ElementTree(root).write(sidecar, encoding="utf-8")


@contextmanager
def _rasterio_errors(path: object, what: str, mend: str = "check the file") -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # plain images are welcome here
            yield
    except (RasterioError, CPLE_BaseError, OSError) as error:
        if not str(path).startswith("/vsi") and not Path(str(path)).exists() and "opened" in what:
            raise InputError(path, "does not exist", "check the path") from error
        reason = str(error.__cause__ or error).replace(f"{path}: ", "").rstrip(".")
        raise InputError(path, f"{what} ({reason})", mend) from error
