"""Class refinement: the labels of a network made constant inside regions by majority vote."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["refine"]


def refine(labels: Tensor, regions: Tensor, valid: Tensor | None = None) -> Tensor:
    """Give every pixel the most frequent label of its region in its image; ties go to the lowest label.

    Parameters
    ----------
    labels
        (N, H, W), integers from 0, the argmax of the logits.
    regions
        (N, H, W), integers from 0: the superpixel map of each image. A region is the set of pixels of one image
        that share a number; it need not be connected.
    valid
        (N, H, W), bool: pixels that vote. None means all. A region without any valid pixel gets label 0.

    Returns
    -------
    Tensor
        (N, H, W), int64. No gradient flows through it.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> labels = torch.tensor([[[3, 3, 1, 2]]])
    >>> regions = torch.tensor([[[0, 0, 0, 1]]])
    >>> refine(labels, regions)
    tensor([[[3, 3, 3, 2]]])

    References
    ----------
    Kanezaki, "Unsupervised Image Segmentation by Backpropagation", ICASSP 2018.
    """
    if labels.shape != regions.shape or (valid is not None and valid.shape != labels.shape):
        shapes = [tuple(t.shape) for t in (labels, regions, valid) if t is not None]
        raise ValueError(f"labels, regions and valid must have one shape (N, H, W), not {shapes}")
    if labels.numel() == 0:
        return labels.long()
    classes = int(labels.max()) + 1
    per_image = int(regions.max()) + 1
    image = torch.arange(len(labels), device=labels.device).view(-1, 1, 1)
    region = regions.long() + image * per_image  # one number for each region of the batch
    ballots = region * classes + labels
    ballots = ballots.flatten() if valid is None else ballots[valid]
    votes = torch.bincount(ballots, minlength=len(labels) * per_image * classes).view(-1, classes)
    # The lowest label must win a tie on every device, which argmax alone does not promise.
    preference = torch.arange(classes - 1, -1, -1, device=labels.device)
    winner = (votes * classes + preference).argmax(dim=1)
    return winner[region]
