"""Class maps, written window by window on a scene's own grid."""

from __future__ import annotations

import os
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.windows import Window as RasterioWindow

from terrasift.errors import InputError
from terrasift.legend import Legend
from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.reading import RasterInfo, Window

__all__ = ["ClassMapWriter", "check_map_path"]


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
        with gdal_errors(self.path, "cannot be written", "choose another folder"):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._dataset = rasterio.open(self._folder / "map.tif", "w", **profile)
            self._dataset.write_colormap(1, {i: (*color, 255) for i, color in enumerate(legend.rgb.tolist())})
            self._dataset.update_tags(**{f"CLASS_{i}": name for i, name in enumerate(legend.names)})
            self._dataset.set_band_description(1, "class")

    def write(self, labels: NDArray[Any], window: Window) -> None:
        """Write (H, W) class indices into a window."""
        area = RasterioWindow(window.column, window.row, window.width, window.height)
        with gdal_errors(self.path, "cannot be written", "check the disk"):
            self._dataset.write(labels.astype(self._legend.dtype), 1, window=area)

    def __enter__(self) -> ClassMapWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        try:
            with gdal_errors(self.path, "cannot be written", "check the disk"):
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


_PLAIN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


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
