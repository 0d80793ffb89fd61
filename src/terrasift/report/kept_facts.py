"""The file in a run's folder where facts about its clusters are kept, and what a listing takes from it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.run import RunFolder

__all__ = ["facts_file", "kept_arrays", "kept_pixels", "weights_digest"]


def facts_file(run: RunFolder) -> Path:
    """That of the legend's classifier."""
    return run.path / f"clusters-{run.legend.classifier}.npz"


def weights_digest(run: RunFolder) -> str:
    """Of the weights that facts were gathered with: those of others do not count."""
    with run.weights_file.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kept_arrays(run: RunFolder, *names: str) -> dict[str, NDArray[Any]] | None:
    """Arrays of the file, all of them if none is named; None where it is missing, damaged, or of other weights."""
    try:
        with facts_file(run).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if str(stored["weights"]) != weights_digest(run):
                return None
            return {name: stored[name] for name in names or stored.files}
    except Exception:  # missing, cut off or damaged in one of many ways: it is made again
        return None


def kept_pixels(run: RunFolder) -> NDArray[np.int64] | None:
    """Pixels of each cluster, if they have been counted before."""
    arrays = kept_arrays(run, "pixels") if run.is_finished else None
    return None if arrays is None else arrays["pixels"]
