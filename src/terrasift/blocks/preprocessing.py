"""Preprocessing: band values of any dtype become [0, 1] by one linear rule for each band."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["fill_invalid", "scale_to_unit"]


def scale_to_unit(array: NDArray[Any], low: ArrayLike, high: ArrayLike) -> NDArray[np.float32]:
    """``(x - low) / (high - low)`` for each band, cut off at 0 and 1.

    Parameters
    ----------
    array
        (H, W, bands), any real dtype; NaN becomes 0 (such pixels are invalid, see `fill_invalid`).
    low, high
        (bands,): the values that become 0 and 1. A band where both are equal becomes 0.

    Returns
    -------
    ndarray
        (H, W, bands), float32 in [0, 1].
    """
    low = np.asarray(low, np.float64)
    high = np.asarray(high, np.float64)
    scale = np.divide(1.0, high - low, out=np.zeros_like(low), where=high > low)
    inside = np.clip(array.astype(np.float64), low, high)  # first: nodata may be the largest number there is
    scaled = np.clip((inside - low) * scale, 0.0, 1.0)
    unit: NDArray[np.float32] = np.nan_to_num(scaled, copy=False, nan=0.0).astype(np.float32)
    return unit


def fill_invalid(array: NDArray[np.float32], valid: NDArray[np.bool_], fill: ArrayLike) -> NDArray[np.float32]:
    """Put a neutral value where there is no data, whatever number a file has for it.

    The network's global operations (batch normalisation, the DCS block) look at every pixel of a patch: an extreme
    value would pull at them. It is the same in every window, so that a map does not depend on the windows.

    Parameters
    ----------
    array
        (H, W, bands), float32.
    valid
        (H, W), bool.
    fill
        (bands,), in [0, 1]: each band's mean over the training set.

    Returns
    -------
    ndarray
        (H, W, bands), float32; `array` itself where all is valid.
    """
    if valid.all():
        return array
    return np.where(valid[:, :, None], array, fill).astype(np.float32)
