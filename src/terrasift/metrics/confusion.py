"""Scores of classes, from how often each is taken for each."""

from __future__ import annotations

__all__ = ["ConfusionMatrix", "confusion_matrix"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError, SettingError
from terrasift.metrics.averages import mean_of_defined
from terrasift.metrics.contingency import ContingencyTable, contingency
from terrasift.metrics.facts import CLASS_SCORES, FACTS
from terrasift.metrics.inputs import Ignore, LabelArray
from terrasift.notebook import data_frame, html_table, new_axes

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes


def confusion_matrix(predicted: LabelArray, truth: LabelArray, classes: int, ignore: Ignore = 255) -> ConfusionMatrix:
    """Count the pixels of every true class that were predicted as every class.

    Parameters
    ----------
    predicted, truth
        Labels of one shape, which may be any, e.g. a batch: NumPy arrays or tensors of any integer dtype.
    classes
        The number of classes, C. Labels are 0..C-1.
    ignore
        A label, or a mask of the same shape that is True at pixels to leave out. Pixels where either map
        holds the label count nowhere: a prediction of `ignore` is no prediction, neither right nor wrong. With
        more than 255 classes, give another label than 255.

    Raises
    ------
    InputError
        Where a dtype is wrong, shapes differ, or a pixel that counts has a label outside 0..C-1.
    SettingError
        Where `classes` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> confusion_matrix(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 255]), classes=2).counts
    array([[1, 1],
           [0, 1]])
    """
    if classes < 1:
        raise SettingError("classes", f"is {classes}", "there is at least one")
    return ConfusionMatrix.from_contingency(contingency(predicted, truth, ignore), classes)


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """Counts of pixels by true and by predicted class, and every score that follows from them.

    TP, FP, FN and TN are the true and false positives and negatives of one class against all others.
    Scores per class are float64 (C,), in 0..1. Two rules say what they are where a formula gives 0/0:

    - A class that occurs in neither map has no score: NaN, and left out of every mean.
    - A class that occurs in one map only scores 0 in precision, recall, F1 and IoU, and so lowers their
      means (as in scikit-learn and torchmetrics).

    Parameters
    ----------
    counts
        int64 (C, C): pixels of the true class of the row, predicted as the class of the column. Matrices
        of several images add up with ``+``.

    Raises
    ------
    InputError
        Where `counts` is not a square matrix of integers.

    Examples
    --------
    >>> import numpy as np
    >>> matrix = ConfusionMatrix(np.array([[40, 10], [0, 50]]))
    >>> matrix
    ConfusionMatrix(2 classes, 100 pixels: accuracy 90.0 %, mean IoU 81.7 %, kappa 0.800)
    >>> matrix.accuracy, matrix.iou
    (0.9, array([0.8       , 0.83333333]))
    >>> matrix.to_frame(["road", "water"])[["precision", "recall", "support"]]  # doctest: +NORMALIZE_WHITESPACE
           precision  recall  support
    class
    road    1.000000     0.8       50
    water   0.833333     1.0       50
    """

    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts)
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.dtype.kind not in "iu":
            raise InputError("counts", f"{counts.dtype} of shape {counts.shape}", "give integers, C by C")
        object.__setattr__(self, "counts", counts.astype(np.int64, copy=False))

    def __repr__(self) -> str:
        kappa = FACTS["kappa"].text(self.kappa)
        return f"ConfusionMatrix({len(self.counts)} classes, {self.total:,} pixels: {self.summary}, kappa {kappa})"

    def _repr_html_(self) -> str:
        rows = [(index, *(f"{count:,}" for count in row)) for index, row in enumerate(self.counts.tolist())]
        return html_table(repr(self), rows, ("true class, predicted as", *self._names(None)))

    def to_frame(self, classes: Sequence[str] | None = None) -> pandas.DataFrame:
        """Scores of each class, a row each, by its name in `classes` or else its index; `support` is in pixels."""
        return data_frame(
            {"class": self._names(classes)} | {name: getattr(self, name) for name in (*CLASS_SCORES, "support")},
            "class",
        )

    def plot(self, classes: Sequence[str] | None = None, axes: Axes | None = None) -> Axes:
        """Draw which share of each true class is predicted as which class.

        Parameters
        ----------
        classes
            Their names; None: their indices.
        axes
            What to draw on; None: a new figure.

        Raises
        ------
        InputError
            If there are not as many names as classes.
        """
        from sklearn.metrics import ConfusionMatrixDisplay

        there = self.support > 0
        shares = self.counts / np.maximum(self.support, 1)[:, None]
        display = ConfusionMatrixDisplay(shares, display_labels=self._names(classes))
        display.plot(ax=new_axes(axes), cmap="Blues", values_format=".0%", xticks_rotation="vertical", colorbar=False)
        for text in display.text_[~there].flat:  # of no pixel there is no share
            text.set_text("")
        drawn: Axes = display.ax_
        drawn.set(xlabel="predicted class", ylabel="true class")
        return drawn

    def _names(self, classes: Sequence[str] | None) -> list[str]:
        names = list(map(str, range(len(self.counts)) if classes is None else classes))
        if len(names) != len(self.counts):
            raise InputError("classes", f"{len(names)} names for {len(self.counts)} classes", "name each one, in order")
        return names

    @classmethod
    def from_contingency(cls, table: ContingencyTable, classes: int) -> ConfusionMatrix:
        """The matrix from counts at hand, whose labels are to be 0..classes-1 or else raise an InputError."""
        for name, labels in (("predicted", table.predicted), ("truth", table.truth)):
            outside = labels[(labels < 0) | (labels >= classes)]
            if outside.size:
                raise InputError(name, f"label {outside[0]} is outside 0..{classes - 1}", "map it or ignore it")
        counts = np.zeros((classes, classes), np.int64)
        counts[table.truth, table.predicted] = table.counts
        return cls(counts)

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        if self.counts.shape != other.counts.shape:
            raise InputError("counts", f"{len(self.counts)} classes and {len(other.counts)} classes do not add up")
        return ConfusionMatrix(self.counts + other.counts)

    @property
    def summary(self) -> str:
        """The two scores asked for first, in words."""
        accuracy, iou = FACTS["accuracy"], FACTS["mean_iou"]
        return f"accuracy {accuracy.text_with_unit(self.accuracy)}, mean IoU {iou.text_with_unit(self.mean_iou)}"

    @property
    def total(self) -> int:
        """The number of pixels, N."""
        return int(self.counts.sum())

    @property
    def support(self) -> NDArray[np.int64]:
        """int64 (C,): pixels of each class in the truth."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def accuracy(self) -> float:
        """The share of pixels predicted right, overall: trace / N. NaN without pixels."""
        return float(np.trace(self.counts) / self.total) if self.total else float("nan")

    @property
    def kappa(self) -> float:
        """Cohen's kappa: accuracy above chance, at most 1. NaN where chance alone is always right.

        Cohen, "A coefficient of agreement for nominal scales", 1960.
        """
        if not self.total:
            return float("nan")
        chance = float((self.support / self.total) @ (self._predicted / self.total))
        return (self.accuracy - chance) / (1 - chance) if chance < 1 else float("nan")

    @property
    def class_accuracy(self) -> NDArray[np.float64]:
        """(TP + TN) / N: the share of pixels on the right side of "this class or not"."""
        return self._ratio(self._hits + self._true_negatives, np.full(len(self.counts), self.total))

    @property
    def precision(self) -> NDArray[np.float64]:
        """TP / (TP + FP): the share of the pixels predicted as the class that are of it."""
        return self._ratio(self._hits, self._predicted)

    @property
    def recall(self) -> NDArray[np.float64]:
        """TP / (TP + FN): the share of the pixels of the class that are predicted as it."""
        return self._ratio(self._hits, self.support)

    @property
    def specificity(self) -> NDArray[np.float64]:
        """TN / (TN + FP): the share of the pixels of other classes that are predicted as others.

        NaN, too, for a class that is the whole truth: there are no other pixels to score.
        """
        others = self.total - self.support
        return np.where(others > 0, self._ratio(self._true_negatives, others), np.nan)

    @property
    def f1(self) -> NDArray[np.float64]:
        """2 TP / (2 TP + FP + FN): the harmonic mean of precision and recall (Dice's coefficient)."""
        return self._ratio(2 * self._hits, self.support + self._predicted)

    @property
    def iou(self) -> NDArray[np.float64]:
        """TP / (TP + FP + FN): intersection over union (Jaccard's index)."""
        return self._ratio(self._hits, self._union)

    @property
    def mean_class_accuracy(self) -> float:
        """Unweighted mean of `class_accuracy`."""
        return mean_of_defined(self.class_accuracy)

    @property
    def mean_precision(self) -> float:
        """Unweighted mean of `precision`."""
        return mean_of_defined(self.precision)

    @property
    def mean_recall(self) -> float:
        """Unweighted mean of `recall`."""
        return mean_of_defined(self.recall)

    @property
    def mean_specificity(self) -> float:
        """Unweighted mean of `specificity`."""
        return mean_of_defined(self.specificity)

    @property
    def mean_f1(self) -> float:
        """Unweighted mean of `f1`."""
        return mean_of_defined(self.f1)

    @property
    def mean_iou(self) -> float:
        """Unweighted mean of `iou` (mIoU)."""
        return mean_of_defined(self.iou)

    @property
    def weighted_iou(self) -> float:
        """Mean of `iou`, each class weighted by its share of the truth (wIoU). NaN without pixels."""
        if not self.total:
            return float("nan")
        return float(np.nan_to_num(self.iou) @ (self.support / self.total))

    def scores(self) -> dict[str, Any]:
        """Every score by name, in plain numbers and lists ready for JSON; None where undefined."""
        means = (f"mean_{name}" for name in CLASS_SCORES)
        names = ("total", "accuracy", "kappa", *means, "weighted_iou", "support", *CLASS_SCORES)
        return {name: _plain(getattr(self, name)) for name in names} | {"counts": self.counts.tolist()}

    @property
    def _hits(self) -> NDArray[np.int64]:
        return np.diagonal(self.counts)

    @property
    def _predicted(self) -> NDArray[np.int64]:
        return np.asarray(self.counts.sum(axis=0))

    @property
    def _union(self) -> NDArray[np.int64]:
        return self.support + self._predicted - self._hits

    @property
    def _true_negatives(self) -> NDArray[np.int64]:
        return self.total - self._union

    def _ratio(self, part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
        """part / whole by the two rules of the class."""
        ratio = np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
        return np.where(self._union > 0, ratio, np.nan)


def _plain(score: Any) -> Any:
    """The score as JSON can hold it, which has neither arrays nor NaN."""
    if isinstance(score, np.ndarray):
        return [_plain(element) for element in score.tolist()]
    return None if score != score else score
