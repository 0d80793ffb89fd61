"""A trained run, or a baseline, against labels."""

from __future__ import annotations

from terrasift.evaluation.evaluate import (
    LabelView,
    count_overlaps,
    evaluate_legend,
    evaluate_segmenter,
    evaluate_views,
)
from terrasift.evaluation.scores import (
    BaselineScores,
    ClassifierScores,
    Evaluation,
    LabelledImage,
    Seconds,
    TruthUsed,
)

__all__ = [
    "BaselineScores",
    "ClassifierScores",
    "Evaluation",
    "LabelView",
    "LabelledImage",
    "Seconds",
    "TruthUsed",
    "count_overlaps",
    "evaluate_legend",
    "evaluate_segmenter",
    "evaluate_views",
]
