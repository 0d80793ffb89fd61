"""A scene in windows of a bounded size, each segmented by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from terrasift.data.scaling import check_scaling
from terrasift.data.scenes import check_size
from terrasift.prediction import ClusterWindow, Wanted
from terrasift.raster import Bands, Raster, Window
from terrasift.recipe import Scaling

__all__ = ["LARGEST_SIDE", "SegmentImage", "WindowSegmenter", "even_windows", "segment_windows"]

LARGEST_SIDE = 512
"""Rows and columns of the largest window, pixels."""

SegmentImage = Callable[[NDArray[np.float32], NDArray[np.bool_]], NDArray[np.integer]]
"""Clusters (H, W) of an image (H, W, bands) in [0, 1] and its validity (H, W), somewhere true."""


class WindowSegmenter(ABC):
    """A segmenter to which a scene is an image; one of more than 512 pixels a side is cut, and each window is one.

    Parameters
    ----------
    scaling
        The rule to [0, 1].
    bands
        Numbers from 1, or names; None means all.
    """

    def __init__(self, scaling: Scaling, bands: Bands | None = None) -> None:
        self._scaling = scaling
        self._bands = bands

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window.

        Raises
        ------
        InputError
            If the scene's dtype, bands or size do not fit.
        """
        return segment_windows(raster, self._clusters, self._scaling, self._bands)

    @abstractmethod
    def _clusters(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        """As `SegmentImage`."""


def segment_windows(
    raster: Raster, segment: SegmentImage, scaling: Scaling, bands: Bands | None = None
) -> Iterator[ClusterWindow]:
    """Segment each window of a scene as an image of its own.

    Parameters
    ----------
    raster
        The open scene.
    segment
        Gives the clusters of a window; not asked where nothing is valid.
    scaling
        The rule to [0, 1]; each band's mean stands where there is no data.
    bands
        Numbers from 1, or names; None means all.

    Yields
    ------
    ClusterWindow
        One cluster map for each of `even_windows`; 0 where there is no data.

    Raises
    ------
    InputError
        If the scene's dtype or bands are not those of the scaling, or if it is smaller than 16 x 16 pixels.
    """
    check_scaling(raster.info, scaling, bands)
    check_size(raster.info)
    for window in even_windows(raster.info.height, raster.info.width):
        values, valid = raster.read(window, bands)
        clusters = np.zeros(valid.shape, np.int64)
        if valid.any():
            clusters[valid] = segment(scaling.to_unit(values, valid), valid)[valid]
        yield ClusterWindow(window, (clusters,), valid)


def even_windows(height: int, width: int, most: int = LARGEST_SIDE) -> list[Window]:
    """The fewest windows of at most `most` rows and columns that cover a scene without overlap, nearly equal in size.

    Equal, because a sliver at the right or at the bottom would be a poor image of its own.

    Examples
    --------
    >>> [window.width for window in even_windows(100, 1100, most=512)]
    [366, 367, 367]
    """
    return [
        Window(top, left, bottom - top, right - left)
        for top, bottom in pairwise(_edges(height, most))
        for left, right in pairwise(_edges(width, most))
    ]


def _edges(length: int, most: int) -> list[int]:
    pieces = -(-length // most)
    return [length * piece // pieces for piece in range(pieces + 1)]
