"""The words of GDAL's virtual rasters (VRT), for all that write one."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

__all__ = ["GDAL_TYPES", "add_band", "number_text", "virtual_raster"]

GDAL_TYPES = {
    "uint8": "Byte",
    "int8": "Int8",
    "uint16": "UInt16",
    "int16": "Int16",
    "uint32": "UInt32",
    "int32": "Int32",
    "uint64": "UInt64",
    "int64": "Int64",
    "float16": "Float16",
    "float32": "Float32",
    "float64": "Float64",
}
"""What GDAL calls the types of pixels; 64 bits from 3.5 on, `float16` from 3.11 on."""


def virtual_raster(height: int, width: int, crs: str, transform: Sequence[float] | None) -> ElementTree.Element:
    """A virtual raster without bands; `transform` is affine, as `RasterInfo` has it, None where there is none."""
    root = ElementTree.Element("VRTDataset", rasterXSize=str(width), rasterYSize=str(height))
    if crs:
        ElementTree.SubElement(root, "SRS").text = crs
    if transform is not None:
        a, b, c, d, e, f = transform
        ElementTree.SubElement(root, "GeoTransform").text = ", ".join(map(repr, (c, a, b, f, d, e)))
    return root


def add_band(
    root: ElementTree.Element, number: int, name: str, dtype: str, nodata: float | None
) -> ElementTree.Element:
    """One more band of a virtual raster, for sources to be added to."""
    band = ElementTree.SubElement(root, "VRTRasterBand", dataType=GDAL_TYPES[dtype], band=str(number))
    ElementTree.SubElement(band, "Description").text = name
    if nodata is not None:
        ElementTree.SubElement(band, "NoDataValue").text = number_text(nodata)
    return band


def number_text(value: float) -> str:
    """All digits of a whole number: where pixels have 64 bits, GDAL reads no exponent."""
    return str(int(value)) if float(value).is_integer() else repr(value)
