"""`log.csv`: a row for each step of a training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import RunError
from terrasift.files import read_csv, read_text, write_text
from terrasift.notebook import data_frame, new_axes

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = ["LogWriter", "TrainingLog"]


@dataclass(frozen=True)
class TrainingLog:
    """What `log.csv` says: T steps of one or two classifiers.

    Attributes
    ----------
    loss
        (T,), float64, summed over the classifiers.
    clusters
        (classifiers, T), int64: clusters that hold a valid pixel of the step's batch.
    lr
        (T,), float64: the learning rate.
    seconds
        (T,), float64: what the step took, the wait for its batch included.

    Examples
    --------
    >>> log = TrainingLog(np.array([4.5, 2.0]), np.array([[7, 8]]), np.full(2, 1e-3), np.array([0.5, 0.3]))
    >>> log
    TrainingLog(2 steps in 0.8 s: loss 4.5 to 2, clusters in use 7 to 8)
    >>> log.to_frame()  # doctest: +NORMALIZE_WHITESPACE
          loss  clusters_1     lr  seconds
    step
    1      4.5           7  0.001      0.5
    2      2.0           8  0.001      0.3
    """

    loss: NDArray[np.float64]
    clusters: NDArray[np.int64]
    lr: NDArray[np.float64]
    seconds: NDArray[np.float64]

    def __repr__(self) -> str:
        if not self.steps:
            return "TrainingLog(0 steps)"
        first, last = self.clusters[:, 0], self.clusters[:, -1]
        used = f"clusters in use {_listed(first)} to {_listed(last)}" if len(self.clusters) else ""
        loss = f"loss {self.loss[0]:.4g} to {self.loss[-1]:.4g}"
        said = ", ".join(filter(None, (loss, used)))
        return f"TrainingLog({self.steps:,} steps in {self.seconds.sum():,.1f} s: {said})"

    def to_frame(self) -> pandas.DataFrame:
        """A row for each step, from 1, with the columns of `log.csv` that are kept."""
        counts = {f"clusters_{number}": column for number, column in enumerate(self.clusters, 1)}
        steps = np.arange(1, self.steps + 1)
        columns = {"step": steps, "loss": self.loss, **counts, "lr": self.lr, "seconds": self.seconds}
        return data_frame(columns, "step")

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the loss of each step and its moving average, on new axes where none are given."""
        axes = new_axes(axes)
        axes.plot(np.arange(1, self.steps + 1), self.loss, color="#9db7c9", linewidth=0.8, label="each step")
        label = f"mean of {self.window} step{'s' * (self.window != 1)}"
        axes.plot(*self.averages, color="#14506e", linewidth=1.8, label=label)
        axes.set(xlabel="step", ylabel="loss")
        axes.legend(frameon=False)
        return axes

    @property
    def steps(self) -> int:
        """T."""
        return len(self.loss)

    @property
    def window(self) -> int:
        """Steps of a moving average: the study's 100, or a tenth of them where they are fewer than 1000."""
        return min(100, max(1, self.steps // 10))

    @property
    def averages(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The middles of each `window` steps in a row, (T - window + 1,), and the means of their losses."""
        if not self.steps:
            return np.empty(0), np.empty(0)
        means: NDArray[np.float64] = np.convolve(self.loss, np.full(self.window, 1 / self.window), mode="valid")
        return np.arange(len(means), dtype=np.float64) + (self.window + 1) / 2, means

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TrainingLog:
        """Read a file that `LogWriter` wrote; a last row that is not whole yet is left out.

        Raises
        ------
        RunError
            If it is something else, or damaged.
        """
        rows = read_csv(path, ("loss", "lr", "seconds"), RunError, _MEND)
        numbered = [name for name in (rows[0] if rows else ()) if name.startswith("clusters_")]
        try:
            loss, lr, seconds = (
                np.array([float(row[name]) for row in rows], np.float64) for name in ("loss", "lr", "seconds")
            )
            clusters = np.array([[int(row[name]) for row in rows] for name in numbered], np.int64)
        except ValueError as error:
            raise RunError(path, f"is not the log of a training ({error})", _MEND) from error
        return cls(loss, clusters, lr, seconds)


def _listed(counts: NDArray[np.int64]) -> str:
    return " and ".join(map(str, counts.tolist()))


_MEND = "delete it: only curves are lost"


class LogWriter:
    """Appends the rows, none twice after a resume.

    Parameters
    ----------
    path
        The file; rows of the steps that are done stay, those beyond go.
    classifiers
        How many.
    steps_done
        At the checkpoint that is gone on from.
    """

    def __init__(self, path: Path, classifiers: int, steps_done: int) -> None:
        self._path = path
        numbers = range(1, classifiers + 1)
        self.columns = [
            *("step", "epoch", "loss"),
            *(f"loss_{number}" for number in numbers),
            *(f"clusters_{number}" for number in numbers),
            *("lr", "seconds"),
        ]
        rows = read_text(path, RunError, _MEND).splitlines()[1 : steps_done + 1] if path.exists() else []
        write_text(path, "\n".join([",".join(self.columns), *rows]) + "\n")

    def append(self, row: Sequence[float]) -> None:
        """Write a row, a number for each of `columns`."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(",".join(map(str, row)) + "\n")
