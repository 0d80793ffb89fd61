"""A class map's names and colours, as QGIS looks for them beside a file."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from terrasift.files import saying, write_text
from terrasift.legend import LandClass, Legend

__all__ = ["write_qgis_style"]


def write_qgis_style(path: str | os.PathLike[str], legend: Legend) -> Path:
    """Write the style that QGIS applies on opening a class map, or the polygons made from one.

    QGIS looks for one style by a file's name without its suffix. So the style of ``map.tif`` and of ``map.gpkg`` is the
    one ``map.qml``; it holds both: a palette for rasters, and a category for each value of the field ``class`` for
    polygons.

    Parameters
    ----------
    path
        The map, or the polygons.
    legend
        Names and colours of the classes, in the order of their indices.

    Returns
    -------
    Path
        The style beside `path`.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    target = Path(path).with_suffix(".qml")
    # Without a version QGIS would take it for a file of QGIS 0 and mend it.
    root = ElementTree.Element("qgis", version="3.28.0", styleCategories="Symbology")
    _add_palette(root, legend)
    _add_categories(root, legend)
    ElementTree.SubElement(root, "layerGeometryType").text = "2"  # polygons
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    with saying(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        return write_text(target, f"{_DOCTYPE}\n{text}\n")


_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"


def _add_palette(root: ElementTree.Element, legend: Legend) -> None:
    pipe = ElementTree.SubElement(root, "pipe")
    renderer = ElementTree.SubElement(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1", nodataColor=""
    )
    palette = ElementTree.SubElement(renderer, "colorPalette")
    for index, entry in enumerate(legend.classes):
        color = entry.color.lower()
        ElementTree.SubElement(palette, "paletteEntry", value=str(index), label=_label(entry), color=color, alpha="255")


def _add_categories(root: ElementTree.Element, legend: Legend) -> None:
    renderer = ElementTree.SubElement(root, "renderer-v2", type="categorizedSymbol", attr="class")
    categories = ElementTree.SubElement(renderer, "categories")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for index, (entry, color) in enumerate(zip(legend.classes, legend.rgb.tolist(), strict=True)):
        value = str(index)
        ElementTree.SubElement(
            categories, "category", value=value, type="long", symbol=value, label=_label(entry), render="true"
        )
        symbol = ElementTree.SubElement(symbols, "symbol", name=value, type="fill", alpha="1", clip_to_extent="1")
        layer = ElementTree.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "locked": "0"})
        options = ElementTree.SubElement(layer, "Option", type="Map")
        settings = {"color": ",".join(map(str, [*color, 255])), "style": "solid", "outline_style": "no"}
        for name, text in settings.items():
            ElementTree.SubElement(options, "Option", name=name, type="QString", value=text)


def _label(entry: LandClass) -> str:
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "\ufffd", entry.name)  # XML has no such
