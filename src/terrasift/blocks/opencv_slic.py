"""SLIC superpixels by OpenCV: several times as fast as scikit-image's, small ones joined to what they resemble."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.regions import join_small_regions

__all__ = ["opencv_slic"]

_ROUNDS = 2  # of k-means: more change little (benchmarks/superpixels.py)
_SMALLEST = 2 / 3  # of the area asked for: leaves as many superpixels as were asked for
_FAR = -1000.0  # from any value, of lightness from 0 to 100: superpixels end where data does


def opencv_slic(
    image: NDArray[Any], area: int, compactness: float, valid: NDArray[np.bool_] | None
) -> NDArray[np.int32]:
    """Cut an image into superpixels (`blocks.superpixels`).

    Parameters
    ----------
    image
        (H, W, bands), floats in [0, 1] or integers of any range. Three bands are compared in CIELAB, any other number
        as they are, times 100.
    area
        Pixels of a superpixel, about: they start as squares with whole sides, no longer than the image's.
    compactness
        Weight of the distance, in sides of such a square, against a difference of one in lightness.
    valid
        (H, W), bool; None: all.

    Returns
    -------
    ndarray
        (H, W), int32: superpixels from 0, connected, none smaller than two thirds of the square but where an island of
        valid pixels is; 0 also where there is no data. The same whatever the number of threads.
    """
    values = _comparable(image)
    if valid is not None:
        values[~valid] = _FAR
    side = min(max(1, round(area**0.5)), *image.shape[:2])
    return join_small_regions(_grown(values, side, compactness) + 1, values, valid, round(side * side * _SMALLEST))


def _grown(values: NDArray[np.float32], side: int, compactness: float) -> NDArray[np.int32]:
    """Labels (H, W) from 0, some of them in several parts."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # several would share a superpixel, and lose more time than they gain
    try:
        superpixels = cv2.ximgproc.createSuperpixelSLIC(values, cv2.ximgproc.SLIC, side, compactness)
        superpixels.iterate(_ROUNDS)
        return np.asarray(superpixels.getLabels(), np.int32)
    finally:
        cv2.setNumThreads(threads)


def _comparable(image: NDArray[Any]) -> NDArray[np.float32]:
    import cv2

    largest = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1
    unit: NDArray[np.float32] = np.divide(image, largest, dtype=np.float32, casting="same_kind", order="C")
    if image.shape[2] != 3:
        unit *= 100
        return unit
    return np.asarray(cv2.cvtColor(unit, cv2.COLOR_RGB2Lab))
