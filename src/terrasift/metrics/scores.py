"""All scores of a segmentation at once."""

from __future__ import annotations

__all__ = ["SCORE_NAMES", "compute_region_scores", "segmentation_scores", "segmentation_scores_by_rows"]

from collections.abc import Sequence

from terrasift.metrics.averages import mean_of_defined, score_truths
from terrasift.metrics.boundaries import boundary_displacement_error
from terrasift.metrics.boundary_rows import ReadRows, boundary_displacement_error_by_rows
from terrasift.metrics.consistency import compute_global_consistency_error, compute_local_consistency_error
from terrasift.metrics.contingency import ContingencyTable, contingency
from terrasift.metrics.covering import compute_segmentation_covering
from terrasift.metrics.information import (
    compute_adjusted_mutual_information,
    compute_normalized_mutual_information,
    compute_variation_of_information,
)
from terrasift.metrics.inputs import Ignore, LabelArray
from terrasift.metrics.pairs import compute_adjusted_rand_index, compute_rand_index

# What the functions below give, in this order.
SCORE_NAMES = (
    "variation_of_information",
    "probabilistic_rand_index",
    "global_consistency_error",
    "local_consistency_error",
    "segmentation_covering",
    "prediction_covering",
    "adjusted_rand_index",
    "normalized_mutual_information",
    "adjusted_mutual_information",
    "boundary_displacement_error",
)


def segmentation_scores(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray], ignore: Ignore = None
) -> dict[str, float]:
    """Every score of two segmentations by name, from one count of the pixels they share.

    Parameters
    ----------
    predicted, truth
        Label maps (H, W) of any integer dtype, arrays or tensors. Labels are names: they may be negative, have
        gaps, and mean different things in the two maps. A region is all pixels of a label, connected or not.
        Over a list of several truths every score is averaged.
    ignore
        A label, or a mask (H, W) that is True at pixels to leave out. Pixels where either map holds the label
        count nowhere.

    Returns
    -------
    dict
        Floats under the names of `terrasift.metrics.facts.FACTS`. All are NaN where no pixel counts, and none
        otherwise.

    Raises
    ------
    InputError
        Where a dtype is wrong or shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> scores = segmentation_scores(np.array([[7, 7, 9, 9]]), np.array([[1, 1, 2, 2]]))
    >>> scores["segmentation_covering"], scores["boundary_displacement_error"]
    (1.0, 0.0)
    """
    of_truths = score_truths(_scores, predicted, truth, ignore)
    return {name: mean_of_defined([scores[name] for scores in of_truths]) for name in of_truths[0]}


def segmentation_scores_by_rows(
    read_rows: ReadRows, shape: tuple[int, int], ignore: int | None = None, rows: int = 512
) -> dict[str, float]:
    """`segmentation_scores` of two rasters too large for memory, read a band of rows at a time, three times.

    The scores are those of the whole rasters, to rounding.

    Parameters
    ----------
    read_rows, shape, ignore, rows
        As in `boundary_displacement_error_by_rows`.

    Examples
    --------
    >>> import numpy as np
    >>> predicted, truth = np.eye(4, dtype=int), np.eye(4, dtype=int)
    >>> read_rows = lambda start, stop: (predicted[start:stop], truth[start:stop])
    >>> segmentation_scores_by_rows(read_rows, (4, 4), rows=2)["probabilistic_rand_index"]
    1.0
    """
    displacement = boundary_displacement_error_by_rows(read_rows, shape, ignore, rows)
    bands = ((top, min(top + rows, shape[0])) for top in range(0, shape[0], rows))
    table = ContingencyTable.merged(contingency(*read_rows(*band), ignore) for band in bands)
    return compute_region_scores(table) | {"boundary_displacement_error": displacement}


def compute_region_scores(table: ContingencyTable) -> dict[str, float]:
    """The scores of `segmentation_scores` that follow from counts: all but the boundary displacement error."""
    return {
        "variation_of_information": compute_variation_of_information(table),
        "probabilistic_rand_index": compute_rand_index(table),
        "global_consistency_error": compute_global_consistency_error(table),
        "local_consistency_error": compute_local_consistency_error(table),
        "segmentation_covering": compute_segmentation_covering(table),
        "prediction_covering": compute_segmentation_covering(table, covered="predicted"),
        "adjusted_rand_index": compute_adjusted_rand_index(table),
        "normalized_mutual_information": compute_normalized_mutual_information(table),
        "adjusted_mutual_information": compute_adjusted_mutual_information(table),
    }


def _scores(predicted: LabelArray, truth: LabelArray, ignore: Ignore) -> dict[str, float]:
    displacement = boundary_displacement_error(predicted, truth, ignore)
    return compute_region_scores(contingency(predicted, truth, ignore)) | {"boundary_displacement_error": displacement}
