"""What our numbers say of each of the study's conclusions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from terrasift.metrics import FACTS
from terrasift.study.experiments import EXPERIMENTS, Claim, Experiment
from terrasift.study.published import PublishedRow, published_of
from terrasift.study.results import CellResult

__all__ = ["Finding", "Verdict", "judge_claims"]

Verdict = Literal["holds", "fails", "within the spread"]


@dataclass(frozen=True)
class Finding:
    """One claim, one data set, one score.

    Attributes
    ----------
    difference
        Mean over the claim's pairs of (better - worse), signed so that positive supports the claim.
    spread
        Standard error that the seeds alone would give this difference; NaN where no cell was repeated.
    in_favour, pairs
        How many pairs support the claim, of how many.
    published
        The same difference in the study's own figures; None where it has none.
    verdict
        ``within the spread`` where the difference is smaller than twice the spread, or where no spread is known and
        the pairs disagree; also where tables would show no difference, or
        none is defined.
    """

    experiment: str
    claim: Claim
    dataset: str
    score: str
    difference: float
    spread: float
    in_favour: int
    pairs: int
    published: float | None
    verdict: Verdict


def judge_claims(results: Sequence[CellResult]) -> list[Finding]:
    """Every claim whose cells are done, for each data set and score. Cells count by the classifier that maps best."""
    best = [result for result in results if result.best]
    findings = []
    for experiment in EXPERIMENTS:
        for claim in experiment.claims:
            for dataset in dict.fromkeys(result.dataset for result in best):
                mine = [r for r in best if (r.experiment, r.dataset) == (experiment.name, dataset)]
                variants = {result.variant for result in mine}
                if not all(variant in variants for pair in claim.pairs for variant in pair):
                    continue
                findings += [
                    _judge(experiment, claim, dataset, score, mine, _deviation(best, dataset, score))
                    for score in claim.scores
                ]
    return findings


def _judge(
    experiment: Experiment, claim: Claim, dataset: str, score: str, results: Sequence[CellResult], deviation: float
) -> Finding:
    values: dict[str, list[float]] = {}
    for result in results:
        values.setdefault(result.variant, []).append(result.scores[score])
    means = {variant: float(np.mean(found)) for variant, found in values.items()}
    differences = _differences(claim, score, means)
    difference = float(np.mean(differences))
    spread = deviation * math.sqrt(_variance_factor(claim, values))
    in_favour = sum(value > 0 for value in differences)
    return Finding(
        experiment.name,
        claim,
        dataset,
        score,
        difference,
        spread,
        in_favour,
        len(differences),
        _published(experiment, claim, dataset, score),
        _verdict(difference, spread, in_favour, len(differences)),
    )


def _verdict(difference: float, spread: float, in_favour: int, pairs: int) -> Verdict:
    unclear = abs(difference) < 2 * spread if spread == spread else 0 < in_favour < pairs
    if unclear or abs(difference) < _LEAST or math.isnan(difference):
        return "within the spread"
    return "holds" if difference > 0 else "fails"


_LEAST = 5e-4  # the tables print shares to a tenth of a per cent, indices to a thousandth


def _differences(claim: Claim, score: str, means: dict[str, float]) -> list[float]:
    sign = 1 if FACTS[score].higher_is_better else -1
    return [sign * (means[better] - means[worse]) for better, worse in claim.pairs]


def _variance_factor(claim: Claim, values: dict[str, list[float]]) -> float:
    """Variance of the mean difference for cells of variance 1: a cell that stands in many pairs counts as often."""
    weights: dict[str, float] = {}
    for better, worse in claim.pairs:
        weights[better] = weights.get(better, 0) + 1 / len(claim.pairs)
        weights[worse] = weights.get(worse, 0) - 1 / len(claim.pairs)
    return sum(weight**2 / len(values[variant]) for variant, weight in weights.items())


def _deviation(results: Sequence[CellResult], dataset: str, score: str) -> float:
    """Standard deviation between seeds, pooled over all cells of a data set that were repeated; NaN if none was."""
    cells: dict[tuple[str, str], dict[Path, float]] = {}
    for result in results:
        if result.dataset == dataset and not math.isnan(result.scores[score]):
            cells.setdefault((result.experiment, result.variant), {})[result.folder] = result.scores[score]
    groups = {frozenset(cell): list(cell.values()) for cell in cells.values()}.values()  # shared by tables: once
    squares = sum(float(np.var(values)) * len(values) for values in groups)
    freedom = sum(len(values) - 1 for values in groups)
    return math.sqrt(squares / freedom) if freedom else math.nan


def _published(experiment: Experiment, claim: Claim, dataset: str, score: str) -> float | None:
    """Of the more accurate of a cell's classifiers, the first of equals, as nobody knows which one mapped best."""
    best: dict[str, PublishedRow] = {}
    for row in published_of(experiment.name, dataset):
        known = best.setdefault(row.variant, row)
        if row.scores["accuracy"] > known.scores["accuracy"]:
            best[row.variant] = row
    if not all(variant in best for pair in claim.pairs for variant in pair):
        return None
    return float(np.mean(_differences(claim, score, {variant: row.scores[score] for variant, row in best.items()})))
