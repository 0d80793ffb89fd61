"""The raster attribute table of a class map, as GDAL keeps it beside the file and QGIS shows it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import NamedTuple

import numpy as np

from terrasift.legend import Legend
from terrasift.raster.class_areas import Ground

__all__ = ["attribute_table"]


def attribute_table(legend: Legend, ground: Ground) -> ElementTree.Element:
    """A row for each class: value, name, pixels, colour and, on Earth, hectares; an element of GDAL's ``.aux.xml``."""
    root = ElementTree.Element("GDALRasterAttributeTable", tableType="thematic")
    columns = [_VALUE, _NAME, _whole_numbers(ground), *_COLORS, *([_AREA] if ground.unit == "ha" else [])]
    for index, column in enumerate(columns):
        field = ElementTree.SubElement(root, "FieldDefn", index=str(index))
        for name, text in zip(("Name", "Type", "Usage"), column, strict=True):
            ElementTree.SubElement(field, name).text = str(text)
    for index, (name, color) in enumerate(zip(legend.names, legend.rgb.tolist(), strict=True)):
        row = ElementTree.SubElement(root, "Row", index=str(index))
        area = [f"{ground.area[index]:.10g}"] if ground.unit == "ha" else []
        for text in (index, name, ground.pixels[index], *color, *area):
            ElementTree.SubElement(row, "F").text = str(text)
    return root


class _Column(NamedTuple):
    name: str
    type: int
    usage: int


_INTEGER, _REAL, _STRING = 0, 1, 2  # GDALRATFieldType
# Usages are GDALRATFieldUsage: 0 generic, 1 pixel count, 2 name, 5 value, 6 to 8 red, green and blue.
_VALUE, _NAME = _Column("Value", _INTEGER, 5), _Column("Class", _STRING, 2)
_COLORS = [_Column("Red", _INTEGER, 6), _Column("Green", _INTEGER, 7), _Column("Blue", _INTEGER, 8)]
_AREA = _Column("Hectares", _REAL, 0)


def _whole_numbers(ground: Ground) -> _Column:
    fits = int(ground.pixels.max()) <= np.iinfo(np.int32).max  # all that GDAL's integers hold
    return _Column("Count", _INTEGER if fits else _REAL, 1)
