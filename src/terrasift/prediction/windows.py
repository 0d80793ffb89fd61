"""The windows in which a scene is read and written, and what a segmenter gives for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from terrasift.prediction.options import Wanted
from terrasift.raster import Raster, Window

__all__ = ["ClusterWindow", "Segmenter", "Views", "batches_of", "scene_views", "window_views"]


class Views(NamedTuple):
    """One window as it is read and as it is written."""

    read: Window
    """What the network sees: the margin included, cut off at the scene's edges."""
    write: Window
    """What it decides: windows to write cover the scene without overlap."""

    @property
    def core(self) -> tuple[slice, slice]:
        """What is written, in an array (H, W, ...) of what is read."""
        return self.write.inside(self.read).slices


class ClusterWindow(NamedTuple):
    """The clusters of one window of a scene."""

    window: Window
    clusters: tuple[NDArray[np.int64], ...]
    """(H, W) for each classifier that was asked for."""
    valid: NDArray[np.bool_]
    """(H, W): pixels that hold data."""
    confidence: tuple[NDArray[np.float32], ...] = ()
    """(H, W) for each classifier, in (0, 1]: how likely the winning cluster's class is. Empty if nobody asks."""


_LEAST = 16  # rows and columns that are read, where the scene has so many: what is left at its edge may be a sliver


class Segmenter(Protocol):
    """What tells the clusters of scenes: a network, taught classes, a baseline, a map that is there already."""

    @property
    def clusters(self) -> int:
        """K: each classifier tells the clusters 0 to K - 1 apart."""

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window: together they cover it without overlap.

        Raises
        ------
        InputError
            If the scene does not fit.
        """


def scene_views(height: int, width: int, window: int, margin: int, step: int = 1) -> list[Views]:
    """Windows that cover a scene, row by row, each read with a margin around what it writes.

    Parameters
    ----------
    height, width
        Of the scene, pixels.
    window
        Side of what is read; larger than twice the margin.
    margin
        Pixels read on every side beyond what is written, but for the scene's own edges; a multiple of `step`.
    step
        Windows start at multiples of this.

    Examples
    --------
    >>> [views.write.width for views in scene_views(100, 1000, window=512, margin=32)]
    [448, 448, 104]
    """
    core = (window - 2 * margin) // step * step
    if max(height, width) <= window:
        whole = Window(0, 0, height, width)
        return [Views(whole, whole)]
    views = []
    for row in range(0, height, core):
        for column in range(0, width, core):
            write = Window(row, column, min(core, height - row), min(core, width - column))
            bottom, right = min(height, row + core + margin), min(width, column + core + margin)
            top, left = (
                max(0, min(start - margin, (end - _LEAST) // step * step))
                for start, end in ((row, bottom), (column, right))
            )
            views.append(Views(Window(top, left, bottom - top, right - left), write))
    return views


def window_views(window: Window, height: int, width: int, margin: int, step: int = 1) -> Views:
    """Any one window of a scene of `height` x `width`, and how it is read; `margin` and `step` as for `scene_views`."""
    top, left = (max(0, start - margin) // step * step for start in (window.row, window.column))
    bottom = min(height, window.row + window.height + margin)
    right = min(width, window.column + window.width + margin)
    return Views(Window(top, left, bottom - top, right - left), window)


def batches_of(views: Sequence[Views], pixels: int) -> list[list[Views]]:
    """Neighbours of equal size together, as many as `pixels` allow, at least one; in the order they came in."""
    batches = []
    for (height, width), group in itertools.groupby(views, lambda entry: (entry.read.height, entry.read.width)):
        most = max(1, pixels // (height * width))
        alike = list(group)
        batches += [alike[start : start + most] for start in range(0, len(alike), most)]
    return batches
