"""The discovered clusters of the training patches: what each pixel is to be, superpixel by superpixel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from terrasift.data.patches import Patch
from terrasift.errors import RunError
from terrasift.files import write_bytes
from terrasift.files.arrays import read_arrays
from terrasift.recipe import Recipe

__all__ = ["Targets"]


class Targets:
    """The clusters of all superpixels of some patches. It travels to other processes.

    A superpixel that lies between clusters is given now the one, now the other: each time it is asked for it draws one
    of its nearest, in proportion to their shares (`clusters.nearest_shares`). On average that is the cross-entropy
    with soft targets.

    Parameters
    ----------
    patches
        Whose.
    counts
        Superpixels of each.
    nearest
        (classifiers, all superpixels, nearest clusters), uint16: patch by patch, in the order of their numbers.
    shares
        Of the same shape, float32, not negative: of each of these clusters, 1 in all.
    """

    def __init__(
        self, patches: Sequence[Patch], counts: Sequence[int], nearest: NDArray[np.uint16], shares: NDArray[np.float32]
    ) -> None:
        starts = np.cumsum([0, *counts]).tolist()
        self._counts = list(counts)
        self._nearest = nearest
        self._shares = shares
        self._range = {patch: slice(starts[number], starts[number + 1]) for number, patch in enumerate(patches)}

    def of_patch(self, patch: Patch, regions: NDArray[np.int32], draws: np.random.Generator) -> NDArray[np.int64]:
        """(classifiers, H, W), int64: clusters of a patch with superpixels (H, W), drawn."""
        nearest, shares = self._nearest[:, self._range[patch]], self._shares[:, self._range[patch]]
        passed = draws.random((*shares.shape[:2], 1)) >= shares.cumsum(axis=2)[:, :, :-1]
        drawn = np.take_along_axis(nearest, passed.sum(axis=2, keepdims=True), axis=2)[:, :, 0]
        return drawn.astype(np.int64)[:, regions]

    def save(self, path: str | os.PathLike[str], made_of: str = "") -> Path:
        """Write a safetensors file, whole or not at all; `made_of` names what `load` is to ask for again."""
        arrays = {"counts": np.array(self._counts), "nearest": self._nearest, "shares": self._shares}
        return write_bytes(path, save(arrays, {"made_of": made_of}))

    @classmethod
    def load(cls, path: str | os.PathLike[str], patches: Sequence[Patch], recipe: Recipe, made_of: str = "") -> Targets:
        """What `save` wrote.

        Parameters
        ----------
        path
            The file.
        patches
            Whose targets it must hold.
        recipe
            Says how many clusters and classifiers there are.
        made_of
            As `save` was told; "": whatever they are made of.

        Raises
        ------
        RunError
            If it is something else.
        """
        what, mend = "does not hold the targets of these patches", "delete it, and resume"
        arrays, texts = read_arrays(path, RunError, mend)
        if made_of and texts.get("made_of", made_of) != made_of:
            raise RunError(path, f"{what}, but those of another run", mend)
        try:
            counts, nearest, shares = (arrays[name] for name in ("counts", "nearest", "shares"))
        except KeyError as error:
            raise RunError(path, what, mend) from error
        fits = (
            counts.dtype.kind == "i"
            and counts.shape == (len(patches),)
            and bool((counts >= 0).all())
            and nearest.dtype == np.uint16
            and shares.dtype == np.float32
            and nearest.ndim == 3
            and nearest.shape == shares.shape
            and nearest.shape[:2] == (recipe.classifiers, int(counts.sum()))
            and bool((nearest < recipe.clusters).all() and (shares >= 0).all())
        )
        if not fits:
            raise RunError(path, what, mend)
        return cls(patches, counts.tolist(), nearest, shares)
