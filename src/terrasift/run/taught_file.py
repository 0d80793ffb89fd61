"""What labels have taught a run: classifiers as plain arrays, in one file."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from terrasift.errors import RunError
from terrasift.files import write_bytes
from terrasift.files.arrays import read_arrays

if TYPE_CHECKING:
    from terrasift.blocks.taught import TaughtClassifier

__all__ = ["TaughtFile"]


class TaughtFile:
    """``taught.safetensors``: the classifiers that the legends of a run speak of, each under a name of its own.

    A legend names the one whose outputs its classes hold. So a classifier is in force when a legend that names it is,
    and until then, whatever is killed in between, the run is as it was.

    Parameters
    ----------
    folder
        The run's.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "taught.safetensors"

    def load(self, name: str) -> TaughtClassifier:
        """A classifier; RunError if it is not there, or the file is damaged."""
        from terrasift.blocks.taught import TaughtClassifier  # with PyTorch, which listing a run does without

        arrays, mend = self._arrays(), "teach it again, or take another legend: terrasift legend RUN --undo, --reset"
        weight, bias = arrays.get(f"{name}.weight"), arrays.get(f"{name}.bias")
        if weight is None or bias is None:
            raise RunError(self.path, f"does not hold the classifier {name} that the legend speaks of", mend)
        if _name(weight, bias) != name or weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise RunError(self.path, f"holds something else as {name} than what was taught", mend)
        return TaughtClassifier(weight, bias)

    def pixels(self, name: str) -> NDArray[np.int64] | None:
        """(C,): pixels of each output of a classifier in a sample of scenes; None where it is not there."""
        return self._arrays().get(f"{name}.pixels")

    def save(self, classifier: TaughtClassifier, pixels: NDArray[np.int64], keep: Collection[str]) -> str:
        """Add a classifier and its `pixels`, whole or not at all, and drop all but those to `keep`: its name."""
        weight, bias = classifier.arrays
        name = _name(weight, bias)
        kept = {key: array for key, array in self._arrays().items() if key.rpartition(".")[0] in keep}
        write_bytes(self.path, save(kept | {f"{name}.weight": weight, f"{name}.bias": bias, f"{name}.pixels": pixels}))
        return name

    def _arrays(self) -> dict[str, NDArray[Any]]:
        if not self.path.exists():
            return {}
        return read_arrays(self.path, RunError, "delete it, and teach the run again")[0]


def _name(weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
    return hashlib.sha256(weight.tobytes() + bias.tobytes()).hexdigest()[:12]
