"""Features of a model of the user's own, as a raster that is an image like any other."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from terrasift.data.images import Image, as_files
from terrasift.errors import SettingError
from terrasift.progress import progress_bar
from terrasift.raster import Bands, ImageArray, Raster, RasterInfo, Window, write_image

__all__ = ["Backbone", "extract_features"]

Backbone: TypeAlias = Callable[[NDArray[Any]], Any]
"""(window, window, bands) to (h, h, F), `window` being a multiple of h."""


def extract_features(
    scene: Image,
    out: str | os.PathLike[str],
    backbone: Backbone,
    *,
    bands: Bands | None = None,
    window: int = 224,
    margin: int = 32,
) -> Path:
    """Write what a model makes of a scene as a raster of F bands, to be trained on and mapped as any image.

    Parameters
    ----------
    scene
        As for `train`, one.
    out
        ``.tif``: float32, with the scene's CRS; its pixels are as large as the backbone's steps. NaN where a pixel
        covers no data.
    backbone
        Called with each window in turn, (window, window, bands) in the scene's dtype and units, of which it makes
        (h, h, F): an array, or a tensor on the CPU. Pixels without data hold the mean of the window's others; where the
        scene ends, its edge is repeated.
    bands
        Numbers from 1, or names; None means all.
    window
        Side of what the backbone sees, pixels: what it was trained on.
    margin
        Of a window, pixels on each side that are seen and not kept, rounded up to whole steps.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    SettingError
        If what the backbone gives has another shape, or the margin leaves nothing of a window.
    InputError
        If the scene cannot be read, or `out` cannot be written.

    Examples
    --------
    >>> terrasift.extract_features("scene.tif", "features.tif", model)  # doctest: +SKIP
    """
    with as_files(scene, bands) as paths, Raster(paths[0]) as raster:
        features = _Features(raster, backbone, bands, window, margin)
        image = ImageArray(features, str(out), crs=raster.info.crs, transform=_coarser(raster.info, features.step))
        height, width, _ = features.shape
        with progress_bar(Path(raster.path).name, height * width) as advance:
            features.advance = advance
            write_image(out, image)
    return Path(out)


class _Features:
    """(H, W, F), computed a window at a time."""

    dtype, ndim = np.dtype(np.float32), 3

    def __init__(self, raster: Raster, backbone: Backbone, bands: Bands | None, window: int, margin: int) -> None:
        self._raster, self._backbone, self._window = raster, backbone, window
        self._bands = raster.info.band_numbers(bands)
        self.step = 1
        self.advance: Callable[..., object] = lambda **_: None
        found, _ = self._computed(0, 0)
        if found.ndim != 3 or found.shape[0] != found.shape[1] or not found.shape[2] or window % found.shape[0]:
            what = f"makes {found.shape} of a window of {window} x {window} pixels"
            raise SettingError("backbone", what, "give (h, h, features), `window` being a multiple of h")
        self.step = window // found.shape[0]
        self._margin = -(-margin // self.step) * self.step
        self._core = window - 2 * self._margin
        if self._core < self.step:
            raise SettingError("margin", f"{margin} leaves nothing of a window of {window}", "make it smaller")
        height, width = (-(-size // self.step) for size in (raster.info.height, raster.info.width))
        self.shape = (height, width, found.shape[2])
        each = self._core // self.step
        self.chunks = tuple(
            tuple(min(each, size - start) for start in range(0, size, each)) for size in (height, width)
        )

    def __getitem__(self, place: tuple[slice, slice, Sequence[int]]) -> NDArray[np.float32]:
        rows, columns, bands = place
        found, valid = self._computed(rows.start * self.step - self._margin, columns.start * self.step - self._margin)
        first, height, width = self._margin // self.step, rows.stop - rows.start, columns.stop - columns.start
        inside = np.s_[first : first + height, first : first + width]
        self.advance(by=height * width)
        return np.where(valid[inside][:, :, None], found[inside][:, :, bands], np.nan).astype(np.float32)

    def _computed(self, top: int, left: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """What the backbone makes of a window, and which of its pixels cover data."""
        info, side = self._raster.info, self._window
        first = Window(max(0, top), max(0, left), min(info.height, top + side), min(info.width, left + side))
        part = Window(first.row, first.column, first.height - first.row, first.width - first.column)
        values, valid = self._raster.read(part, self._bands)
        if not valid.all():
            mean = values[valid].mean(axis=0) if valid.any() else np.zeros(values.shape[2])
            values = np.where(valid[:, :, None], values, mean.astype(values.dtype))
        before = part.row - top, part.column - left
        around = [(at, side - at - size) for at, size in zip(before, valid.shape, strict=True)]
        found = np.asarray(self._backbone(np.pad(values, [*around, (0, 0)], mode="edge")))
        cells = np.pad(valid, around).reshape(side // self.step, self.step, side // self.step, self.step)
        return found, np.asarray(cells.any(axis=(1, 3)))


def _coarser(info: RasterInfo, step: int) -> tuple[float, ...]:
    """The transform of a grid whose pixels are `step` times as large; none becomes none."""
    a, b, c, d, e, f = info.transform
    return (a * step, b * step, c, d * step, e * step, f) if info.grid.is_placed else info.transform


def _lengths(size: int, each: int) -> tuple[int, ...]:
    return tuple(min(each, size - start) for start in range(0, size, each))
