"""From a batch of windows to the clusters of what each of them decides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.prediction.windows import ClusterWindow, Views

__all__ = ["decide", "winners"]


def decide(
    network: torch.nn.Module,
    batch: Sequence[Views],
    images: torch.Tensor,
    valid: Sequence[NDArray[np.bool_]],
    *,
    confidence: bool = False,
) -> list[ClusterWindow]:
    """The clusters of each window of a batch, without its margin.

    Parameters
    ----------
    network
        (N, B, H, W) to a tuple of logits (N, K, H, W).
    batch
        N windows of equal size.
    images
        (N, B, H, W), margins included.
    valid
        (H, W) for each window, margins included.
    confidence
        Whether to say how sure the network is.
    """
    found = winners(network, images, confidence=confidence)
    parts = []
    for index, (read, write) in enumerate(batch):
        row, column = write.row - read.row, write.column - read.column
        core = np.s_[row : row + write.height, column : column + write.width]
        clusters = tuple(labels[index][core] for labels, _ in found)
        shares = tuple(share[index][core] for _, share in found if share is not None)
        parts.append(ClusterWindow(write, clusters, valid[index][core], shares))
    return parts


def winners(
    network: torch.nn.Module, images: torch.Tensor, *, confidence: bool = False
) -> list[tuple[NDArray[np.int64], NDArray[np.float32] | None]]:
    """For each classifier the winning clusters, (N, H, W), and, if asked, their softmax, (N, H, W) in [0, 1]."""
    found = []
    with torch.inference_mode():
        for logits in network(images):
            best = logits.max(dim=1, keepdim=True)
            share = (logits - best.values).exp_().sum(dim=1).reciprocal() if confidence else None
            found.append((best.indices[:, 0].cpu().numpy(), None if share is None else share.float().cpu().numpy()))
    return found
