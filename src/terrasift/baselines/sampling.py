"""As much of the images as a baseline is fitted on: bounded, for an archive of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from terrasift.data.patches import Patch

__all__ = ["MOST_PIXELS", "TrackPatches", "draw_patches"]

MOST_PIXELS = 25_000_000
"""Pixels of the patches that are read, valid or not: seconds of reading, half a minute of superpixels."""

TrackPatches = Callable[[Iterable[Patch], int], Iterable[Patch]]
"""Wraps the patches, for a progress bar: (patches, how many)."""


def draw_patches(patches: Sequence[Patch], seed: int, most: int | None = None) -> list[Patch]:
    """All patches in their order, or, where they hold more pixels, an even, seeded sample of them, one at least.

    Parameters
    ----------
    patches
        Of any sizes.
    seed
        Of the sample.
    most
        Pixels; None: `MOST_PIXELS`.
    """
    most = MOST_PIXELS if most is None else most
    pixels = np.array([patch.window.height * patch.window.width for patch in patches], np.int64)
    if pixels.sum() <= most:
        return list(patches)
    order = np.random.default_rng(seed).permutation(len(patches))
    count = max(1, int(np.searchsorted(pixels[order].cumsum(), most, side="right")))
    return [patches[index] for index in np.sort(order[:count]).tolist()]
