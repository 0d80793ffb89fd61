"""Colours that can be told apart."""

from __future__ import annotations

import colorsys
import itertools
import math
import re
from collections.abc import Collection, Iterable, Iterator

__all__ = ["class_colors", "distinct_colors", "is_automatic", "named_color", "parse_color"]

# M. A. Petroff, "Accessible color sequences for data visualization", arXiv:2107.02270: ten colours.
_ACCESSIBLE = (
    "#3F90DA", "#FFA90E", "#BD1F01", "#94A4A2", "#832DB6", "#A96B59", "#E76300", "#B9AC70", "#717581", "#92DADD",
)  # fmt: skip


# What maps of land cover mostly draw things in, and other shades for a second class of the kind. page/src/colors.js has
# the same.
_KINDS = (
    ("#2B7BBA water sea ocean river lake stream canal pond pool wasser meer fluss see", "#5AA6DB", "#17517F"),
    ("#1F7A3D tree forest wood woodland shrub bush baum wald", "#12522A", "#4E9E62"),
    (
        "#6FB646 vegetation grass meadow lawn field crop cropland pasture park garden green wiese gras",
        "#A3CF6B",
        "#4B8A2B",
    ),
    ("#C4452F building roof house urban city settlement dach haus", "#E07B5F", "#8E2A1B"),
    ("#7D8790 road street asphalt pavement paved parking highway impervious strasse weg", "#A9B1B8", "#565E66"),
    ("#D8B26A sand beach soil earth bare ground land desert dirt boden", "#B98B4A", "#EBD39B"),
    ("#8C6D5A rock stone gravel quarry cliff fels", "#B39B8B", "#634A3B"),
    ("#F2C400 car vehicle truck boat ship auto", "#D49B00", "#FFE066"),
    ("#DCEBF5 snow ice glacier cloud schnee eis", "#B8D3E6", "#F2F8FC"),
    ("#2A2F3A shadow dark shade schatten", "#474E5C", "#14171D"),
    ("#5B8C85 wetland marsh swamp bog mangrove moor", "#86B3AC", "#3A625C"),
)


def class_colors(count: int, taken: Collection[str] = ()) -> list[str]:
    """Colours for classes, none of them one of `taken`.

    The first ten are told apart with deficient colour vision too (Petroff 2021); beyond, they are merely distinct.
    """
    colors = itertools.chain(_ACCESSIBLE, (_spread_color(index) for index in itertools.count()))
    return _first(count, colors, taken)


def distinct_colors(count: int) -> list[str]:
    """Any number of colours, hues evenly spread."""
    return _first(count, (_spread_color(index) for index in itertools.count()), ())


def named_color(name: str, taken: Collection[str] = ()) -> str | None:
    """The colour that a class's name stands for, none of `taken`; None where it stands for none."""
    for word in re.findall(r"[^\W\d_]+", name.lower()):
        for first, *others in _KINDS:
            color, *words = first.split()
            if word in words or word.removesuffix("s") in words:
                return next((shade for shade in (color, *others) if shade not in taken), None)
    return None


def is_automatic(color: str, clusters: Iterable[int]) -> bool:
    """Whether nobody has chosen a class's colour: it is that of one of its clusters, or one of the first ten."""
    return color in _ACCESSIBLE or any(color == _spread_color(cluster) for cluster in clusters)


def parse_color(color: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of ``#RRGGBB``."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _first(count: int, colors: Iterator[str], taken: Collection[str]) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        color = next(colors)
        if color not in taken:
            found[color] = None
    return list(found)


def _spread_color(index: int) -> str:
    hue = (index * 0.618033988749895) % 1.0  # the golden ratio spreads any number of hues evenly
    lightness = (0.45, 0.62, 0.33)[index % 3]
    saturation = 0.65 + 0.3 * math.sin(index // 256)  # hues come close to one another after some hundreds
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return f"#{round(red * 255):02X}{round(green * 255):02X}{round(blue * 255):02X}"
