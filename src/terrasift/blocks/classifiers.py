"""What pixel classifiers are made of beside 1x1 convolutions: the DCS block (docs/method.md)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["DeepClustering"]


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
            pixels = self.before(inputs).flatten(2)  # f (N, K, n)
            bases = self.start.expand(len(pixels), -1, -1)  # mu (N, K, M)
            for _ in range(self.iterations):
                shares = torch.softmax(pixels.transpose(1, 2) @ bases, dim=2)  # z (N, n, M)
                weights = shares / (1e-6 + shares.sum(dim=1, keepdim=True))
                bases = functional.normalize(pixels @ weights, dim=1)
            rebuilt = (bases @ shares.transpose(1, 2)).reshape(inputs.shape)
        return functional.relu(self.after(functional.relu(rebuilt)) + inputs)
