"""How far the boundaries of two label maps lie apart."""

from __future__ import annotations

__all__ = ["boundary", "boundary_displacement_error", "distances_between", "frame"]

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrasift.metrics.averages import mean_over_truths
from terrasift.metrics.inputs import Ignore, LabelArray, label_map_pair, valid_pixels

# Rows at a time: temporaries stay in the processor's cache, and are small enough for their memory to be used again.
ROWS = 32


def boundary_displacement_error(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray], ignore: Ignore = None
) -> float:
    """Boundary displacement error (BDE), in pixels: 0 is perfect, lower is better.

    The mean distance from a boundary pixel of one map to the nearest boundary pixel of the other, averaged
    over both directions.

    Parameters
    ----------
    predicted, truth
        Label maps (H, W) of any integer dtype, arrays or tensors; a list of several truths is averaged over.
    ignore
        A label, or a mask (H, W) that is True at pixels to leave out.

    Returns
    -------
    float
        At least 0; NaN where no pixel counts.

    Raises
    ------
    InputError
        Where a dtype is wrong or shapes differ.

    Notes
    -----
    A pixel is on the boundary where the central difference of the labels along either axis is not zero, or
    the one-sided difference where only one neighbour exists. Pixels left out do not exist: their edge is like
    the frame of the image. A map without any boundary has its frame as its boundary. Distances are exact
    Euclidean ones between pixel centres.

    References
    ----------
    .. [1] Freixenet et al., "Yet another survey on image segmentation: region and boundary information
       integration", ECCV 2002. The details are those of the toolbox of Yang and Wright.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[0, 0, 0, 1, 1, 1, 1]])
    >>> boundary_displacement_error(labels[:, :-1], labels[:, 1:])  # boundaries are two pixels wide
    0.5
    """
    return mean_over_truths(_displacement_error, predicted, truth, ignore)


def _displacement_error(predicted: LabelArray, truth: LabelArray, ignore: Ignore) -> float:
    maps = label_map_pair(predicted, truth)
    valid = valid_pixels(maps, ignore)
    if not valid.any():
        return float("nan")
    of_predicted, of_truth = (_boundary_or_frame(labels, valid) for labels in maps)
    to_truth, to_predicted = distances_between(of_predicted, of_truth), distances_between(of_truth, of_predicted)
    return float(to_truth.mean() + to_predicted.mean()) / 2


def _boundary_or_frame(labels: NDArray[np.integer[Any]], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found = boundary(labels, valid)
    return found if found.any() else frame(labels, valid)


def distances_between(start: NDArray[np.bool_], end: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The Euclidean distance from each site of `start`, in row order, to the nearest of `end`, which has at least one.

    OpenCV's are of float32, and differ in the last digit from call to call. As squares they are whole numbers, which
    rounding restores: what is given is exact up to 1,000 pixels, and to 0.001 beyond.
    """
    transform = cv2.distanceTransform((~end).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.sqrt(np.rint(np.square(transform[start], dtype=np.float64))))


def boundary(labels: NDArray[np.integer[Any]], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the labels (H, W) change along either axis, among the pixels that count."""
    found = np.empty(labels.shape, np.bool_)
    for start in range(0, len(labels), ROWS):
        above = max(start - 1, 0)
        some = slice(above, start + ROWS + 1)
        along_both = _changes(labels[some], valid[some]) | _changes(labels[some].T, valid[some].T).T
        found[start : start + ROWS] = along_both[start - above :][:ROWS]
    return found & valid


def _changes(labels: NDArray[np.integer[Any]], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the difference along the first axis is not zero."""
    one_sided = (labels[1:] != labels[:-1]) & valid[1:] & valid[:-1]
    changes = np.zeros_like(labels, np.bool_)
    changes[:-1] |= one_sided
    changes[1:] |= one_sided
    central = labels[2:] != labels[:-2]
    np.copyto(changes[1:-1], central, where=valid[2:] & valid[:-2])
    return changes


def frame(labels: NDArray[np.integer[Any]], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels that count at the edge of the image or of pixels left out; `labels` do not matter."""
    outside = np.pad(~valid, 1, constant_values=True)
    return valid & (outside[:-2, 1:-1] | outside[2:, 1:-1] | outside[1:-1, :-2] | outside[1:-1, 2:])
