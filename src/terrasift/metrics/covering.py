"""How well the regions of one label map cover those of another."""

from __future__ import annotations

__all__ = ["compute_segmentation_covering", "segmentation_covering"]

from collections.abc import Sequence
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from terrasift.errors import SettingError
from terrasift.metrics.averages import mean_from_counts
from terrasift.metrics.contingency import ContingencyTable
from terrasift.metrics.inputs import Ignore, LabelArray

Covered: TypeAlias = Literal["truth", "predicted"]


def segmentation_covering(
    predicted: LabelArray,
    truth: LabelArray | Sequence[LabelArray],
    covered: Covered = "truth",
    ignore: Ignore = None,
) -> float:
    """Segmentation covering (SC): 1 is perfect, higher is better.

    The mean, weighted by area, of the best intersection over union that each region of the covered map finds
    among the regions of the other.

    Parameters
    ----------
    predicted, truth
        Label maps (H, W) of any integer dtype, arrays or tensors; a list of several truths is averaged over.
    covered
        Which map is covered by the other. The Berkeley benchmark covers the truth.
    ignore
        A label, or a mask (H, W) that is True at pixels to leave out.

    Returns
    -------
    float
        Above 0, at most 1; NaN where no pixel counts.

    Raises
    ------
    InputError
        Where a dtype is wrong or shapes differ.
    SettingError
        Where `covered` is neither of the two.

    References
    ----------
    .. [1] Arbelaez, Maire, Fowlkes, Malik, "Contour detection and hierarchical image segmentation", IEEE TPAMI
       33, 2011, section 2.3.3, https://doi.org/10.1109/TPAMI.2010.161

    Examples
    --------
    >>> import numpy as np
    >>> segmentation_covering(np.array([[0, 0, 1, 1]]), np.array([[0, 0, 0, 0]]))
    0.5
    """
    return mean_from_counts(partial(compute_segmentation_covering, covered=covered), predicted, truth, ignore)


def compute_segmentation_covering(table: ContingencyTable, covered: Covered = "truth") -> float:
    """`segmentation_covering` from counts."""
    if covered not in ("truth", "predicted"):
        raise SettingError("covered", f"is {covered!r}", "'truth' or 'predicted'")
    if not table.total:
        return float("nan")
    regions = table.truth_regions if covered == "truth" else table.predicted_regions
    union = table.truth_regions.areas_of_cells + table.predicted_regions.areas_of_cells - table.counts
    best = np.zeros(regions.areas.size)
    np.maximum.at(best, regions.of_cells, table.counts / union)
    return float(regions.areas @ best / table.total)
