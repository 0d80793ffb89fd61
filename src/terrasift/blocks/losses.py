"""Losses on logits and pseudo-labels (METHOD section 3)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from terrasift.blocks.choices import ClassWeights

__all__ = ["class_weights", "weighted_cross_entropy"]


def weighted_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor,
    valid: Tensor | None = None,
) -> Tensor:
    """Softmax cross-entropy with one weight for each class, L_wce in the study.

    ``sum_i w_{y_i} l_i / sum_i w_{y_i}`` over the valid pixels i of the batch, l_i being the cross-entropy of
    pixel i with its label y_i.

    Parameters
    ----------
    logits
        (N, K, H, W).
    labels
        (N, H, W), integers in 0..K-1.
    weights
        (K,), not negative: see `class_weights`.
    valid
        (N, H, W), bool: pixels that count. None means all. A batch without any gives a loss of 0.

    Returns
    -------
    Tensor
        A scalar in at least float32, also under autocast.
    """
    logits = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    weights = weights.to(logits.dtype)
    if valid is not None:
        labels = labels.masked_fill(~valid, _IGNORED)
        if not valid.any():
            return logits.sum() * 0.0
    return functional.cross_entropy(logits, labels, weights, ignore_index=_IGNORED)


def class_weights(
    labels: Tensor,
    clusters: int,
    method: ClassWeights = "balanced",
    valid: Tensor | None = None,
) -> Tensor:
    """The weight of each class, from the refined labels of the whole batch.

    With n valid pixels, n_c of them of class c, and C' classes present: ``balanced`` gives
    ``w_c = n / (C' n_c)``, ``median_frequency`` gives ``w_c = median(n_present) / n_c``, ``none`` gives 1.
    Absent classes get 0, except with ``none``.

    Parameters
    ----------
    labels
        (N, H, W), integers in 0..clusters-1.
    clusters
        K, the length of the result.
    method
        ``balanced``, ``median_frequency`` or ``none``.
    valid
        (N, H, W), bool: pixels that count. None means all.

    Returns
    -------
    Tensor
        (K,), float32, on the labels' device.
    """
    if method == "none":
        return torch.ones(clusters, device=labels.device)
    counts = torch.bincount(labels.flatten() if valid is None else labels[valid], minlength=clusters)
    present = counts > 0
    if method == "balanced":
        numerator = counts.sum() / present.sum()
    else:
        numerator = counts[present].float().quantile(0.5) if present.any() else counts.sum()
    return torch.where(present, numerator / counts, 0.0).float()


_IGNORED = -100  # torch's own mark for "no label here"
