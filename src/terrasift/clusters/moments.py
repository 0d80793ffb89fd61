"""Means and deviations of vectors by their labels, from sums over any number of parts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments"]


class Moments:
    """Sums and sums of squares of vectors by label; of what they are above the first part's mean, to lose no digits."""

    def __init__(self) -> None:
        self._origin: Any = None
        self._sums: Any = 0.0
        self._squares: Any = 0.0

    def add(self, labels: NDArray[np.int64], vectors: NDArray[Any], count: int) -> None:
        """Take vectors (n, D) with labels (n,), which are below `count`; n is at least 1 in the first part."""
        values = vectors.astype(np.float64)
        if self._origin is None:
            self._origin = values.mean(axis=0)
        values -= self._origin
        self._sums = self._sums + _sums_by(labels, values, count)
        self._squares = self._squares + _sums_by(labels, values**2, count)

    def statistics(self, counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of each label, (K, D), from `counts` (K,) vectors; NaN where there were none."""
        count = np.where(counts > 0, counts, np.nan)[:, None]
        mean = self._sums / count
        return mean + self._origin, np.sqrt(np.maximum(self._squares / count - mean**2, 0.0))


def _sums_by(labels: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    columns = [np.bincount(labels, weights=column, minlength=count) for column in values.T]
    return np.stack(columns, axis=1)
