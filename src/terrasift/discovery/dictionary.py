"""The dictionary of filters that patches are described by (docs/discovery.md, step 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.dictionary import learn_filters
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.sampling import draw_filter_windows
from terrasift.errors import InputError
from terrasift.recipe import Recipe

__all__ = ["learn_dictionary"]

_FEWEST_WINDOWS = 100


def learn_dictionary(patches: Sequence[Patch], reader: PatchReader, recipe: Recipe) -> NDArray[np.float32]:
    """(2, F, B, 7, 7), float32: filters of the full and of the half resolution, learned from a sample of the patches.

    Raises
    ------
    InputError
        If nearly nowhere 7 x 7 pixels at half resolution are without nodata.
    """
    windows = draw_filter_windows(patches, reader, recipe.patch, recipe.seed)
    if min(map(len, windows)) < _FEWEST_WINDOWS:
        raise InputError(
            patches[0].scene, "has too few places without nodata to learn filters from", "check nodata, or add images"
        )
    return np.stack([learn_filters(part, seed=recipe.seed) for part in windows])
