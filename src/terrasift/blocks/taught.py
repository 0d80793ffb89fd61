"""The classifier that a few labels teach: scores of classes, linear in a network's features (docs/teach.md)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

__all__ = ["TaughtClassifier"]


class TaughtClassifier(nn.Conv2d):
    """A 1x1 convolution, (N, F, H, W) to (N, C, H, W): as quick as a network's own classifier.

    Parameters
    ----------
    weight
        (C, F).
    bias
        (C,).
    """

    def __init__(self, weight: NDArray[np.floating[Any]], bias: NDArray[np.floating[Any]]) -> None:
        super().__init__(weight.shape[1], weight.shape[0], 1)
        self.requires_grad_(False).eval()
        self.weight.copy_(torch.from_numpy(np.asarray(weight, np.float32))[:, :, None, None])
        assert self.bias is not None
        self.bias.copy_(torch.from_numpy(np.asarray(bias, np.float32)))

    @property
    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights (C, F) and biases (C,)."""
        assert self.bias is not None
        weight: NDArray[np.float32] = self.weight[:, :, 0, 0].numpy(force=True)
        return np.ascontiguousarray(weight), np.ascontiguousarray(self.bias.numpy(force=True))

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, F) to (n, C): the same for rows of features."""
        weight, bias = self.arrays
        scores: NDArray[np.float32] = features @ weight.T + bias
        return scores

    def shares(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, F) to (n, C): the softmax of the scores."""
        scores = self.scores(features)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
        return shares

    @property
    def outputs(self) -> int:
        """C."""
        return self.out_channels
