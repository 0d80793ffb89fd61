"""Curves made smooth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["average_window", "moving_average"]

_WINDOW = 100  # steps, the study's own


def average_window(steps: int) -> int:
    """The study averages over 100 steps; a tenth of them where there are fewer than 200."""
    return _WINDOW if steps >= 2 * _WINDOW else max(1, steps // 10)


def moving_average(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Means (T - window + 1,) of each `window` values in a row, of (T,)."""
    means: NDArray[np.float64] = np.convolve(values, np.full(window, 1 / window), mode="valid")
    return means
