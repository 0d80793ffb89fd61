"""What a class map looks like: a line, a table with a thumbnail, a drawing with its legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from terrasift.errors import some_of
from terrasift.legend.colours import distinct_colors, parse_color
from terrasift.notebook import html_table, picture, swatch
from terrasift.raster.areas import ground_sampling
from terrasift.raster.info import Window
from terrasift.raster.reading import Raster

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from terrasift.raster.class_map_reading import ClassMap

__all__ = ["map_html", "map_line", "plot_map", "thumbnail_of"]

_MOST_NAMES = 6


def map_line(found: ClassMap) -> str:
    """Path, size, and the names of its classes."""
    metres = ground_sampling(found.info)
    size = f"{found.info.width} x {found.info.height} pixels" + ("" if metres is None else f" of {metres:.3g} m")
    names = list(found.names.values())
    classes = [f"{len(names)} classes: {some_of(names, _MOST_NAMES)}"] if names else []
    return f"{found.path!r}: {'; '.join([size, *classes])}"


def map_html(found: ClassMap) -> str:
    """A thumbnail, and the classes with what they cover; of a large map, whose counting takes a while, their names."""
    shown = picture(_painted(found, found.thumbnail()), "the class map")
    title = f"Class map {map_line(found)}"
    if found.info.is_small:
        areas = found.areas()
        rows = [(swatch(_color(found, entry.value)), entry.name, f"{entry.area:,.4g}") for entry in areas.classes]
        table = html_table(title, rows, ("", "class", areas.unit))
    else:
        named = [(swatch(_color(found, value)), name) for value, name in sorted(found.names.items())]
        table = html_table(title, [*named, ("", "areas() counts what each covers")])
    return Markup("<div>{}{}</div>").format(shown, table)


def thumbnail_of(found: ClassMap, most: int) -> NDArray[Any]:
    """`ClassMap.thumbnail`."""
    side = max(found.info.height, found.info.width)
    with Raster(found.path) as raster:
        enough = [place for place, factor in enumerate(raster.overviews) if side // factor >= most]
    with Raster(found.path, overview=enough[-1] if enough else None) as raster:
        step = -(-max(raster.info.height, raster.info.width) // most)
        rows = [_row(raster, row, found.nodata)[::step] for row in range(0, raster.info.height, step)]
    return np.stack(rows)


def _row(raster: Raster, row: int, nodata: int) -> NDArray[Any]:
    labels, valid = raster.read_indices(Window(row, 0, 1, raster.info.width))
    labels[~valid] = nodata
    return np.asarray(labels[0])


def plot_map(found: ClassMap, axes: Axes, most: int) -> Axes:
    """`ClassMap.plot`."""
    from matplotlib.patches import Patch

    labels = found.thumbnail(most)
    axes.imshow(_painted(found, labels), extent=_extent(found), interpolation="nearest")
    present = [int(value) for value in np.unique(labels) if value != found.nodata]
    patches = [Patch(color=_color(found, value), label=found.name(value)) for value in present]
    axes.legend(handles=patches, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return axes


def _extent(found: ClassMap) -> tuple[float, float, float, float] | None:
    """Left, right, bottom and top, where rows and columns run along the axes of the CRS."""
    a, b, c, d, e, f = found.info.transform
    if b or d or not found.info.grid.is_placed:
        return None
    return (c, c + a * found.info.width, f + e * found.info.height, f)


def _painted(found: ClassMap, labels: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W, 3), white where there is no class."""
    palette = np.full((np.iinfo(found.dtype).max + 1, 3), 255, np.uint8)
    for value in np.unique(labels).tolist():
        if value != found.nodata:
            palette[value] = parse_color(_color(found, value))
    painted: NDArray[np.uint8] = palette[labels]
    return painted


def _color(found: ClassMap, value: int) -> str:
    """The map's own, or one of many where it has none."""
    return found.colors[value] if value in found.colors else distinct_colors(value + 1)[value]
