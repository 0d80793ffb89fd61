"""What pixel classifiers are made of beside 1x1 convolutions: the DCS block (docs/method.md)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Bases", "DeepClustering", "FrozenClustering"]


class DeepClustering(nn.Module):
    """The DCS block: a few steps of expectation maximisation over all pixels of an image.

    Every pixel's K values are rebuilt from M bases that the iterations fit to the image, and added to what
    came in. The bases and the responsibilities carry no gradient, so the first convolution keeps its initial
    weights: it counts among the parameters, but is frozen.

    Parameters
    ----------
    channels
        Clusters K, the channels in and out.
    bases
        M, the number of bases.
    iterations
        T, how often the bases are refined for an image; the same in training and in evaluation.

    References
    ----------
    Zhou and Wei, "DIC: Deep Image Clustering for Unsupervised Image Segmentation", IEEE Access 2020; the
    iterations are those of Li et al., "Expectation-Maximization Attention Networks", ICCV 2019.
    """

    of_single_pixels = True  # with the image's bases
    start: Tensor

    def __init__(self, channels: int, bases: int = 32, iterations: int = 3) -> None:
        super().__init__()
        self.iterations = iterations
        self.before = nn.Conv2d(channels, channels, 1).requires_grad_(False)
        self.after = nn.Conv2d(channels, channels, 1, bias=False)
        for convolution in (self.before, self.after):
            nn.init.normal_(convolution.weight, 0.0, math.sqrt(2.0 / channels))
        start = torch.empty(channels, bases).normal_(0.0, math.sqrt(2.0 / bases))
        self.register_buffer("start", functional.normalize(start, dim=0))

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, K, H, W) to (N, K, H, W), not negative."""
        with torch.no_grad():
            bases, shares = self.fit(self.before(inputs).flatten(2))
            rebuilt = _rebuilt(bases.rebuilding, shares, inputs)
        return functional.relu(self.after(functional.relu(rebuilt)) + inputs)

    def fit(self, pixels: Tensor) -> tuple[Bases, Tensor]:
        """T iterations over pixels f, (N, K, n): bases for each image, and the last responsibilities z, (N, n, M)."""
        bases = self.start.expand(pixels.shape[0], -1, -1)  # mu (N, K, M)
        for _ in range(self.iterations):
            assigning, shares = bases, _shares(pixels, bases)
            weights = shares / (1e-6 + shares.sum(dim=1, keepdim=True))
            bases = functional.normalize(pixels @ weights, dim=1)
        return Bases(assigning, bases), shares


class Bases(NamedTuple):
    """What the iterations have fitted, both (N, K, M): the last responsibilities come from the bases before them."""

    assigning: Tensor
    rebuilding: Tensor


class FrozenClustering(nn.Module):
    """The DCS block with bases that no longer change: a pixel's values depend on that pixel alone.

    On the pixels that the bases were fitted to it gives what the block itself gives.

    Parameters
    ----------
    block
        Lends its convolutions.
    bases
        Of one image, N = 1.
    """

    of_single_pixels = True
    assigning: Tensor
    rebuilding: Tensor

    def __init__(self, block: DeepClustering, bases: Bases) -> None:
        super().__init__()
        self.before = block.before
        self.after = block.after
        self.register_buffer("assigning", bases.assigning)
        self.register_buffer("rebuilding", bases.rebuilding)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, K, H, W) to (N, K, H, W), not negative."""
        shares = _shares(self.before(inputs).flatten(2), self.assigning)
        rebuilt = _rebuilt(self.rebuilding, shares, inputs)
        return functional.relu(self.after(functional.relu(rebuilt)) + inputs)


def _shares(pixels: Tensor, bases: Tensor) -> Tensor:
    """Responsibilities z, (N, n, M), of bases (N, K, M) for pixels (N, K, n)."""
    return torch.softmax(pixels.transpose(1, 2) @ bases, dim=2)


def _rebuilt(bases: Tensor, shares: Tensor, like: Tensor) -> Tensor:
    """Pixels out of bases (N, K, M) by their shares (N, n, M), in the shape and the memory format of an image."""
    if like.is_contiguous(memory_format=torch.channels_last):
        return (shares @ bases.transpose(1, 2)).transpose(1, 2).reshape(like.shape)
    return (bases @ shares.transpose(1, 2)).reshape(like.shape)
