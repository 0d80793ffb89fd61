"""What is known of each score beside its value: which way is better, its bounds, its unit."""

from __future__ import annotations

__all__ = ["CLASS_SCORES", "COMPARED", "FACTS", "MetricFacts"]

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
    decimals
        With which it is printed.
    unit
        In which it is printed: ``%`` for shares, empty for indices.
    """

    title: str
    symbol: str
    higher_is_better: bool
    lower: float
    upper: float
    decimals: int = 3
    unit: str = ""

    @property
    def arrow(self) -> str:
        """Which way is better, as a sign for tables."""
        return "↑" if self.higher_is_better else "↓"

    def printed(self, value: float) -> float:
        """A value in its unit, rounded as it is printed: what ties are judged by."""
        return round(value * (100 if self.unit == "%" else 1), self.decimals) + 0.0  # + 0.0: no minus zero

    def text(self, value: float | None) -> str:
        """A value as reports, commands and the study print it, without its unit; a dash where it is not defined.

        Examples
        --------
        >>> FACTS["accuracy"].text(0.8125), FACTS["kappa"].text(0.75), FACTS["mean_iou"].text(float("nan"))
        ('81.2', '0.750', '–')
        """
        return "–" if value is None or value != value else f"{self.printed(value):.{self.decimals}f}"

    def text_with_unit(self, value: float | None) -> str:
        """The same with its unit, where sentences and mixed tables need it."""
        text = self.text(value)
        return text if text == "–" else f"{text} {self.unit}".rstrip()

    def difference_text(self, value: float) -> str:
        """A difference of two values, with its sign."""
        shown = self.printed(value) if value == value else 0.0
        sign = "+" if shown > 0 else "−" if shown < 0 else ""
        return f"{sign}{self.text(abs(value))}"

    def is_better(self, difference: float) -> bool:
        """Whether a difference, as printed, is towards the better."""
        shown = self.printed(difference)
        return shown > 0 if self.higher_is_better else shown < 0


# By the keys of `ConfusionMatrix.scores` and of `segmentation_scores`, each in the order that papers report them.
FACTS: dict[str, MetricFacts] = {
    "accuracy": MetricFacts("overall accuracy", "Acc", True, 0, 1, 1, "%"),
    "mean_iou": MetricFacts("mean intersection over union", "mIoU", True, 0, 1, 1, "%"),
    "weighted_iou": MetricFacts("weighted intersection over union", "wIoU", True, 0, 1, 1, "%"),
    "mean_f1": MetricFacts("mean F1", "F1", True, 0, 1, 1, "%"),
    "mean_class_accuracy": MetricFacts("mean class accuracy", "mAcc", True, 0, 1, 1, "%"),
    "mean_precision": MetricFacts("mean precision", "P", True, 0, 1, 1, "%"),
    "mean_recall": MetricFacts("mean recall", "R", True, 0, 1, 1, "%"),
    "mean_specificity": MetricFacts("mean specificity", "S", True, 0, 1, 1, "%"),
    "kappa": MetricFacts("Cohen's kappa", "κ", True, -1, 1),
    "variation_of_information": MetricFacts("variation of information", "VoI", False, 0, inf, 2, "bit"),
    "probabilistic_rand_index": MetricFacts("probabilistic Rand index", "PRI", True, 0, 1),
    "global_consistency_error": MetricFacts("global consistency error", "GCE", False, 0, 1),
    "boundary_displacement_error": MetricFacts("boundary displacement error", "BDE", False, 0, inf, 1, "px"),
    "segmentation_covering": MetricFacts("covering of the truth", "SC", True, 0, 1),
    "prediction_covering": MetricFacts("covering of the prediction", "SC'", True, 0, 1),
    "local_consistency_error": MetricFacts("local consistency error", "LCE", False, 0, 1),
    "adjusted_rand_index": MetricFacts("adjusted Rand index", "ARI", True, -0.5, 1),
    "normalized_mutual_information": MetricFacts("normalised mutual information", "NMI", True, 0, 1),
    "adjusted_mutual_information": MetricFacts("adjusted mutual information", "AMI", True, -inf, 1),
}

# Scores of single classes, by the properties of `ConfusionMatrix`, and what tables call them; `FACTS` has their means.
CLASS_SCORES = {
    "class_accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "F1",
    "iou": "IoU",
}

# The scores by which methods are compared, and what tables call them.
COMPARED = {"accuracy": "accuracy", "mean_iou": "mean IoU", "weighted_iou": "weighted IoU", "mean_f1": "mean F1"}
