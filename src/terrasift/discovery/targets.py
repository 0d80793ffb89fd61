"""The discovered clusters of the training patches: what each pixel is to be, superpixel by superpixel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from terrasift.data.patches import Patch
from terrasift.errors import RunError
from terrasift.files import write_bytes

__all__ = ["Targets"]


class Targets:
    """The clusters of all superpixels of some patches. It travels to other processes.

    Parameters
    ----------
    patches
        Whose.
    counts
        Superpixels of each.
    clusters
        (classifiers, all superpixels), uint16: patch by patch, in the order of their numbers.
    """

    def __init__(self, patches: Sequence[Patch], counts: Sequence[int], clusters: NDArray[np.uint16]) -> None:
        starts = np.cumsum([0, *counts]).tolist()
        self._counts = list(counts)
        self._clusters = clusters
        self._range = {patch: (starts[number], starts[number + 1]) for number, patch in enumerate(patches)}

    @classmethod
    def of_counts(cls, patches: Sequence[Patch], counts: Sequence[int], clusters: NDArray[np.int64]) -> Targets:
        """From clusters of any integer type."""
        return cls(patches, counts, clusters.astype(np.uint16))

    def of_patch(self, patch: Patch, regions: NDArray[np.int32]) -> NDArray[np.int64]:
        """(classifiers, H, W), int64: the clusters of a patch with superpixels (H, W)."""
        start, stop = self._range[patch]
        return self._clusters[:, start:stop].astype(np.int64)[:, regions]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a safetensors file, whole or not at all."""
        return write_bytes(path, save({"counts": np.array(self._counts), "clusters": self._clusters}))

    @classmethod
    def load(cls, path: str | os.PathLike[str], patches: Sequence[Patch]) -> Targets:
        """What `save` wrote for these patches; RunError if it is something else."""
        try:
            content = load_file(path)
            counts, clusters = content["counts"].tolist(), content["clusters"]
            if len(counts) != len(patches) or clusters.shape[1] != sum(counts):
                raise ValueError("of other patches")
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise RunError(path, "does not hold the targets of these patches", "delete it, and resume") from error
        return cls(patches, counts, clusters)
