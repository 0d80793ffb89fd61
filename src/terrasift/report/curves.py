"""What `log.csv` holds, and curves made smooth."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["average_window", "moving_average", "read_log"]

_WINDOW = 100  # steps, the study's own


def read_log(log: Path) -> dict[str, NDArray[np.float64]]:
    """The columns of a run's `log.csv`, a value for each step; a last row that is not whole is left out."""
    with log.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["seconds"]]
    return {name: np.array([float(row[name]) for row in rows]) for name in (rows[0] if rows else ())}


def average_window(steps: int) -> int:
    """The study averages over 100 steps; a tenth of them where there are fewer than 200."""
    return _WINDOW if steps >= 2 * _WINDOW else max(1, steps // 10)


def moving_average(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Means (T - window + 1,) of each `window` values in a row, of (T,)."""
    means: NDArray[np.float64] = np.convolve(values, np.full(window, 1 / window), mode="valid")
    return means
