"""What is known of each score beside its value: which way is better, its bounds, its unit."""

from __future__ import annotations

__all__ = ["FACTS", "MetricFacts"]

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class MetricFacts:
    """Facts for tables and plots.

    Parameters
    ----------
    title
        What to call it in words.
    symbol
        What papers call it in tables.
    higher_is_better
        Whether it grows with agreement.
    lower, upper
        The bounds of its values; infinite where there are none.
    unit
        Empty for shares and indices.
    """

    title: str
    symbol: str
    higher_is_better: bool
    lower: float
    upper: float
    unit: str = ""

    @property
    def arrow(self) -> str:
        """Which way is better, as a sign for tables."""
        return "↑" if self.higher_is_better else "↓"


# By the keys of `ConfusionMatrix.scores` and of `segmentation_scores`, each in the order that papers report them.
FACTS: dict[str, MetricFacts] = {
    "accuracy": MetricFacts("overall accuracy", "Acc", True, 0, 1),
    "mean_iou": MetricFacts("mean intersection over union", "mIoU", True, 0, 1),
    "weighted_iou": MetricFacts("weighted intersection over union", "wIoU", True, 0, 1),
    "mean_f1": MetricFacts("mean F1", "F1", True, 0, 1),
    "mean_class_accuracy": MetricFacts("mean class accuracy", "mAcc", True, 0, 1),
    "mean_precision": MetricFacts("mean precision", "P", True, 0, 1),
    "mean_recall": MetricFacts("mean recall", "R", True, 0, 1),
    "mean_specificity": MetricFacts("mean specificity", "S", True, 0, 1),
    "kappa": MetricFacts("Cohen's kappa", "κ", True, -1, 1),
    "variation_of_information": MetricFacts("variation of information", "VoI", False, 0, inf, "bit"),
    "probabilistic_rand_index": MetricFacts("probabilistic Rand index", "PRI", True, 0, 1),
    "global_consistency_error": MetricFacts("global consistency error", "GCE", False, 0, 1),
    "boundary_displacement_error": MetricFacts("boundary displacement error", "BDE", False, 0, inf, "px"),
    "segmentation_covering": MetricFacts("covering of the truth", "SC", True, 0, 1),
    "prediction_covering": MetricFacts("covering of the prediction", "SC'", True, 0, 1),
    "local_consistency_error": MetricFacts("local consistency error", "LCE", False, 0, 1),
    "adjusted_rand_index": MetricFacts("adjusted Rand index", "ARI", True, -0.5, 1),
    "normalized_mutual_information": MetricFacts("normalised mutual information", "NMI", True, 0, 1),
    "adjusted_mutual_information": MetricFacts("adjusted mutual information", "AMI", True, -inf, 1),
}
