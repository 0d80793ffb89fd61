"""What lies around a sheet, shown by the sheets beside it, without a seam and without a file."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from terrasift.raster.info import RasterInfo, Window
from terrasift.raster.reading import Raster
from terrasift.raster.virtual import GDAL_TYPES, add_band, virtual_raster

__all__ = ["Surrounded", "with_surroundings"]

_OFF_GRID = 0.05  # pixels that a neighbour's may lie beside the sheet's own


class Surrounded(NamedTuple):
    """A sheet with a margin of its neighbours."""

    path: str
    """A virtual raster (VRT) as text, which GDAL opens like a file."""
    inside: Window
    """Where in it the sheet lies."""
    others: tuple[str, ...]
    """Paths of the rasters that are seen beside the sheet."""


class _Placed(NamedTuple):
    """A raster, and where it lies on the sheet's grid: rows and columns may be negative."""

    info: RasterInfo
    window: Window
    shown: Window
    """The part of it that is seen, on the same grid."""


def with_surroundings(raster: Raster, others: Sequence[RasterInfo], margin: int) -> Surrounded | None:
    """A sheet with what its neighbours show beyond its edges.

    Parameters
    ----------
    raster
        The open sheet, on its own grid.
    others
        Rasters that may lie beside it. Those of another CRS, grid, type or number of bands do not count.
    margin
        Pixels that are to be seen beyond an edge. A side where neighbours do not show all of them stays as it is.

    Returns
    -------
    Surrounded or None
        None where no neighbour shows a whole side.
    """
    info = raster.info
    if not info.crs or raster.has_palette or _has_own_mask(info) or info.dtype not in GDAL_TYPES:
        return None
    reach = Window(-margin, -margin, info.height + 2 * margin, info.width + 2 * margin)
    near = [placed for placed in _placed(info, others) if placed.window.common(reach)]
    near = [placed for placed in near if not _has_palette(placed.info.path)]
    top, bottom, left, right = _shown_sides(info, near, margin)
    if not any((top, bottom, left, right)):
        return None
    whole = Window(-top, -left, top + info.height + bottom, left + info.width + right)
    sheet = Window(0, 0, info.height, info.width)
    beyond = list(_beyond(info, near, whole))
    seen = _virtual(info, whole, [*beyond, _Placed(info, sheet, sheet)])
    shown = dict.fromkeys(placed.info.path for placed in beyond)
    return Surrounded(seen, Window(top, left, info.height, info.width), tuple(shown))


def _placed(info: RasterInfo, others: Sequence[RasterInfo]) -> Iterator[_Placed]:
    a, b, c, d, e, f = info.transform
    for other in others:
        oa, ob, oc, od, oe, of = other.transform
        alike = (other.crs, other.dtype, other.bands, other.alpha) == (info.crs, info.dtype, info.bands, info.alpha)
        straight = not (b or d or ob or od) and np.allclose((oa, oe), (a, e), rtol=1e-6, atol=0)
        same_nodata = str(other.nodata) == str(info.nodata)  # NaN is not itself
        if other.path == info.path or not (alike and straight and same_nodata) or _has_own_mask(other):
            continue
        column, row = (oc - c) / a, (of - f) / e
        if abs(column - round(column)) <= _OFF_GRID and abs(row - round(row)) <= _OFF_GRID:
            window = Window(round(row), round(column), other.height, other.width)
            yield _Placed(other, window, window)


def _has_own_mask(info: RasterInfo) -> bool:
    """Whether a mask beside the values says which are valid: a virtual raster would lose it."""
    return info.may_be_invalid and info.nodata is None and not info.alpha and not info.dtype.startswith("float")


def _has_palette(path: str) -> bool:
    with Raster(path) as other:
        return other.has_palette


def _shown_sides(info: RasterInfo, near: Sequence[_Placed], margin: int) -> tuple[int, int, int, int]:
    """How many pixels are seen above, below, left and right of the sheet: none, or the margin; corners included."""
    height, width = info.height, info.width

    def shows(row: int, column: int, tall: int, wide: int) -> bool:
        asked = Window(row, column, tall, wide)
        covered = np.zeros((tall, wide), np.bool_)
        for placed in near:
            if part := placed.window.common(asked):
                covered[part.inside(asked).slices] = True
        return bool(covered.all())

    rows = {-margin: shows(-margin, 0, margin, width), height: shows(height, 0, margin, width)}

    def side(column: int) -> bool:
        corners = all(shows(row, column, margin, margin) for row, shown in rows.items() if shown)
        return corners and shows(0, column, height, margin)

    left, right = side(-margin), side(width)
    top, bottom = rows.values()
    return margin * top, margin * bottom, margin * left, margin * right


def _beyond(info: RasterInfo, near: Sequence[_Placed], whole: Window) -> Iterator[_Placed]:
    """Neighbours, and what they show of `whole`; none of it on the sheet: its own nodata stays nodata."""
    bottom, right = whole.row + whole.height, whole.column + whole.width
    around = [
        Window(whole.row, whole.column, -whole.row, whole.width),
        Window(info.height, whole.column, bottom - info.height, whole.width),
        Window(0, whole.column, info.height, -whole.column),
        Window(0, info.width, info.height, right - info.width),
    ]
    for placed in near:
        for part in around:
            if shown := placed.window.common(part):
                yield placed._replace(shown=shown)


def _virtual(info: RasterInfo, whole: Window, sources: Sequence[_Placed]) -> str:
    a, b, c, d, e, f = info.transform
    moved = (a, b, c + a * whole.column, d, e, f + e * whole.row)
    root = virtual_raster(whole.height, whole.width, info.crs, moved)
    names = [*info.descriptions, *(["alpha"] if info.alpha else [])]
    for number, name in enumerate(names, 1):
        band = add_band(root, number, name, info.dtype, info.nodata)
        if info.alpha and number == len(names):
            ElementTree.SubElement(band, "ColorInterp").text = "Alpha"
        for source in sources:
            part = ElementTree.SubElement(band, "SimpleSource")
            file = ElementTree.SubElement(part, "SourceFilename", relativeToVRT="0")
            file.text = str(Path(source.info.path).absolute())
            ElementTree.SubElement(part, "SourceBand").text = str(number)
            _rectangle(part, "SrcRect", source.shown.inside(source.window))
            _rectangle(part, "DstRect", source.shown.inside(whole))
    return ElementTree.tostring(root, encoding="unicode")


def _rectangle(source: ElementTree.Element, name: str, window: Window) -> None:
    places = {"xOff": window.column, "yOff": window.row, "xSize": window.width, "ySize": window.height}
    ElementTree.SubElement(source, name, {key: str(value) for key, value in places.items()})
