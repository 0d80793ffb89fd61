"""From a few labelled superpixels to a linear classifier of what the network sees."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.taught import TaughtClassifier
from terrasift.discovery.neighbours import closer_pairs, whiten_by_neighbours
from terrasift.teaching.regions import RegionTable

__all__ = ["FIRST_STRENGTH", "LabelledRegions", "Lesson", "Metric", "learn", "pixels_of_outputs"]

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Of the labels against the regularisation (scikit-learn's C), features being scaled to unit total deviation."""

FIRST_STRENGTH = 0.3
"""That from which labels have to give a reason to go."""

_FOLDS = 10
_ENOUGH = 8  # labelled superpixels a class, on average: to choose by, and to tell how frequent classes are
_LEAN = 0.75  # of the logarithms of frequencies: accuracy asks for more, mean IoU for less


class LabelledRegions(NamedTuple):
    """Superpixels of which the class is known: n superpixels, F features."""

    features: NDArray[np.float32]
    """(n, F): means."""
    classes: NDArray[np.int64]
    """(n,): class indices."""
    groups: NDArray[np.int64]
    """(n,): those that touch one another, and are never on both sides of a cross-validation, share a number."""


class Metric(NamedTuple):
    """How features are compared: ``(features - offset) @ directions`` has unit total deviation over all superpixels."""

    offset: NDArray[np.float64]
    """(F,)."""
    directions: NDArray[np.float64]
    """(F, P)."""

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, F) to (n, P)."""
        return (features.astype(np.float64) - self.offset) @ self.directions

    @classmethod
    def of(cls, table: RegionTable) -> Metric:
        """The metric in which superpixels that touch, and mostly share their class, are alike.

        Parameters
        ----------
        table
            Superpixels that need no labels, many of them.

        References
        ----------
        Bar-Hillel, Hertz, Shental and Weinshall, "Learning a Mahalanobis Metric from Equivalence Constraints", JMLR 6,
        2005: relevant component analysis.
        """
        offset = table.features.mean(axis=0, dtype=np.float64)
        deviations = table.features.std(axis=0, dtype=np.float64)
        scale = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=deviations > 1e-9)
        scaled = ((table.features - offset) * scale).astype(np.float32)
        directions = np.diag(scale)
        if len(table.pairs):
            directions = directions @ whiten_by_neighbours(scaled, closer_pairs(scaled, table.pairs))
        total = np.sqrt(((table.features - offset) @ directions).var(axis=0).sum())
        return cls(offset, directions / max(total, 1e-12))


@dataclass(frozen=True)
class Lesson:
    """What was learned from labels.

    Attributes
    ----------
    classifier
        Its outputs are `classes`, in that order.
    classes
        Indices of the classes that have a label, ascending.
    strength
        The regularisation chosen (`STRENGTHS`).
    frequencies
        (C,): how frequent the classes are taken to be in the scenes; None where labels are too few to tell.
    regions
        (C,), int64: labelled superpixels of each of these classes.
    confusion
        (C, C), int64: labelled superpixels by their class and by what a classifier that had not seen them, nor any that
        touches them, took them for; None where that cannot be tried. Classes with a single group of superpixels have
        empty rows.
    """

    classifier: TaughtClassifier
    classes: tuple[int, ...]
    strength: float
    frequencies: NDArray[np.float64] | None
    regions: NDArray[np.int64]
    confusion: NDArray[np.int64] | None

    @property
    def accuracy(self) -> float | None:
        """The mean over classes of the share that was recognised, in [0, 1]: every class counts alike."""
        if self.confusion is None:
            return None
        tried = self.confusion.sum(axis=1)
        return float((np.diag(self.confusion)[tried > 0] / tried[tried > 0]).mean())

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of `accuracy` (Wilson), as if all superpixels tried had been drawn at random."""
        share = self.accuracy
        if share is None or self.confusion is None:
            return None
        count, z = int(self.confusion.sum()), 1.959964
        middle = (share + z * z / (2 * count)) / (1 + z * z / count)
        half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
        return float(middle - half), float(middle + half)


