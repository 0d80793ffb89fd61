"""Rasters of one band each as the bands of one: a small file that refers to them."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from terrasift.errors import InputError
from terrasift.files import write_text
from terrasift.raster.info import RasterInfo
from terrasift.raster.reading import Raster
from terrasift.raster.virtual import add_band, number_text, virtual_raster

__all__ = ["write_stack"]


def write_stack(path: str | os.PathLike[str], planes: Mapping[str, str], where: str) -> Path:
    """Write a virtual raster (VRT) whose bands are rasters over the same ground, whole or not at all.

    Its grid is the finest of theirs; coarser ones are interpolated between their pixels' middles.

    Parameters
    ----------
    path
        ``.vrt``.
    planes
        Paths that GDAL opens, by the names of the bands, in their order. Each has one band.
    where
        What errors are about.

    Raises
    ------
    InputError
        If a raster cannot be opened, has more bands than one, or another type, CRS or ground than the first.
    """
    infos = {name: _info(plane) for name, plane in planes.items()}
    first_name, first = next(iter(infos.items()))
    for name, info in infos.items():
        if info.bands != 1:
            raise InputError(where, f"{name} has {info.bands} bands, where one is taken", "name others")
        for what, its, other in (("holds", info.dtype, first.dtype), ("lies in", info.crs, first.crs)):
            if its != other:
                raise InputError(where, f"{name} {what} {its or 'no CRS'}, but {first_name} {other or 'none'}", _MEND)
        if not _same_ground(info, first):
            raise InputError(where, f"{name} lies elsewhere than {first_name}", _MEND)
    finest = max(infos.values(), key=lambda info: info.width)
    placed = finest.transform if finest.grid.is_placed else None
    root = virtual_raster(finest.height, finest.width, finest.crs, placed)
    for number, (name, info) in enumerate(infos.items(), 1):
        _add_source(add_band(root, number, name, info.dtype, info.nodata), info, finest)
    ElementTree.indent(root)
    return write_text(path, ElementTree.tostring(root, encoding="unicode") + "\n")


_MEND = "name assets that are alike: `bands=[...]`"


def _info(path: str) -> RasterInfo:
    with Raster(path) as raster:
        return raster.info


def _same_ground(info: RasterInfo, other: RasterInfo) -> bool:
    """Whether the corners of two rasters lie less than half a pixel of the coarser one apart."""
    one, two = (
        np.reshape(each.transform, (2, 3)) @ [[0, each.width, 0], [0, 0, each.height], [1, 1, 1]]
        for each in (info, other)
    )
    pixel = max(abs(each.transform[0]) + abs(each.transform[1]) for each in (info, other))
    return bool(np.abs(one - two).max() <= pixel / 2)


def _add_source(band: ElementTree.Element, info: RasterInfo, grid: RasterInfo) -> None:
    is_own = (info.height, info.width) == (grid.height, grid.width)
    source = ElementTree.SubElement(band, "SimpleSource" if is_own else "ComplexSource")
    if not is_own:
        source.set("resampling", "bilinear")
    is_file = Path(info.path).exists()
    text = str(Path(info.path).absolute()) if is_file else info.path
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT="0").text = text
    ElementTree.SubElement(source, "SourceBand").text = "1"
    for name, each in (("SrcRect", info), ("DstRect", grid)):
        size = {"xSize": str(each.width), "ySize": str(each.height)}
        ElementTree.SubElement(source, name, {"xOff": "0", "yOff": "0"} | size)
    if not is_own and info.nodata is not None:
        ElementTree.SubElement(source, "NODATA").text = number_text(info.nodata)
