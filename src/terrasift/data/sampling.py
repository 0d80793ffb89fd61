"""Seeded samples of patches, and of small windows inside them, spread over any number of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.blocks.dictionary import FILTER_SIDE, half_resolution
from terrasift.data.patches import Patch, PatchReader

__all__ = ["MOST_PIXELS", "draw_filter_windows", "draw_patches"]

MOST_PIXELS = 30_000_000
"""Pixels of the patches that anything is learned from beside a network: more images cost neither memory nor time."""

_WINDOWS = 20_000  # at each resolution
_MOST_PATCHES = 512


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


def draw_filter_windows(
    patches: Sequence[Patch], reader: PatchReader, side: int, seed: int
) -> list[NDArray[np.float32]]:
    """Small windows of valid pixels, drawn at random from up to 512 patches: what filters are learned from.

    Parameters
    ----------
    patches
        To draw from.
    reader
        Reads them.
    side
        Patch size, pixels.
    seed
        Of the drawing.

    Returns
    -------
    list of ndarray
        At the full resolution, and at the half: (n, B, 7, 7), float32, about 20,000 of them, fewer where much is
        nodata.
    """
    generator = np.random.default_rng(seed)
    chosen = draw_patches(patches, seed, _MOST_PATCHES * side**2)
    each = -(-_WINDOWS // len(chosen))
    found: list[list[NDArray[np.float32]]] = [[], []]
    for patch in chosen:
        image, valid = reader.read(patch, side)
        tensor = torch.from_numpy(image).movedim(2, 0)[None]
        whole = torch.from_numpy(valid)[None, None].float()
        for windows, pixels, seen in zip(
            found, (tensor, half_resolution(tensor)), (whole, half_resolution(whole)), strict=True
        ):
            windows.append(_cut(pixels[0].numpy(), seen[0, 0].numpy() == 1, each, generator))
    return [np.concatenate(windows) for windows in found]


def _cut(
    image: NDArray[np.float32], valid: NDArray[np.bool_], count: int, generator: np.random.Generator
) -> NDArray[np.float32]:
    """(n, B, 7, 7): of `count` places drawn in an image (B, H, W), those where all is valid."""
    _, height, width = image.shape
    rows = generator.integers(0, max(1, height - FILTER_SIDE + 1), count)
    columns = generator.integers(0, max(1, width - FILTER_SIDE + 1), count)
    cut = [
        np.s_[row : row + FILTER_SIDE, column : column + FILTER_SIDE] for row, column in zip(rows, columns, strict=True)
    ]
    kept = [image[:, *place] for place in cut if valid[place].shape == (FILTER_SIDE,) * 2 and valid[place].all()]
    return np.stack(kept) if kept else np.empty((0, len(image), FILTER_SIDE, FILTER_SIDE), np.float32)
