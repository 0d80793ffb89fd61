"""A raster's pixels on a coarser or finer grid over the same ground.

The library's own resampling would not do: it knows neither our rule of what is valid nor bands beside an alpha band, it
takes overviews where a file has them, and what it gives for a pixel can depend on the window that was asked for. Here
all positions are whole numbers and sums run in one order, so that a window is a slice of the whole, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.raster.info import Window

__all__ = ["ResampledGrid"]


@dataclass(frozen=True)
class ResampledGrid:
    """A grid over the same ground as a raster's own, of another number of pixels.

    Shrinking takes the average of the valid pixels that a new one covers, each by the area covered; the new pixel is
    valid where any of them is. Enlarging interpolates linearly between the valid ones of the nearest four; the new
    pixel is valid where the nearest is. Rows and columns follow the rule for their own axis.

    Parameters
    ----------
    own
        Height and width of the raster, pixels.
    new
        Height and width of this grid, pixels.
    """

    own: tuple[int, int]
    new: tuple[int, int]

    def sources(self, window: Window) -> Window:
        """The pixels of the raster from which those of a window of this grid are made."""
        (top, bottom), (left, right) = (_extent(taps) for taps in self._taps(window))
        return Window(top, left, bottom - top, right - left)

    def strips(self, window: Window, most: int) -> list[Window]:
        """A window of this grid in strips of rows, each made of about `most` pixels of the raster, or of one row."""
        source = self.sources(window)
        count = min(window.height, -(-source.height * source.width // most))
        edges = [window.row + window.height * i // count for i in range(count + 1)]
        return [Window(top, window.column, bottom - top, window.width) for top, bottom in pairwise(edges)]

    def resample(
        self, values: NDArray[Any], valid: NDArray[np.bool_], window: Window
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The pixels of a window of this grid.

        Parameters
        ----------
        values
            (H, W, bands): the pixels of ``sources(window)``.
        valid
            (H, W), bool.
        window
            Of this grid.

        Returns
        -------
        values
            (window.height, window.width, bands), in the dtype of `values`, whole numbers rounded; 0 where invalid.
        valid
            (window.height, window.width), bool.
        """
        source = self.sources(window)
        rows, columns = self._taps(window)
        rows, columns = rows.moved(-source.row), columns.moved(-source.column)
        exact = np.result_type(values.dtype, np.float32)
        weights = valid.astype(exact)
        sums = _blend(np.where(valid[:, :, None], values, 0).astype(exact, copy=False), rows, columns)
        found = _any(valid, rows, columns)
        means = np.zeros_like(sums)
        np.divide(sums, _blend(weights, rows, columns)[:, :, None], out=means, where=found[:, :, None])
        if values.dtype.kind != "f":
            limits = np.iinfo(values.dtype)
            means = np.clip(np.rint(means), limits.min, limits.max)
        return means.astype(values.dtype, copy=False), found

    def own_window(self, window: Window) -> Window:
        """The pixels of the raster whose middles lie in a window of this grid; windows that tile one tile the other."""
        top, bottom = (
            _first_inside(edge, self.own[0], self.new[0]) for edge in (window.row, window.row + window.height)
        )
        left, right = (
            _first_inside(edge, self.own[1], self.new[1]) for edge in (window.column, window.column + window.width)
        )
        return Window(top, left, bottom - top, right - left)

    def to_own(self, labels: NDArray[Any], window: Window) -> NDArray[Any]:
        """What a window of this grid, (H, W, ...), holds at the middle of each pixel of ``own_window(window)``."""
        own = self.own_window(window)
        rows = (2 * np.arange(own.row, own.row + own.height) + 1) * self.new[0] // (2 * self.own[0]) - window.row
        columns = (2 * np.arange(own.column, own.column + own.width) + 1) * self.new[1] // (2 * self.own[1])
        return labels[rows[:, None], columns - window.column]

    def _taps(self, window: Window) -> tuple[_Taps, _Taps]:
        return (
            _axis_taps(self.own[0], self.new[0], window.row, window.row + window.height),
            _axis_taps(self.own[1], self.new[1], window.column, window.column + window.width),
        )


@dataclass(frozen=True)
class _Taps:
    """Along one axis: the raster's pixels that make each new one, their weights, and which decide validity: (n, t)."""

    places: NDArray[np.int64]
    weights: NDArray[np.float64]
    deciding: NDArray[np.bool_]

    def moved(self, by: int) -> _Taps:
        return _Taps(self.places + by, self.weights, self.deciding)


def _axis_taps(own: int, new: int, start: int, stop: int) -> _Taps:
    pixels = np.arange(start, stop, dtype=np.int64)[:, None]
    if new <= own:  # pixel i of the new grid covers the raster's from i * own / new to (i + 1) * own / new
        places = pixels * own // new + np.arange(-(-own // new) + 1)
        covered = np.minimum((places + 1) * new, (pixels + 1) * own) - np.maximum(places * new, pixels * own)
        weights = np.maximum(covered, 0) / own
        return _Taps(np.minimum(places, own - 1), weights, weights > 0)
    position = (2 * pixels + 1) * own - new  # of the new pixel's middle among the old ones', in 1 / (2 * new)
    lower = position // (2 * new)
    share = (position - lower * 2 * new) / (2 * new)
    weights = np.concatenate([1 - share, share], axis=1)
    nearest = (2 * pixels + 1) * own // (2 * new)
    places = lower + np.arange(2)
    return _Taps(np.clip(places, 0, own - 1), weights, places == nearest)


def _extent(taps: _Taps) -> tuple[int, int]:
    return int(taps.places.min()), int(taps.places.max()) + 1


def _first_inside(edge: int, own: int, new: int) -> int:
    """The first old pixel whose middle is not before the new pixel `edge`."""
    return max(0, -((new - 2 * own * edge) // (2 * new)))


def _blend(values: NDArray[Any], rows: _Taps, columns: _Taps) -> NDArray[Any]:
    down = _along_rows(values, rows)
    return np.swapaxes(_along_rows(np.swapaxes(down, 0, 1), columns), 0, 1)


def _along_rows(values: NDArray[Any], taps: _Taps) -> NDArray[Any]:
    shape = (-1, *[1] * (values.ndim - 1))
    total = np.zeros((len(taps.places), *values.shape[1:]), values.dtype)
    for places, weights in zip(taps.places.T, taps.weights.T, strict=True):
        total += values[places] * weights.astype(values.dtype).reshape(shape)
    return total


def _any(valid: NDArray[np.bool_], rows: _Taps, columns: _Taps) -> NDArray[np.bool_]:
    down = np.zeros((len(rows.places), valid.shape[1]), np.bool_)
    for places, deciding in zip(rows.places.T, rows.deciding.T, strict=True):
        down |= valid[places] & deciding[:, None]
    found = np.zeros((len(rows.places), len(columns.places)), np.bool_)
    for places, deciding in zip(columns.places.T, columns.deciding.T, strict=True):
        found |= down[:, places] & deciding
    return found
