"""Chips: the image around each point of a sample, with a cross on the point."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from terrasift.assessment import Point, Sample
from terrasift.errors import InputError
from terrasift.files import write_bytes
from terrasift.progress import track
from terrasift.raster import Raster, RasterInfo, Window, ground_sampling, pixels_at

__all__ = ["SIDE", "Chip", "draw_chips", "write_chip"]

SIDE = 161
"""Pixels of the scene that a chip shows, across and down: an odd number, with the point's in the middle."""

_TIMES = 3  # that a chip's pixels are enlarged in its own file
_OUTSIDE = 128  # grey
_LINE, _RIM = (255, 230, 0), (0, 0, 0)  # yellow on black stands out from any land


class Chip(NamedTuple):
    """The surroundings of one point.

    Attributes
    ----------
    id
        Of the point.
    rgb
        (SIDE, SIDE, 3), uint8; grey outside the scene. None where the point itself lies outside.
    pixel
        How many of the scene's pixels the map's pixel is wide.
    """

    id: int
    rgb: NDArray[np.uint8] | None
    pixel: float


def draw_chips(sample: Sample, scene: str | os.PathLike[str]) -> list[Chip]:
    """The image around every point, in the order of the points.

    Parameters
    ----------
    sample
        The points.
    scene
        An image of the ground that the map shows: any raster that lies there, or one of the map's own size. Its bands
        named red, green and blue are shown, else its first three, or its first.

    Raises
    ------
    InputError
        If it cannot be read, or lies elsewhere.
    """
    with Raster(scene) as raster:
        places = _places(sample, raster.info)
        if (places < 0).all():
            raise InputError(scene, "shows none of the sample's points", "name the image that the map was made of")
        bands = _shown_bands(raster.info)
        low, high = _range(raster, bands, places)
        pixel = _map_pixel(sample, raster.info)
        return [
            Chip(point.id, _chip(raster, bands, row, column, low, high) if row >= 0 else None, pixel)
            for point, (row, column) in track(
                zip(sample.points, places.tolist(), strict=True), len(sample.points), "chips"
            )
        ]


def write_chip(chip: Chip, path: str | os.PathLike[str]) -> Path:
    """Write a chip as PNG, enlarged, with a cross whose gap leaves the map's pixel free."""
    assert chip.rgb is not None
    picture = Image.fromarray(chip.rgb.repeat(_TIMES, axis=0).repeat(_TIMES, axis=1))
    draw = ImageDraw.Draw(picture)
    middle, gap = SIDE * _TIMES // 2, round(_TIMES * (chip.pixel / 2 + 1.5))
    for width, color in ((5, _RIM), (1, _LINE)):
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            begin = (middle + gap * x, middle + gap * y)
            draw.line((*begin, begin[0] + 12 * _TIMES * x, begin[1] + 12 * _TIMES * y), fill=color, width=width)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return write_bytes(path, buffer.getvalue())


def _places(sample: Sample, info: RasterInfo) -> NDArray[np.int64]:
    points: Sequence[Point] = sample.points
    if not sample.crs or (not info.crs and not info.gcps):
        if (info.height, info.width) != (sample.height, sample.width):
            raise InputError(
                info.path,
                f"has {info.width} x {info.height} pixels, the map {sample.width} x {sample.height}",
                "name the image that the map was made of",
            )
        return np.array([(point.row, point.column) for point in points], np.int64)
    x, y = np.array([(point.x, point.y) for point in points], np.float64).T
    return pixels_at(info, x, y, sample.crs)


def _shown_bands(info: RasterInfo) -> list[int]:
    names = [name.casefold() for name in info.descriptions]
    if all(name in names for name in ("red", "green", "blue")):
        return [names.index(name) + 1 for name in ("red", "green", "blue")]
    return [1, 2, 3] if info.bands >= 3 else [1]


def _range(raster: Raster, bands: list[int], places: NDArray[np.int64]) -> tuple[Any, Any]:
    """Values of black and white for each band: bytes as they are, others by the 2nd and 98th percentile of chips."""
    if raster.info.dtype == "uint8":
        return np.zeros(len(bands)), np.full(len(bands), 255.0)
    samples = []
    for row, column in places[places[:, 0] >= 0][:64].tolist():
        values, valid = raster.read(_window(raster.info, row, column), bands)
        samples.append(values[valid])
    pixels = np.concatenate(samples).astype(np.float64)
    if not len(pixels):
        return np.zeros(len(bands)), np.ones(len(bands))
    return np.percentile(pixels, 2, axis=0), np.percentile(pixels, 98, axis=0)


def _chip(raster: Raster, bands: list[int], row: int, column: int, low: Any, high: Any) -> NDArray[np.uint8]:
    window = _window(raster.info, row, column)
    values, valid = raster.read(window, bands)
    unit = (values.astype(np.float64) - low) / np.maximum(high - low, 1e-12)
    colors = np.rint(255 * np.clip(np.nan_to_num(unit), 0, 1)).astype(np.uint8)
    chip = np.full((SIDE, SIDE, 3), _OUTSIDE, np.uint8)
    top, left = window.row - (row - SIDE // 2), window.column - (column - SIDE // 2)
    chip[top : top + window.height, left : left + window.width] = np.where(valid[:, :, None], colors, _OUTSIDE)
    return chip


def _window(info: RasterInfo, row: int, column: int) -> Window:
    top, left = max(0, row - SIDE // 2), max(0, column - SIDE // 2)
    bottom, right = min(info.height, row + SIDE // 2 + 1), min(info.width, column + SIDE // 2 + 1)
    return Window(top, left, bottom - top, right - left)


def _map_pixel(sample: Sample, info: RasterInfo) -> float:
    if sample.unit != "ha":
        return 1.0
    wide = ground_sampling(info)
    return 1.0 if wide is None else float(np.sqrt(sample.points[0].area * 10_000)) / wide
