"""Whether pairs of pixels lie together in both label maps."""

from __future__ import annotations

__all__ = [
    "adjusted_rand_index",
    "compute_adjusted_rand_index",
    "compute_rand_index",
    "probabilistic_rand_index",
    "rand_index",
]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terrasift.metrics.averages import mean_from_counts
from terrasift.metrics.contingency import ContingencyTable
from terrasift.metrics.inputs import Ignore, LabelArray


def rand_index(predicted: LabelArray, truth: LabelArray, ignore: Ignore = None) -> float:
    """Rand index (RI): the share of pairs of pixels on which both maps agree, together or apart.

    Parameters
    ----------
    predicted, truth
        Label maps (H, W) of any integer dtype, arrays or tensors.
    ignore
        A label, or a mask (H, W) that is True at pixels to leave out.

    Returns
    -------
    float
        In 0..1, 1 is perfect; 1 for a single pixel; NaN where no pixel counts.

    Raises
    ------
    InputError
        Where a dtype is wrong or shapes differ.

    References
    ----------
    .. [1] Rand, "Objective criteria for the evaluation of clustering methods", Journal of the American
       Statistical Association 66, 1971, https://doi.org/10.2307/2284239

    Examples
    --------
    >>> import numpy as np
    >>> rand_index(np.array([[0, 0, 1, 1]]), np.array([[0, 0, 0, 0]]))
    0.3333333333333333
    """
    return probabilistic_rand_index(predicted, [truth], ignore)


def probabilistic_rand_index(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray], ignore: Ignore = None
) -> float:
    """Probabilistic Rand index (PRI): the mean Rand index over all truths; 1 is perfect, higher is better.

    Parameters
    ----------
    predicted, ignore
        As in `rand_index`.
    truth
        A label map, or a list of several.

    Returns
    -------
    float
        In 0..1; NaN where no pixel counts.

    References
    ----------
    .. [1] Unnikrishnan, Pantofaru, Hebert, "Toward objective evaluation of image segmentation algorithms",
       IEEE TPAMI 29, 2007, https://doi.org/10.1109/TPAMI.2007.1046
    """
    return mean_from_counts(compute_rand_index, predicted, truth, ignore)


def compute_rand_index(table: ContingencyTable) -> float:
    """`rand_index` from counts."""
    if not table.total:
        return float("nan")
    both, predicted_only, truth_only, neither = _ordered_pairs(table)
    pairs = both + predicted_only + truth_only + neither
    return (both + neither) / pairs if pairs else 1.0


def adjusted_rand_index(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray], ignore: Ignore = None
) -> float:
    """Adjusted Rand index (ARI): 1 is perfect, 0 is what chance gives, higher is better.

    Parameters
    ----------
    predicted, truth, ignore
        As in `probabilistic_rand_index`.

    Returns
    -------
    float
        In -0.5..1; 1 for identical partitions; NaN where no pixel counts.

    References
    ----------
    .. [1] Hubert, Arabie, "Comparing partitions", Journal of Classification 2, 1985,
       https://doi.org/10.1007/BF01908075
    """
    return mean_from_counts(compute_adjusted_rand_index, predicted, truth, ignore)


def compute_adjusted_rand_index(table: ContingencyTable) -> float:
    """`adjusted_rand_index` from counts."""
    if not table.total:
        return float("nan")
    both, predicted_only, truth_only, neither = _ordered_pairs(table)
    if predicted_only == truth_only == 0:
        return 1.0
    agreement = 2 * (both * neither - predicted_only * truth_only)
    largest = (both + predicted_only) * (predicted_only + neither)
    return agreement / (largest + (both + truth_only) * (truth_only + neither))


def _ordered_pairs(table: ContingencyTable) -> tuple[int, int, int, int]:
    """Ordered pairs of pixels that are together in both maps, in the prediction, in the truth, in neither."""
    both, predicted, truth = (
        _sum_of_squares(counts) for counts in (table.counts, table.predicted_regions.areas, table.truth_regions.areas)
    )
    pixels = table.total
    return both - pixels, predicted - both, truth - both, pixels**2 - predicted - truth + both


def _sum_of_squares(counts: NDArray[np.int64]) -> int:
    """Exactly: the squares of 50,000 x 50,000 pixels and what is made of them do not fit 64 bits."""
    return sum(count * count for count in counts.tolist())
