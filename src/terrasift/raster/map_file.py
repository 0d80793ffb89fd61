"""One raster of a map: filled in a folder from windows, then put where it belongs."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.windows import Window as RasterioWindow

from terrasift.errors import InputError
from terrasift.legend import Legend
from terrasift.raster.areas import row_areas
from terrasift.raster.attributes import attribute_table
from terrasift.raster.class_areas import Ground
from terrasift.raster.class_map_reading import ClassMap
from terrasift.raster.gdal_errors import check_room, copy_raster, new_raster, open_raster
from terrasift.raster.grid import PLAIN
from terrasift.raster.info import RasterInfo, Window
from terrasift.raster.sieve import sieve

__all__ = ["MapFile", "check_map_path", "is_soon_counted", "job_of_map", "sidecar_of"]


@dataclass(frozen=True)
class MapFile:
    """One band on a scene's grid: a Cloud Optimized GeoTIFF or a PNG, as its name says.

    Attributes
    ----------
    path
        Where it goes.
    like
        The scene.
    dtype, nodata, description
        Of the band.
    legend
        Gives colours and names to the values; None for values that are no classes.
    min_pixels
        Smaller regions of one value go to the largest beside them.
    """

    path: Path
    like: RasterInfo
    dtype: np.dtype[Any]
    nodata: int
    description: str
    legend: Legend | None = None
    min_pixels: int = 0

    def fill(self, folder: Path, windows: Iterable[tuple[Window, NDArray[Any]]], job: str) -> None:
        """Make the whole file in a folder, from windows that cover it; `job` is kept in its sidecar."""
        draft = folder / "draft"
        with new_raster(draft, **self.profile) as dataset:
            if self.legend is not None:
                colors = {index: (*color, 255) for index, color in enumerate(self.legend.rgb.tolist())}
                dataset.write_colormap(1, colors)
                dataset.update_tags(**{f"CLASS_{i}": name for i, name in enumerate(self.legend.names)})
            dataset.update_tags(ns="RPC", **dict(self.like.rpcs))
            dataset.set_band_description(1, self.description)
            for window, values in windows:
                dataset.write(values, 1, window=RasterioWindow(window.column, window.row, window.width, window.height))
        if self.min_pixels > 1:
            with open_raster(draft, "r+") as dataset:
                dataset.write(sieve(dataset.read(1), self.min_pixels, self.nodata), 1)
            check_room(draft)
        table = self._attributes(draft) if self.legend is not None else None
        driver, whole = check_map_path(self.path), self._whole(folder)
        sidecar_of(whole).unlink(missing_ok=True)  # of a process that was killed when it had filled the file
        options = dict(_OPTIONS[driver])
        if driver == "COG":
            options["overview_resampling"] = "mode" if self.legend is not None else "average"
        copy_raster(draft, whole, driver, **options)
        draft.unlink()
        _describe(sidecar_of(whole), self.legend.names if self.legend is not None else (), job, table)

    def _attributes(self, draft: Path) -> ElementTree.Element:
        assert self.legend is not None
        with ClassMap(draft) as opened:
            try:
                rows = row_areas(opened.info)
            except InputError:  # areas cannot be measured on this grid
                rows = None
            ground = Ground(opened.dtype, rows)
            for strip, labels in opened:
                ground.add(labels, strip)
        return attribute_table(self.legend, ground)

    def publish(self, folder: Path) -> None:
        """Put the file that `fill` made in its place."""
        whole = self._whole(folder)
        sidecar_of(self.path).unlink(missing_ok=True)  # first: it must not say of a new map what was true of an old one
        whole.replace(self.path)
        sidecar_of(whole).replace(sidecar_of(self.path))
        for stale in (".ovr", ".msk"):  # of an older map of this name: GDAL would show them for the new one
            Path(f"{self.path}{stale}").unlink(missing_ok=True)

    def _whole(self, folder: Path) -> Path:
        return folder / self.path.name

    @property
    def profile(self) -> dict[str, Any]:
        """What rasterio is told of the draft: the scene's grid."""
        profile = {
            "driver": "GTiff",
            "height": self.like.height,
            "width": self.like.width,
            "count": 1,
            "dtype": self.dtype.name,
            "nodata": self.nodata,
            "tiled": True,
            "blockxsize": 256,
            "blockysize": 256,
            "compress": "deflate",
            "zlevel": 1,  # it is copied once
            "bigtiff": "if_safer",
        }
        if self.like.gcps and self.like.transform == PLAIN:
            points = [GroundControlPoint(*point) for point in self.like.gcps]
            profile |= {"crs": self.like.gcps_crs or None, "gcps": points}
        elif self.like.crs or self.like.transform != PLAIN:
            profile |= {"crs": self.like.crs or None, "transform": rasterio.Affine(*self.like.transform)}
        return profile


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
    sidecar = sidecar_of(Path(path))
    if not Path(path).exists() or not sidecar.exists():
        return ""
    try:
        return ElementTree.parse(sidecar).getroot().findtext(f"Metadata[@domain='{_DOMAIN}']/MDI", "")
    except ElementTree.ParseError:
        return ""


def is_soon_counted(path: str | os.PathLike[str]) -> bool:
    """Whether this is a class map that `terrasift predict` wrote, small enough to be counted at once."""
    if Path(path).suffix.lower() not in (".tif", ".tiff", ".png") or not job_of_map(path):
        return False
    with ClassMap(path) as opened:
        return opened.info.is_small


_DOMAIN = "TERRASIFT"
_OPTIONS: dict[str, dict[str, Any]] = {
    # zstd would save a tenth, but not every GIS reads it.
    "COG": {"compress": "deflate", "blocksize": 256, "bigtiff": "if_safer"},
    "PNG": {},
}


def sidecar_of(path: Path) -> Path:
    """Where GDAL keeps what a format has no place for."""
    return Path(f"{path}.aux.xml")


def _describe(sidecar: Path, names: Sequence[str], job: str, table: ElementTree.Element | None) -> None:
    # rasterio cannot set a band's category names or attribute table; GDAL reads them from this file beside the raster.
    # The job is here rather than in the map, whose bytes thereby depend on nothing but what it shows.
    root = ElementTree.parse(sidecar).getroot() if sidecar.exists() else ElementTree.Element("PAMDataset")
    if job:
        ElementTree.SubElement(ElementTree.SubElement(root, "Metadata", domain=_DOMAIN), "MDI", key="JOB").text = job
    if names:
        band = root.find("PAMRasterBand")
        if band is None:
            band = ElementTree.SubElement(root, "PAMRasterBand", band="1")
        categories = ElementTree.SubElement(band, "CategoryNames")
        for name in names:
            ElementTree.SubElement(categories, "Category").text = name
        if table is not None:
            band.append(table)
    ElementTree.ElementTree(root).write(sidecar, encoding="utf-8")
