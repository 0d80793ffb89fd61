"""How much one label map tells about another: entropies of the contingency counts."""

from __future__ import annotations

__all__ = [
    "adjusted_mutual_information",
    "compute_adjusted_mutual_information",
    "compute_normalized_mutual_information",
    "compute_variation_of_information",
    "normalized_mutual_information",
    "variation_of_information",
]

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import SettingError
from terrasift.metrics.averages import mean_from_counts
from terrasift.metrics.chance import expected_mutual_information
from terrasift.metrics.contingency import ContingencyTable
from terrasift.metrics.inputs import Ignore, LabelArray


def variation_of_information(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray], base: float = 2, ignore: Ignore = None
) -> float:
    """Variation of information (VoI): 0 is perfect, lower is better.

    ``H(predicted | truth) + H(truth | predicted)``: what remains to be told about each map once the other
    is known. The first term grows with splitting true regions, the second with merging them.

    Parameters
    ----------
    predicted, truth
        Label maps (H, W) of any integer dtype, arrays or tensors; a list of several truths is averaged over.
    base
        Base of the logarithm. 2 gives bits, as the Berkeley benchmark and scikit-image do; `math.e` and 10
        are also found.
    ignore
        A label, or a mask (H, W) that is True at pixels to leave out.

    Returns
    -------
    float
        From 0 to the logarithm of the number of pixels; NaN where no pixel counts.

    Raises
    ------
    InputError
        Where a dtype is wrong or shapes differ.
    SettingError
        Where `base` is not above 1.

    References
    ----------
    .. [1] Meila, "Comparing clusterings: an information based distance", Journal of Multivariate Analysis 98,
       2007, https://doi.org/10.1016/j.jmva.2006.11.013

    Examples
    --------
    >>> import numpy as np
    >>> halves, whole = np.array([[0, 0, 1, 1]]), np.array([[0, 0, 0, 0]])
    >>> variation_of_information(halves, whole)
    1.0
    """
    return mean_from_counts(partial(compute_variation_of_information, base=base), predicted, truth, ignore)


def compute_variation_of_information(table: ContingencyTable, base: float = 2) -> float:
    """`variation_of_information` from counts."""
    if not base > 1:
        raise SettingError("base", f"{base} is no base of a logarithm", "2, math.e and 10 are usual")
    if not table.total:
        return float("nan")
    share = table.counts / table.total
    given_truth = np.log(table.truth_regions.areas_of_cells / table.counts)
    given_predicted = np.log(table.predicted_regions.areas_of_cells / table.counts)
    return float(share @ (given_truth + given_predicted) / np.log(base))


def normalized_mutual_information(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray], ignore: Ignore = None
) -> float:
    """Normalised mutual information (NMI): 1 is perfect, 0 is none, higher is better.

    ``I(predicted, truth) / ((H(predicted) + H(truth)) / 2)``, the arithmetic mean as in scikit-learn. It is
    not corrected for chance: many small regions raise it. Identical partitions score 1.

    Parameters
    ----------
    predicted, truth, ignore
        As in `variation_of_information`.

    Returns
    -------
    float
        In 0..1; NaN where no pixel counts.
    """
    return mean_from_counts(compute_normalized_mutual_information, predicted, truth, ignore)


def compute_normalized_mutual_information(table: ContingencyTable) -> float:
    """`normalized_mutual_information` from counts."""
    if not table.total:
        return float("nan")
    information, mean_entropy = _information_and_mean_entropy(table)
    return 1.0 if information == mean_entropy else information / mean_entropy


def adjusted_mutual_information(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray], ignore: Ignore = None
) -> float:
    """Adjusted mutual information (AMI): 1 is perfect, 0 is what chance gives, higher is better.

    ``(I - E) / ((H(predicted) + H(truth)) / 2 - E)``, with E the mean of I over all ways to place regions of
    these sizes at random. Identical partitions score 1.

    Parameters
    ----------
    predicted, truth, ignore
        As in `variation_of_information`.

    Returns
    -------
    float
        At most 1; NaN where no pixel counts.

    References
    ----------
    .. [1] Vinh, Epps, Bailey, "Information theoretic measures for clusterings comparison", JMLR 11, 2010.
    """
    return mean_from_counts(compute_adjusted_mutual_information, predicted, truth, ignore)


def compute_adjusted_mutual_information(table: ContingencyTable) -> float:
    """`adjusted_mutual_information` from counts."""
    if not table.total:
        return float("nan")
    information, mean_entropy = _information_and_mean_entropy(table)
    if information == mean_entropy:
        return 1.0
    expected = expected_mutual_information(table.predicted_regions.areas, table.truth_regions.areas)
    return (information - expected) / (mean_entropy - expected)


def _information_and_mean_entropy(table: ContingencyTable) -> tuple[float, float]:
    """I and (H + H) / 2 in nats; the same number, exactly, for identical partitions."""
    entropies = _entropy(table.predicted_regions.areas) + _entropy(table.truth_regions.areas)
    variation = compute_variation_of_information(table, math.e)
    return max(entropies - variation, 0.0) / 2, entropies / 2


def _entropy(areas: NDArray[np.int64]) -> float:
    """In nats, of areas that are at least one pixel each."""
    shares = areas / areas.sum()
    return float(-shares @ np.log(shares))
