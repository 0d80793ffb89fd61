"""`log.csv`: a row for each step of a training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import RunError
from terrasift.files import read_csv, write_text

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
    """

    loss: NDArray[np.float64]
    clusters: NDArray[np.int64]
    lr: NDArray[np.float64]
    seconds: NDArray[np.float64]

    @property
    def steps(self) -> int:
        """T."""
        return len(self.loss)

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
        rows = path.read_text(encoding="utf-8").splitlines()[1 : steps_done + 1] if path.exists() else []
        write_text(path, "\n".join([",".join(self.columns), *rows]) + "\n")

    def append(self, row: Sequence[float]) -> None:
        """Write a row, a number for each of `columns`."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(",".join(map(str, row)) + "\n")
