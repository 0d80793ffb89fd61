"""Means over classes, over several truths of an image, and over images: of the scores that are defined."""

from __future__ import annotations

__all__ = ["mean_from_counts", "mean_of_defined", "mean_over_truths", "score_truths"]

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from terrasift.errors import InputError
from terrasift.metrics.contingency import ContingencyTable, contingency
from terrasift.metrics.inputs import Ignore, LabelArray, as_array

Score = TypeVar("Score")


def mean_of_defined(scores: ArrayLike) -> float:
    """The mean of the scores that are not NaN; NaN where there are none."""
    every = np.asarray(scores, np.float64)
    defined = every[~np.isnan(every)]
    return float(defined.mean()) if defined.size else float("nan")


def mean_over_truths(
    score: Callable[[LabelArray, LabelArray, Ignore], float],
    predicted: LabelArray,
    truth: LabelArray | Sequence[LabelArray],
    ignore: Ignore,
) -> float:
    """The mean of the score over all truths that give one; NaN where none does."""
    return mean_of_defined(score_truths(score, predicted, truth, ignore))


def mean_from_counts(
    score: Callable[[ContingencyTable], float],
    predicted: LabelArray,
    truth: LabelArray | Sequence[LabelArray],
    ignore: Ignore,
) -> float:
    """The same for a score that follows from the pixels that regions share."""
    return mean_of_defined([score(table) for table in score_truths(contingency, predicted, truth, ignore)])


def score_truths(
    score: Callable[[LabelArray, LabelArray, Ignore], Score],
    predicted: LabelArray,
    truth: LabelArray | Sequence[LabelArray],
    ignore: Ignore,
) -> list[Score]:
    """The score against each truth: of one map, or of a list or tuple of them.

    Raises
    ------
    InputError
        Where `predicted` is not a single label map (H, W), or there is no truth.
    """
    labels = as_array("predicted", predicted)
    if labels.ndim != 2:
        raise InputError("predicted", f"has shape {labels.shape}", "give one label map (H, W) at a time")
    truths = list(truth) if isinstance(truth, Sequence) else [truth]
    if not truths:
        raise InputError("truth", "is an empty list", "give at least one label map")
    return [score(labels, one, ignore) for one in truths]
