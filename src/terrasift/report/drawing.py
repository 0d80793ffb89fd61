"""What is drawn pixel by pixel: images as a network sees them, label maps in their colours, outlines, scale bars."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from terrasift.data.display import Display
from terrasift.legend import Legend
from terrasift.recipe import Recipe

__all__ = ["draw_scale_bar", "enlarge", "outline", "paint", "photo", "round_length"]

_LINE = np.array([255, 230, 0], np.uint8)  # yellow: stands out from land, and from dark and light for everybody


def photo(values: NDArray[Any], recipe: Recipe) -> NDArray[np.uint8]:
    """The values (H, W, B) that a trained run reads as colours, (H, W, 3): three of its bands, or one in grey."""
    display = Display.of(recipe)
    shown = display(values[:, :, list(display.places)])
    return shown if shown.shape[2] == 3 else shown.repeat(3, axis=2)


def paint(labels: NDArray[np.integer[Any]], legend: Legend) -> NDArray[np.uint8]:
    """(H, W) class indices to (H, W, 3) uint8 in the legend's colours; anything else is white."""
    colors = np.full((max(256, len(legend.classes), int(labels.max()) + 1), 3), 255, np.uint8)
    colors[: len(legend.classes)] = legend.rgb
    painted: NDArray[np.uint8] = colors[labels]
    return painted


def enlarge(pixels: NDArray[Any], times: int) -> NDArray[Any]:
    """Every pixel of (H, W) or (H, W, C) as a square of `times` by `times`."""
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def outline(rgb: NDArray[np.uint8], regions: NDArray[np.int32]) -> NDArray[np.uint8]:
    """A copy of (H, W, 3) with a thin line around each region of (H, W)."""
    line = np.zeros(regions.shape, np.bool_)
    line[1:] |= regions[1:] != regions[:-1]
    line[:, 1:] |= regions[:, 1:] != regions[:, :-1]
    return np.where(line[:, :, None], _LINE, rgb)


def round_length(longest: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above `longest`.

    Examples
    --------
    >>> round_length(32.0), round_length(0.7), round_length(5000.0)
    (20.0, 0.5, 5000.0)
    """
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(factor * power for factor in (1, 2, 5) if factor * power <= longest * (1 + 1e-9)))


def draw_scale_bar(rgb: NDArray[np.uint8], metres: float) -> NDArray[np.uint8]:
    """A copy of (H, W, 3) with a bar of a round length in its lower left corner.

    Parameters
    ----------
    rgb
        At least some 100 pixels wide, for the words to fit.
    metres
        That one of its pixels is wide on the ground.
    """
    picture = Image.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    height, width = rgb.shape[:2]
    length = round_length(0.35 * width * metres)
    unit = max(1, round(width / 160))  # a picture is shown at about half its size
    left, bottom = 5 * unit, height - 5 * unit
    right = left + length / metres
    words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    font = ImageFont.load_default(size=12 * unit)
    draw.rectangle((left - unit, bottom - 4 * unit, right + unit, bottom), fill="black")
    draw.rectangle((left, bottom - 3 * unit, right, bottom - unit), fill="white")
    draw.text(
        (left, bottom - 5 * unit), words, fill="white", font=font, anchor="lb", stroke_width=unit, stroke_fill="black"
    )
    return np.asarray(picture)
