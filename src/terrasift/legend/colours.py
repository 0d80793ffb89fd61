"""Colours that can be told apart."""

from __future__ import annotations

import colorsys
import itertools
import math
from collections.abc import Collection, Iterator

__all__ = ["class_colors", "distinct_colors", "parse_color"]

# M. A. Petroff, "Accessible color sequences for data visualization", arXiv:2107.02270: ten colours.
_ACCESSIBLE = (
    "#3F90DA", "#FFA90E", "#BD1F01", "#94A4A2", "#832DB6", "#A96B59", "#E76300", "#B9AC70", "#717581", "#92DADD",
)  # fmt: skip


def class_colors(count: int, taken: Collection[str] = ()) -> list[str]:
    """Colours for classes, none of them one of `taken`.

    The first ten are told apart with deficient colour vision too (Petroff 2021); beyond, they are merely distinct.
    """
    colors = itertools.chain(_ACCESSIBLE, (_spread_color(index) for index in itertools.count()))
    return _first(count, colors, taken)


def distinct_colors(count: int) -> list[str]:
    """Any number of colours, hues evenly spread."""
    return _first(count, (_spread_color(index) for index in itertools.count()), ())


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
