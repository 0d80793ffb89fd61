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
from terrasift.raster.window_log import WindowLog

__all__ = ["ClassMapWriter", "check_map_path", "job_of_map"]


class ClassMapWriter:
    """Writes a class map window by window on a scene's own grid; the file appears when it is whole.

    A GeoTIFF is a Cloud Optimized one, with overviews by majority, and carries the scene's CRS and transform, a colour
    table, class names and the nodata value; a PNG (`.png`) carries what PNG can. Windows are kept in a hidden folder
    beside the file until all are there; one that overlaps an earlier one replaces it there.

    Parameters
    ----------
    path
        ``.tif``, ``.tiff`` or ``.png``.
    like
        The scene whose grid it takes.
    legend
        Names and colours of the classes.
    job
        Names what makes this map, in one line without spaces. A named job that is killed or interrupted keeps its
        windows; without a name, nothing is left of it but what a kill leaves.
    resume
        Go on with the windows that the same job has left, if it has left any.

    Attributes
    ----------
    done
        Windows that the job had written before.
    holds_data
        Whether any pixel of those has a class.

    Raises
    ------
    InputError
        If the file cannot be written, cannot hold so many classes, or if another job has left windows to resume.
    """

    def __init__(
        self, path: str | os.PathLike[str], like: RasterInfo, legend: Legend, job: str = "", *, resume: bool = False
    ) -> None:
        self.path = Path(path)
        self._driver = check_map_path(self.path)
        if self._driver == "PNG" and legend.dtype != np.uint8:
            raise InputError(path, f"cannot hold {len(legend.classes)} classes in colour", "end the name in .tif")
        self._legend = legend
        self._job = job
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
            "zlevel": 1,  # it is copied once
            "bigtiff": "if_safer",
        }
        if like.crs or like.transform != _PLAIN:
            profile |= {"crs": like.crs or None, "transform": rasterio.Affine(*like.transform)}
        with gdal_errors(self.path, "cannot be written", "choose another folder"):
            log = self._folder / "windows"
            begun = WindowLog.job_of(log) if resume else ""
            if begun and begun != job:
                raise InputError(
                    path, "was begun with another run, scene or setting", "leave out --resume to begin it anew"
                )
            if not begun:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            self._log = WindowLog(log, job, legend.dtype)
            earlier = [(window, bool((labels != legend.nodata).any())) for window, labels in self._log.windows()]
            self._dataset = rasterio.open(self._folder / "map.tif", "w", **profile)
            self._dataset.write_colormap(1, {i: (*color, 255) for i, color in enumerate(legend.rgb.tolist())})
            self._dataset.update_tags(**{f"CLASS_{i}": name for i, name in enumerate(legend.names)})
            self._dataset.set_band_description(1, "class")
        self.done = frozenset(window for window, _ in earlier)
        self.holds_data = any(holds for _, holds in earlier)

    def write(self, labels: NDArray[Any], window: Window) -> None:
        """Write (H, W) class indices into a window; a thread other than the one that made the writer may."""
        try:
            self._log.append(labels, window)
        except OSError as error:
            raise InputError(self.path, f"cannot be written ({error.strerror})", "check the disk") from error

    def __enter__(self) -> ClassMapWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        failed = kind is not None and issubclass(kind, Exception)
        finished = False
        try:
            if kind is None:
                with gdal_errors(self.path, "cannot be written", "check the disk"):
                    self._finish()
                finished = True
        except Exception:
            failed = True
            raise
        finally:
            self._dataset.close()
            self._log.close()
            if failed or finished or not self._job:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _finish(self) -> None:
        for window, labels in self._log.windows():
            area = RasterioWindow(window.column, window.row, window.width, window.height)
            self._dataset.write(labels, 1, window=area)
        self._dataset.close()
        whole = self._folder / f"whole{self.path.suffix}"
        rasterio.shutil.copy(self._folder / "map.tif", whole, driver=self._driver, **_OPTIONS[self._driver])
        sidecar = _sidecar(whole)
        _describe(sidecar, self._legend.names, self._job)
        whole.replace(self.path)
        sidecar.replace(_sidecar(self.path))
        for stale in (".ovr", ".msk"):  # of an older map of this name: GDAL would show them for the new one
            Path(f"{self.path}{stale}").unlink(missing_ok=True)


def check_map_path(path: str | os.PathLike[str]) -> str:
    """GDAL's driver for a class map of this name.

    Raises
    ------
    InputError
        If the suffix is not one that class maps are written in.
    """
    drivers = {".tif": "COG", ".tiff": "COG", ".png": "PNG"}
    suffix = Path(path).suffix.lower()
    if suffix not in drivers:
        raise InputError(path, f"a class map cannot be written as {suffix!r}", "end the name in .tif or .png")
    return drivers[suffix]


def job_of_map(path: str | os.PathLike[str]) -> str:
    """The job that wrote a class map; "" where there is no map, or where its job had no name."""
    sidecar = _sidecar(Path(path))
    if not Path(path).exists() or not sidecar.exists():
        return ""
    try:
        return ElementTree.parse(sidecar).getroot().findtext(f"Metadata[@domain='{_DOMAIN}']/MDI", "")
    except ElementTree.ParseError:
        return ""


_PLAIN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_DOMAIN = "TERRASIFT"
_OPTIONS: dict[str, dict[str, Any]] = {
    # zstd would save a tenth, but not every GIS reads it.
    "COG": {"compress": "deflate", "blocksize": 256, "overview_resampling": "mode", "bigtiff": "if_safer"},
    "PNG": {},
}


def _sidecar(path: Path) -> Path:
    return Path(f"{path}.aux.xml")


def _describe(sidecar: Path, names: Sequence[str], job: str) -> None:
    # rasterio cannot set a band's category names; GDAL reads them from this file beside the raster. The job is here
    # rather than in the map, whose bytes thereby depend on nothing but what it shows.
    root = ElementTree.parse(sidecar).getroot() if sidecar.exists() else ElementTree.Element("PAMDataset")
    if job:
        ElementTree.SubElement(ElementTree.SubElement(root, "Metadata", domain=_DOMAIN), "MDI", key="JOB").text = job
    band = root.find("PAMRasterBand")
    if band is None:
        band = ElementTree.SubElement(root, "PAMRasterBand", band="1")
    categories = ElementTree.SubElement(band, "CategoryNames")
    for name in names:
        ElementTree.SubElement(categories, "Category").text = name
    ElementTree.ElementTree(root).write(sidecar, encoding="utf-8")