def learn(
    labelled: LabelledRegions, metric: Metric, table: RegionTable, strengths: Sequence[float] = STRENGTHS
) -> Lesson:
    """Fit a multinomial logistic regression to labels, then lean it towards the classes that are frequent.

    The fit counts all classes alike, whatever the number of their labels. Counting all pixels alike instead would add
    the logarithms of the classes' frequencies to their scores, and rare classes would vanish; three quarters are added.

    Parameters
    ----------
    labelled
        One superpixel at least.
    metric
        In which the regularisation is equally strong in all directions.
    table
        Superpixels that need no labels, in which it is looked how frequent the classes are.
    strengths
        Of the labels against the regularisation, ascending: what is chosen among.

    Notes
    -----
    The strength is the one nearest to `FIRST_STRENGTH` whose loss lies within one standard error of the best: the mean
    log-loss over classes, of superpixels that the fit had not seen, in ten folds (as many as there are groups, if
    fewer). A class's frequency is its mean share over all superpixels by that fit: one step of the expectation
    maximisation of Saerens et al., whose further steps make frequent classes ever more so where the fit is unsure. With
    fewer than eight labelled superpixels a class the strength is `FIRST_STRENGTH`, and nothing is added. With one class
    the scores are constant.

    References
    ----------
    Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984, for the standard error. Saerens,
    Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori Probabilities", Neural Computation
    14, 2002, for the frequencies.
    """
    classes, targets = np.unique(labelled.classes, return_inverse=True)
    points, counts = metric(labelled.features), np.bincount(targets)
    is_enough = len(targets) >= _ENOUGH * len(classes)
    candidates = tuple(strengths) if is_enough or len(strengths) == 1 else (FIRST_STRENGTH,)
    strength, unseen = FIRST_STRENGTH, None
    folds = list(_folds(targets, labelled.groups)) if len(classes) > 1 else []
    if folds:
        tried = [_tried(points, targets, folds, candidate) for candidate in candidates]
        best = _choose([_losses(shares, targets) for shares in tried], candidates)
        strength, unseen = candidates[best], tried[best]
    weight, bias = _fit(points, targets, strength)
    weight = weight @ metric.directions.T
    classifier = TaughtClassifier(weight, bias - weight @ metric.offset)
    frequencies = None
    if is_enough and len(classes) > 1:
        frequencies = table.pixels @ classifier.shares(table.features).astype(np.float64) / table.pixels.sum()
        unseen = None if unseen is None else unseen * frequencies**_LEAN
        classifier = TaughtClassifier(weight, bias - weight @ metric.offset + _LEAN * np.log(frequencies))
    confusion = None if unseen is None else _confusion(unseen, targets)
    return Lesson(classifier, tuple(classes.tolist()), strength, frequencies, counts, confusion)


def pixels_of_outputs(classifier: TaughtClassifier, table: RegionTable) -> NDArray[np.int64]:
    """(C,): pixels of the superpixels that each output of a classifier wins."""
    winners = classifier.scores(table.features).argmax(axis=1)
    return np.bincount(winners, table.pixels, minlength=classifier.outputs).astype(np.int64)


def _folds(targets: NDArray[np.intp], groups: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows to fit and rows to try, every class being among the former; classes of one group are never tried."""
    from sklearn.model_selection import StratifiedGroupKFold

    each = [len(np.unique(groups[targets == index])) for index in range(int(targets.max()) + 1)]
    several = np.flatnonzero(np.array(each)[targets] > 1)
    if not len(several):
        return
    always = np.setdiff1d(np.arange(len(targets)), several)
    most = int(np.bincount(targets[several]).max())
    count = min(_FOLDS, most, len(np.unique(groups[several])))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # it sits out some folds, no more
        split = list(
            StratifiedGroupKFold(count, shuffle=True, random_state=0).split(several, targets[several], groups[several])
        )
    for fitted, tried in split:
        rows = np.concatenate([several[fitted], always])
        if len(tried) and len(np.unique(targets[rows])) == len(each):
            yield rows, several[tried]


def _tried(
    points: NDArray[np.float64],
    targets: NDArray[np.intp],
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    strength: float,
) -> NDArray[np.float64]:
    """(n, C): shares by classifiers that had not seen a row; NaN where it was not tried."""
    shares = np.full((len(targets), int(targets.max()) + 1), np.nan)
    for rows, tried in folds:
        weight, bias = _fit(points[rows], targets[rows], strength)
        scores = points[tried] @ weight.T + bias
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares[tried] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _losses(shares: NDArray[np.float64], targets: NDArray[np.intp]) -> tuple[float, float]:
    """Mean log-loss over classes, of the rows that were tried, and its standard error."""
    seen = ~np.isnan(shares[:, 0])
    losses = -np.log(np.maximum(shares[seen, targets[seen]], 1e-12))
    weights = 1.0 / np.bincount(targets[seen])[targets[seen]]
    weights /= weights.sum()
    mean = float(losses @ weights)
    return mean, float(np.sqrt((losses - mean) ** 2 @ weights**2))


def _choose(losses: list[tuple[float, float]], strengths: Sequence[float]) -> int:
    """Of those within a standard error of the best, the one nearest to `FIRST_STRENGTH`."""
    best, error = min(losses)
    good = [index for index, (mean, _) in enumerate(losses) if mean <= best + error]
    return min(good, key=lambda index: abs(np.log(strengths[index] / FIRST_STRENGTH)))


def _confusion(shares: NDArray[np.float64], targets: NDArray[np.intp]) -> NDArray[np.int64]:
    seen = ~np.isnan(shares[:, 0])
    counts = np.zeros((shares.shape[1],) * 2, np.int64)
    np.add.at(counts, (targets[seen], shares[seen].argmax(axis=1)), 1)
    return counts


def _fit(
    points: NDArray[np.float64], targets: NDArray[np.intp], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (C, P) and biases (C,)."""
    count = int(targets.max()) + 1
    if count == 1:
        return np.zeros((1, points.shape[1])), np.zeros(1)
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000).fit(points, targets)
    if count == 2:  # one score, whose halves are the two classes'
        return np.concatenate([-model.coef_, model.coef_]) / 2, np.concatenate(
            [-model.intercept_, model.intercept_]
        ) / 2
    return model.coef_, model.intercept_
