"""Many class maps as one: a small file that refers to them."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from terrasift.errors import InputError
from terrasift.files import write_text
from terrasift.legend import Legend
from terrasift.raster.info import RasterInfo
from terrasift.raster.reading import Raster
from terrasift.raster.virtual import GDAL_TYPES

__all__ = ["write_mosaic"]


def write_mosaic(maps: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str], legend: Legend) -> Path:
    """Write a virtual raster (VRT) that shows class maps of one legend side by side, whole or not at all.

    Its grid has the smallest pixels of all maps. Where maps overlap, a later one hides an earlier one, except for its
    nodata. Maps are named relative to `out`, so that the folder can be moved.

    Parameters
    ----------
    maps
        GeoTIFFs that `ClassMapWriter` wrote: of one CRS, north up.
    out
        ``.vrt``.
    legend
        Gives colours and names.

    Raises
    ------
    InputError
        If a map has no CRS, another one than the first, or is rotated.
    """
    infos = [_info(path) for path in maps]
    for info in infos:
        _check(info, infos[0])
    left, top = min(info.transform[2] for info in infos), max(info.transform[5] for info in infos)
    right = max(info.transform[2] + info.width * info.transform[0] for info in infos)
    bottom = min(info.transform[5] + info.height * info.transform[4] for info in infos)
    across, down = min(info.transform[0] for info in infos), max(info.transform[4] for info in infos)
    width, height = round((right - left) / across), round((bottom - top) / down)
    root = ElementTree.Element("VRTDataset", rasterXSize=str(width), rasterYSize=str(height))
    ElementTree.SubElement(root, "SRS").text = infos[0].crs
    ElementTree.SubElement(root, "GeoTransform").text = f"{left!r}, {across!r}, 0, {top!r}, 0, {down!r}"
    tags = ElementTree.SubElement(root, "Metadata")
    for index, name in enumerate(legend.names):
        ElementTree.SubElement(tags, "MDI", key=f"CLASS_{index}").text = name
    band = ElementTree.SubElement(root, "VRTRasterBand", dataType=GDAL_TYPES[legend.dtype.name], band="1")
    ElementTree.SubElement(band, "Description").text = "class"
    ElementTree.SubElement(band, "NoDataValue").text = str(legend.nodata)
    ElementTree.SubElement(band, "ColorInterp").text = "Palette"
    _describe(band, legend)
    for info in infos:
        source = ElementTree.SubElement(band, "ComplexSource", resampling="nearest")
        path = os.path.relpath(info.path, Path(out).parent)
        ElementTree.SubElement(source, "SourceFilename", relativeToVRT="1").text = Path(path).as_posix()
        ElementTree.SubElement(source, "SourceBand").text = "1"
        _rectangle(source, "SrcRect", 0, 0, info.width, info.height)
        column, row = (info.transform[2] - left) / across, (info.transform[5] - top) / down
        _rectangle(
            source,
            "DstRect",
            column,
            row,
            info.width * info.transform[0] / across,
            info.height * info.transform[4] / down,
        )
        ElementTree.SubElement(source, "NODATA").text = str(legend.nodata)
    ElementTree.indent(root)
    write_text(out, ElementTree.tostring(root, encoding="unicode") + "\n")
    return Path(out)


def _info(path: str | os.PathLike[str]) -> RasterInfo:
    with Raster(path) as raster:
        return raster.info


def _check(info: RasterInfo, first: RasterInfo) -> None:
    if not info.crs:
        raise InputError(info.path, "has no CRS: nobody knows where it lies beside the others")
    if info.crs != first.crs:
        raise InputError(info.path, f"has another CRS than {first.path}")
    a, b, _, d, e, _ = info.transform
    if b or d or a <= 0 or e >= 0:
        raise InputError(info.path, "does not lie north up")


def _describe(band: ElementTree.Element, legend: Legend) -> None:
    names = ElementTree.SubElement(band, "CategoryNames")
    table = ElementTree.SubElement(band, "ColorTable")
    for name, (red, green, blue) in zip(legend.names, legend.rgb.tolist(), strict=True):
        ElementTree.SubElement(names, "Category").text = name
        ElementTree.SubElement(table, "Entry", c1=str(red), c2=str(green), c3=str(blue), c4="255")


def _rectangle(source: ElementTree.Element, name: str, column: float, row: float, width: float, height: float) -> None:
    places = {"xOff": column, "yOff": row, "xSize": width, "ySize": height}
    ElementTree.SubElement(source, name, {key: f"{value:.9g}" for key, value in places.items()})
