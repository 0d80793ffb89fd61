"""How far one label map is from being a refinement of another."""

from __future__ import annotations

__all__ = [
    "compute_global_consistency_error",
    "compute_local_consistency_error",
    "global_consistency_error",
    "local_consistency_error",
]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terrasift.metrics.averages import mean_from_counts
from terrasift.metrics.contingency import ContingencyTable
from terrasift.metrics.inputs import Ignore, LabelArray


def global_consistency_error(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray], ignore: Ignore = None
) -> float:
    """Global consistency error (GCE): 0 is a perfect refinement, lower is better.

    A pixel's error is the share of its region in one map that lies outside its region in the other. GCE is
    the mean over pixels of the error from truth to prediction or the other way round, whichever is lower. It
    is 0 where every region of one map lies within a region of the other, so it cannot see over- or
    under-segmentation: compare it only between maps with about as many regions.

    Parameters
    ----------
    predicted, truth
        Label maps (H, W) of any integer dtype, arrays or tensors; a list of several truths is averaged over.
    ignore
        A label, or a mask (H, W) that is True at pixels to leave out.

    Returns
    -------
    float
        In 0..1; NaN where no pixel counts.

    Raises
    ------
    InputError
        Where a dtype is wrong or shapes differ.

    References
    ----------
    .. [1] Martin, Fowlkes, Tal, Malik, "A database of human segmented natural images", ICCV 2001,
       https://doi.org/10.1109/ICCV.2001.937655

    Examples
    --------
    >>> import numpy as np
    >>> global_consistency_error(np.array([[0, 0, 1, 1]]), np.array([[0, 0, 0, 1]]))
    0.25
    """
    return mean_from_counts(compute_global_consistency_error, predicted, truth, ignore)


def compute_global_consistency_error(table: ContingencyTable) -> float:
    """`global_consistency_error` from counts."""
    if not table.total:
        return float("nan")
    return float(min(table.counts @ errors for errors in _refinement_errors(table)) / table.total)


def local_consistency_error(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray], ignore: Ignore = None
) -> float:
    """Local consistency error (LCE): 0 is a perfect refinement, lower is better.

    As `global_consistency_error`, but the direction is chosen at every pixel, so it forgives a refinement one
    way here and the other way there, and is never higher.

    Parameters
    ----------
    predicted, truth, ignore
        As in `global_consistency_error`.

    Returns
    -------
    float
        In 0..1; NaN where no pixel counts.

    References
    ----------
    .. [1] Martin, Fowlkes, Tal, Malik, "A database of human segmented natural images", ICCV 2001,
       https://doi.org/10.1109/ICCV.2001.937655
    """
    return mean_from_counts(compute_local_consistency_error, predicted, truth, ignore)


def compute_local_consistency_error(table: ContingencyTable) -> float:
    """`local_consistency_error` from counts."""
    if not table.total:
        return float("nan")
    return float(table.counts @ np.minimum(*_refinement_errors(table)) / table.total)


def _refinement_errors(table: ContingencyTable) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For the pixels of each cell, the share of their region that lies outside that of the other map."""
    predicted, truth = table.predicted_regions.areas_of_cells, table.truth_regions.areas_of_cells
    return (predicted - table.counts) / predicted, (truth - table.counts) / truth
