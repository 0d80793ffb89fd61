"""What a superpixel is like: its colours and textures, its own and those around it (docs/discovery.md, step 3)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from terrasift.blocks.dictionary import dictionary_responses, half_resolution
from terrasift.blocks.regions import region_centres, region_means

__all__ = ["SURROUNDINGS", "block_sizes", "describe_regions"]

SURROUNDINGS = (16, 40)
"""Sides of the square windows around a superpixel's centre that are looked at beside itself, pixels."""

_CELL = 4  # pixels: such windows begin and end at multiples of this, which makes their means cheap


def describe_regions(
    image: NDArray[np.float32],
    regions: NDArray[np.int32],
    valid: NDArray[np.bool_],
    filters: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The descriptor of each superpixel of an image.

    Parameters
    ----------
    image
        (H, W, B), float32 in [0, 1]; something neutral where there is no data.
    regions
        (H, W), int32: n superpixels, numbered from 0 without gaps, each with a valid pixel.
    valid
        (H, W), bool.
    filters
        (2, F, B, side, side), float32: the dictionary of the full resolution, and that of the half.

    Returns
    -------
    ndarray
        (n, 3 (B + 4 F)), float32: means of the bands and square roots of the mean responses of both dictionaries, over
        the superpixel, and over each of the `SURROUNDINGS` of its centre; see `block_sizes`.
    """
    bands = image.shape[2]
    layers = _layers(image, filters)
    own = [region_means(layer[0].movedim(0, 2).numpy(), regions, valid) for layer in layers]
    cells = _Cells(layers, valid, region_centres(regions, valid))
    parts = [np.concatenate(own, axis=1), *(cells.means(side) for side in SURROUNDINGS)]
    for part in parts:
        np.sqrt(np.maximum(part[:, bands:], 0), out=part[:, bands:])
    return np.concatenate(parts, axis=1)


def block_sizes(bands: int, filters: int) -> list[int]:
    """How many numbers each block of a descriptor has: bands, full and half resolution, for each surrounding."""
    return [bands, 2 * filters, 2 * filters] * (1 + len(SURROUNDINGS))


def _layers(image: NDArray[np.float32], filters: NDArray[np.float32]) -> list[Tensor]:
    """(1, C, H, W) each, the channels of a pixel beside each other: bands, fine responses, coarse ones upsampled."""
    height, width = image.shape[:2]
    with torch.inference_mode():
        bands = torch.from_numpy(image)[None].movedim(3, 1)
        fine, coarse = (torch.from_numpy(part).contiguous(memory_format=torch.channels_last) for part in filters)
        found = dictionary_responses(bands, fine)
        halved = dictionary_responses(half_resolution(bands), coarse)
        spread = functional.interpolate(halved, scale_factor=2, mode="nearest")[..., :height, :width]
    return [bands, found, spread]


class _Cells:
    """Sums over cells of 4 x 4 pixels, from which the means of any window of whole cells follow at once."""

    def __init__(self, layers: list[Tensor], valid: NDArray[np.bool_], centres: NDArray[np.float64]) -> None:
        inside = torch.from_numpy(valid)[None, None]
        whole = bool(valid.all())
        parts = [_cell_sums(layer if whole else layer * inside) for layer in layers]
        sums = np.concatenate([*parts, _cell_sums(inside.float())], axis=2)
        self._sums = np.zeros((sums.shape[0] + 1, sums.shape[1] + 1, sums.shape[2]))
        self._sums[1:, 1:] = sums.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
        self._centres = centres

    def means(self, side: int) -> NDArray[np.float32]:
        """(n, C): over the valid pixels of a square around each centre, as much of it as is inside the image."""
        low = np.rint((self._centres - (side - 1) / 2) / _CELL).astype(np.int64)
        most = np.array(self._sums.shape[:2]) - 1
        top, left = np.clip(low, 0, most - 1).T
        bottom, right = np.clip(low + side // _CELL, 1, most).T
        total = self._sums[bottom, right] - self._sums[top, right] - self._sums[bottom, left] + self._sums[top, left]
        means: NDArray[np.float32] = (total[:, :-1] / np.maximum(total[:, -1:], 1)).astype(np.float32)
        return means


def _cell_sums(layer: Tensor) -> NDArray[np.float32]:
    below, right = -layer.shape[2] % _CELL, -layer.shape[3] % _CELL
    padded = functional.pad(layer, (0, right, 0, below)) if below or right else layer
    sums: NDArray[np.float32] = (functional.avg_pool2d(padded, _CELL)[0].movedim(0, 2) * _CELL**2).numpy()
    return sums
