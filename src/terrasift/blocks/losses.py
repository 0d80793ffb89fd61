"""Losses on logits and pseudo-labels (docs/method.md)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from terrasift.blocks.choices import ClassWeights, Reduction

__all__ = ["class_weights", "continuity_loss", "mumford_shah_loss", "weighted_cross_entropy"]


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
    logits = _at_least_float32(logits)
    weights = weights.to(logits.dtype)
    if valid is not None:
        labels = labels.masked_fill(~valid, _IGNORED)
        if not valid.any():
            return logits.sum() * 0.0
    if logits.is_contiguous(memory_format=torch.channels_last):  # as a table of pixels, nothing of it is copied
        logits, labels = logits.movedim(1, -1).flatten(0, -2), labels.flatten()
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


def continuity_loss(logits: Tensor, valid: Tensor | None = None) -> Tensor:
    """How much logits change from a pixel to the next: spatial continuity, L_con in equation 15 of the study.

    At each of the (H-1) (W-1) positions ``|r[i+1,j] - r[i,j]| + |r[i,j+1] - r[i,j]|``, summed over positions and the K
    channels, divided by ``K (H-1) (W-1)``, averaged over the batch.

    Parameters
    ----------
    logits
        (N, K, H, W).
    valid
        (N, H, W), bool. Positions where one of the three pixels is invalid are left out. None means all count.

    Returns
    -------
    Tensor
        A scalar in at least float32, also under autocast; 0 where no position counts.

    References
    ----------
    Kim, Kanezaki and Tanaka, "Unsupervised Learning of Image Segmentation Based on Differentiable Feature
    Clustering", IEEE Transactions on Image Processing 2020.
    """
    logits = _at_least_float32(logits)
    corner = logits[:, :, :-1, :-1]
    changes = (logits[:, :, 1:, :-1] - corner).abs() + (logits[:, :, :-1, 1:] - corner).abs()
    if valid is None:
        return changes.mean()
    counted = valid[:, :-1, :-1] & valid[:, 1:, :-1] & valid[:, :-1, 1:]
    positions = counted.sum().clamp(min=1) * logits.shape[1]
    return (changes * counted[:, None]).sum() / positions


def mumford_shah_loss(
    logits: Tensor,
    images: Tensor,
    valid: Tensor | None = None,
    *,
    tv_weight: float = 0.001,
    reduction: Reduction = "mean",
) -> Tensor:
    """The Mumford-Shah functional of a soft segmentation: L_ms in equation 16 of the study.

    With ``p = softmax(r)``, and for each image and class the centroid ``c_k = sum_i x_i p_ik / sum_i p_ik``, through
    which the gradient flows: ``sum_k sum_i |x_i - c_k|^2 p_ik + lambda |grad p_ik|_1``, the gradient by forward
    differences.

    Parameters
    ----------
    logits
        (N, K, H, W).
    images
        (N, B, H, W), in [0, 1].
    valid
        (N, H, W), bool: pixels that count, and differences between two of them. None means all.
    tv_weight
        lambda, the weight of the total variation.
    reduction
        ``mean`` over the valid pixels of the batch, or ``sum`` as in the original code, which then multiplies by 1e-6.

    Returns
    -------
    Tensor
        A scalar in at least float32, also under autocast; 0 where no pixel counts.

    References
    ----------
    Kim and Ye, "Mumford-Shah Loss Functional for Image Segmentation With Deep Learning", IEEE Transactions on Image
    Processing 2020.
    """
    shares = torch.softmax(_at_least_float32(logits), dim=1)
    images = images.to(shares.dtype)
    inside = torch.ones_like(images[:, 0], dtype=torch.bool) if valid is None else valid
    counted = (shares * inside[:, None]).flatten(2)  # p (N, K, n)
    pixels = images.flatten(2)  # x (N, B, n)
    mass = counted.sum(dim=2).clamp(min=torch.finfo(shares.dtype).tiny)
    centroids = torch.einsum("nki,nbi->nkb", counted, pixels) / mass[:, :, None]
    fit = shares.new_zeros(())
    for band in range(pixels.shape[1]):  # one band at a time: all at once would take B times the memory
        deviation = pixels[:, None, band] - centroids[:, :, band, None]
        fit = fit + (deviation.square() * counted).sum()
    down = (shares[:, :, 1:] - shares[:, :, :-1]).abs() * (inside[:, 1:] & inside[:, :-1])[:, None]
    right = (shares[:, :, :, 1:] - shares[:, :, :, :-1]).abs() * (inside[:, :, 1:] & inside[:, :, :-1])[:, None]
    total = fit + tv_weight * (down.sum() + right.sum())
    return total if reduction == "sum" else total / inside.sum().clamp(min=1)


def _at_least_float32(logits: Tensor) -> Tensor:
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


_IGNORED = -100  # torch's own mark for "no label here"
