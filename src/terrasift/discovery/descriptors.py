"""What a superpixel is like: its colours and textures, its own and those around it (docs/discovery.md, step 3)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from terrasift.blocks.dictionary import dictionary_responses, half_resolution
from terrasift.blocks.regions import region_centres

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
    cells = _Cells(layers, valid, region_centres(regions, valid))
    parts = [_means_of_regions(layers, regions, valid), *(cells.means(side) for side in SURROUNDINGS)]
    for part in parts:
        np.sqrt(np.maximum(part[:, bands:], 0), out=part[:, bands:])
    return np.concatenate(parts, axis=1)


def block_sizes(bands: int, filters: int) -> list[int]:
    """How many numbers each block of a descriptor has: bands, full and half resolution, for each surrounding."""
    return [bands, 2 * filters, 2 * filters] * (1 + len(SURROUNDINGS))


class _Layer(NamedTuple):
    values: Tensor
    """(1, C, rows, columns), the channels of a pixel beside each other."""
    step: int
    """Pixels of the image, along a side, that one of its own stands for."""


def _layers(image: NDArray[np.float32], filters: NDArray[np.float32]) -> list[_Layer]:
    """Bands, responses at full resolution, and those at half of it."""
    with torch.inference_mode():
        bands = torch.from_numpy(image)[None].movedim(3, 1)
        fine, coarse = (torch.from_numpy(part).contiguous(memory_format=torch.channels_last) for part in filters)
        found = dictionary_responses(bands, fine)
        halved = dictionary_responses(half_resolution(bands), coarse)
    return [_Layer(bands, 1), _Layer(found, 1), _Layer(halved, 2)]


def _means_of_regions(
    layers: list[_Layer], regions: NDArray[np.int32], valid: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(n, C of all layers): over the valid pixels of each region."""
    rows, columns = np.nonzero(valid)
    region = torch.from_numpy(regions[rows, columns].astype(np.int64))
    counts = torch.bincount(region)
    parts = []
    for values, step in layers:
        pixels = torch.from_numpy(rows // step * values.shape[3] + columns // step)
        table = values[0].movedim(0, 2).flatten(0, 1)
        of_pixels = table if len(table) == len(pixels) else table[pixels]
        parts.append(torch.zeros(len(counts), table.shape[1]).index_add_(0, region, of_pixels))
    means: NDArray[np.float32] = (torch.cat(parts, dim=1) / counts.clamp(min=1)[:, None]).numpy()
    return means


class _Cells:
    """Sums over cells of 4 x 4 pixels, from which the means of any window of whole cells follow at once."""

    def __init__(self, layers: list[_Layer], valid: NDArray[np.bool_], centres: NDArray[np.float64]) -> None:
        counts = {step: _sums(torch.from_numpy(valid)[None, None].float(), step) for step in (1, 2)}
        known = {1: valid.all(), 2: False}  # the copy that a product makes takes longer than all the rest
        parts = [_sums(values if known[step] else values * counts[step], _CELL // step) for values, step in layers]
        cells = torch.cat([*parts, _sums(counts[1], _CELL)], dim=1)[0].movedim(0, 2)
        sums = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1, cells.shape[2]))
        sums[1:, 1:] = cells.numpy()
        for row in range(1, len(sums)):  # several times as fast as NumPy's cumsum, which goes number by number
            sums[row] += sums[row - 1]
        for column in range(1, sums.shape[1]):
            sums[:, column] += sums[:, column - 1]
        self._sums = sums
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


def _sums(values: Tensor, side: int) -> Tensor:
    """Over squares of `side` x `side`, of which those at the edge may be smaller."""
    below, right = -values.shape[2] % side, -values.shape[3] % side
    padded = functional.pad(values, (0, right, 0, below)) if below or right else values
    return functional.avg_pool2d(padded, side, divisor_override=1)
