"""Square tiles of a raster at levels that halve its size, as a map on a screen asks for them."""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.raster.info import RasterInfo, Window
from terrasift.raster.reading import Raster

__all__ = ["TILE", "TileReader", "level_count", "level_shape", "mean_of_blocks", "overview_levels"]

TILE = 256
"""Rows and columns of a tile."""


def level_count(height: int, width: int) -> int:
    """How many levels there are, from the pixels themselves, 0, to the one that fits into a single tile.

    Examples
    --------
    >>> level_count(256, 100), level_count(257, 100), level_count(20_000, 20_000)
    (1, 2, 8)
    """
    return 1 + (-(-max(height, width) // TILE) - 1).bit_length()


def level_shape(height: int, width: int, level: int) -> tuple[int, int]:
    """Rows and columns of a level: each of its pixels stands for a square of ``2 ** level`` pixels.

    Examples
    --------
    >>> level_shape(1000, 513, 2)
    (250, 129)
    """
    side = 1 << level
    return -(-height // side), -(-width // side)


def overview_levels(raster: Raster) -> dict[int, int]:
    """Levels that the overviews of a raster stand for, and the place of each in `Raster.overviews`.

    An overview is a level if each of its sides is the raster's over a power of two, rounded up or down. Others, of a
    third, say, are left out. GDAL's own factors do not tell: they come from rounded widths, so that the overview of a
    64th of a raster 1000 pixels wide is said to be a 62nd.
    """
    height, width = raster.info.height, raster.info.width
    levels: dict[int, int] = {}
    for number in range(len(raster.overviews)):
        with Raster(raster.path, overview=number) as smaller:
            rows, columns = smaller.info.height, smaller.info.width
        for level in range(1, max(height, width).bit_length() + 1):
            if _is_rounded(rows, height, level) and _is_rounded(columns, width, level):
                levels.setdefault(level, number)
                break
    return levels


def _is_rounded(side: int, whole: int, level: int) -> bool:
    return side in (whole >> level, -(-whole >> level))


class TileReader:
    """A raster's tiles. One per thread: handles cannot be shared.

    A level is read from the file's own overviews where it has them; what they leave is done here: means of valid pixels
    for images, the pixel in the middle for labels.

    Parameters
    ----------
    path
        Any path GDAL opens.
    base
        The level that the file's own pixels stand for: above 0 for a preview.

    Raises
    ------
    InputError
        If it cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str], base: int = 0) -> None:
        self.raster = Raster(path)
        self._path = path
        self._base = base
        self._overviews: dict[int, Raster] = {}

    @property
    def info(self) -> RasterInfo:
        """What the raster is."""
        return self.raster.info

    def image(
        self, level: int, row: int, column: int, bands: list[int] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values (h, w, bands), in the raster's dtype, and validity (h, w) of a tile; smaller than `TILE` at the edges.

        Raises
        ------
        InputError
            If the file is damaged there.
        """
        raster, window, step, shape = self._source(level, row, column)
        values, valid = mean_of_blocks(*raster.read(window, bands), step)
        return _fit(values, shape), _fit(valid, shape)

    def labels(self, level: int, row: int, column: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The first band as it is stored, (h, w), and its validity, for a raster whose values cannot be averaged."""
        raster, window, step, shape = self._source(level, row, column)
        values, valid = raster.read_indices(window)
        rows, columns = _middles(window.height, step), _middles(window.width, step)
        chosen = np.ix_(rows, columns)
        return _fit(values[chosen], shape), _fit(valid[chosen], shape)

    def close(self) -> None:
        """Close the file."""
        for raster in (self.raster, *self._overviews.values()):
            raster.close()

    def _source(self, level: int, row: int, column: int) -> tuple[Raster, Window, int, tuple[int, int]]:
        depth = level - self._base
        height, width = level_shape(self.info.height, self.info.width, max(0, depth))
        shape = min(TILE, height - row * TILE), min(TILE, width - column * TILE)
        if depth < 0 or row < 0 or column < 0 or min(shape) < 1:
            raise ValueError(f"{self._path} has no tile {level}/{row}/{column}")
        found = max((there for there in self._numbers if there <= depth), default=0) if depth else 0
        raster = self._at(found)
        step = 1 << (depth - found)
        # Some writers round an overview's size down, ours up: the last pixel may be missing, and stands for itself.
        top = min(row * TILE * step, raster.info.height - 1)
        left = min(column * TILE * step, raster.info.width - 1)
        window = Window(
            top, left, min(shape[0] * step, raster.info.height - top), min(shape[1] * step, raster.info.width - left)
        )
        return raster, window, step, shape

    @functools.cached_property
    def _numbers(self) -> dict[int, int]:
        return overview_levels(self.raster)

    def _at(self, depth: int) -> Raster:
        if not depth:
            return self.raster
        if depth not in self._overviews:
            self._overviews[depth] = Raster(self._path, overview=self._numbers[depth])
        return self._overviews[depth]


def mean_of_blocks(values: NDArray[Any], valid: NDArray[np.bool_], step: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Make squares of `step` x `step` pixels one pixel each: the mean of the valid ones, valid if any is.

    Parameters
    ----------
    values
        (H, W, bands).
    valid
        (H, W), bool.
    step
        At the right and lower edges squares may be cut off.

    Returns
    -------
    values, valid
        (ceil(H / step), ceil(W / step), bands), in the same dtype, whole numbers rounded; and without bands.
    """
    if step == 1:
        return values, valid
    counts = _sums(valid[:, :, None], step)
    known = values if valid.all() else np.where(valid[:, :, None], values, 0)  # a NaN would spread
    means = _sums(known, step) / np.maximum(counts, 1)
    if values.dtype.kind in "iu":
        means = np.rint(means)
    return means.astype(values.dtype), counts[:, :, 0] > 0


def _sums(values: NDArray[Any], step: int) -> NDArray[np.float32]:
    beyond = [(0, -size % step) for size in values.shape[:2]]
    whole = np.pad(values, [*beyond, (0, 0)]) if any(after for _, after in beyond) else values
    rows = sum((whole[first::step] for first in range(1, step)), whole[::step].astype(np.float32))
    sums: NDArray[np.float32] = sum((rows[:, first::step] for first in range(1, step)), rows[:, ::step])
    return sums


def _middles(length: int, step: int) -> NDArray[np.intp]:
    return np.minimum(np.arange(0, length, step) + step // 2, length - 1)


def _fit(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    missing = [(0, size - have) for size, have in zip(shape, values.shape, strict=False)]
    missing += [(0, 0)] * (values.ndim - 2)
    return np.pad(values, missing, mode="edge") if any(after for _, after in missing) else values
