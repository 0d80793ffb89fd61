"""The scores of a run in tables: overall, class by class, region by region, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from terrasift.evaluation import ClassifierScores, Evaluation
from terrasift.legend import LandClass
from terrasift.metrics import CLASS_SCORES, FACTS

__all__ = ["Confusion", "Score", "ScoreTable", "confusion_of", "score_tables"]

_OVERALL = ("accuracy", "mean_iou", "weighted_iou", "mean_f1", "kappa")


class Score(NamedTuple):
    """One number about the whole test set."""

    symbol: str
    title: str
    text: str
    unit: str


class ClassRow(NamedTuple):
    """One class."""

    name: str
    color: str
    scores: list[str]
    pixels: str


class ScoreTable(NamedTuple):
    """One classifier."""

    classifier: int
    is_best: bool
    overall: list[Score]
    regions: list[Score]
    rows: list[ClassRow]
    means: list[str]
    columns: list[str]
    images: int


class ConfusionCell(NamedTuple):
    """Pixels of one class taken for another."""

    text: str
    """Per cent of the true class."""
    pixels: str
    shade: int
    """The same, whole, to colour it by."""


class ConfusionRow(NamedTuple):
    """One true class."""

    name: str
    color: str
    pixels: str
    cells: list[ConfusionCell]


class Confusion(NamedTuple):
    """Rows are true classes, columns what they were taken for."""

    classifier: int
    names: list[str]
    rows: list[ConfusionRow]


def score_tables(evaluation: Evaluation) -> list[ScoreTable]:
    """A table for each classifier, the best on the mapping set first; of one alone nothing is best."""
    best = evaluation.best
    ordered = sorted(evaluation.classifiers, key=lambda scores: scores is not best)
    classes = _classes(evaluation)
    return [_table(classes, scores, len(ordered) > 1 and scores is best) for scores in ordered]


def confusion_of(evaluation: Evaluation) -> Confusion:
    """Of the classifier that is best on the mapping set."""
    best = evaluation.best
    rows = []
    for entry, line in zip(_classes(evaluation), best.confusion.counts, strict=True):
        total = int(line.sum())
        shares = 100 * line / total if total else np.zeros(len(line))
        cells = [
            ConfusionCell(f"{share:.1f}" if total else "–", f"{pixels:,}", round(share))
            for share, pixels in zip(shares.tolist(), line.tolist(), strict=True)
        ]
        rows.append(ConfusionRow(entry.name, entry.color, f"{total:,}", cells))
    return Confusion(best.classifier, list(evaluation.classes), rows)


def _classes(evaluation: Evaluation) -> tuple[LandClass, ...]:
    assert evaluation.truth is not None  # a report shows no others
    return evaluation.truth.legend.classes


def _table(classes: Sequence[LandClass], scores: ClassifierScores, is_best: bool) -> ScoreTable:
    matrix, regions = scores.confusion, scores.regions
    rows = [
        ClassRow(
            entry.name,
            entry.color,
            [FACTS[f"mean_{name}"].text(getattr(matrix, name)[index]) for name in CLASS_SCORES],
            f"{matrix.support[index]:,}",
        )
        for index, entry in enumerate(classes)
    ]
    return ScoreTable(
        classifier=scores.classifier,
        is_best=is_best,
        overall=[_score(name, getattr(matrix, name)) for name in _OVERALL],
        regions=[_score(name, regions[name]) for name in FACTS if name in regions],
        rows=rows,
        means=[FACTS[mean].text(getattr(matrix, mean)) for mean in (f"mean_{name}" for name in CLASS_SCORES)],
        columns=list(CLASS_SCORES.values()),
        images=len(scores.images),
    )


def _score(name: str, value: float) -> Score:
    facts = FACTS[name]
    return Score(f"{facts.symbol} {facts.arrow}", facts.title, facts.text(value), facts.unit)
