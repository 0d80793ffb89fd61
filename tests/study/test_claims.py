"""Verdicts against their rules written out by hand."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import pytest

from terrasift.study.claims import Finding, judge_claims
from terrasift.study.experiments import EXPERIMENTS, Claim
from terrasift.study.published import PUBLISHED_SCORES
from terrasift.study.results import CellResult


def result(
    experiment: str,
    variant: str,
    value: float,
    seed: int = 0,
    *,
    classifier: int = 1,
    best: bool = True,
    dataset: str = "here",
    folder: str | None = None,
) -> CellResult:
    scores = dict.fromkeys(PUBLISHED_SCORES.values(), value)
    path = Path(folder or f"{experiment} {variant}") / str(seed)
    return CellResult(experiment, dataset, variant, seed, classifier, best, scores, path, {})


def found(results: list[CellResult], text: str, score: str, dataset: str = "here") -> Finding:
    (finding,) = [
        finding
        for finding in judge_claims(results)
        if text in finding.claim.text and (finding.score, finding.dataset) == (score, dataset)
    ]
    return finding


def two_cells(one: list[float], two: list[float]) -> list[CellResult]:
    return [
        result("classifiers", variant, value, seed)
        for variant, values in (("1 classifier(s)", one), ("2 classifier(s)", two))
        for seed, value in enumerate(values)
    ]


@pytest.mark.parametrize(("one", "two", "verdict"), [(0.5, 0.6, "holds"), (0.6, 0.5, "fails")])
def test_without_repetition_agreeing_pairs_decide(one: float, two: float, verdict: str) -> None:
    finding = found(two_cells([one], [two]), "Two classifiers", "mean_iou")
    assert finding.verdict == verdict
    assert finding.difference == pytest.approx(two - one)
    assert math.isnan(finding.spread)
    assert (finding.in_favour, finding.pairs) == (int(two > one), 1)


@pytest.mark.parametrize("two", [0.5, 0.5004, 0.4996])
def test_what_the_tables_would_not_show_is_within_the_spread(two: float) -> None:
    assert found(two_cells([0.5], [two]), "Two classifiers", "accuracy").verdict == "within the spread"


def test_without_repetition_pairs_that_disagree_are_within_the_spread() -> None:
    values = {"SEEK; WCE": 0.9, "DIC; WCE": 0.8, "Kan; WCE": 0.1, "SEEK; CE": 0.2, "DIC; CE": 0.2, "Kan; CE": 0.2}
    finding = found([result("cross-entropy", *item) for item in values.items()], "beats the plain", "mean_iou")
    assert finding.verdict == "within the spread"
    assert (finding.in_favour, finding.pairs) == (2, 3)
    assert finding.difference == pytest.approx((0.7 + 0.6 - 0.1) / 3)


def test_lower_is_better_where_it_is() -> None:
    results = [result("feature-extractor", variant, value) for variant, value in (("SEEK", 0.3), ("DIC", 0.4))]
    text = "SEEK is better than DIC"
    assert found(results, text, "global_consistency_error").verdict == "holds"
    assert found(results, text, "segmentation_covering").verdict == "fails"
    assert found(results, text, "variation_of_information").difference == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ([0.50, 0.52, 0.51], [0.60, 0.61, 0.62]),
        ([0.50, 0.60, 0.40], [0.51, 0.61, 0.42]),
        ([0.60, 0.61], [0.50, 0.52, 0.51]),
        ([0.5], [0.6, 0.61]),
    ],
)
def test_spread_of_repeated_cells(one: list[float], two: list[float]) -> None:
    finding = found(two_cells(one, two), "Two classifiers", "accuracy")
    squares = sum((value - statistics.mean(values)) ** 2 for values in (one, two) for value in values)
    pooled = squares / (len(one) + len(two) - 2)
    error = math.sqrt(pooled / len(one) + pooled / len(two))
    difference = statistics.mean(two) - statistics.mean(one)
    assert finding.spread == pytest.approx(error)
    assert finding.difference == pytest.approx(difference)
    expected = "within the spread" if abs(difference) < 2 * error else "holds" if difference > 0 else "fails"
    assert finding.verdict == expected


def test_a_cell_in_many_pairs_counts_as_often() -> None:
    """`none` against three others: its variance enters whole, a ninth of each of theirs."""
    values = {
        "none": [0.6, 0.64],
        "geometric": [0.5, 0.52],
        "colour": [0.4, 0.44],
        "geometric and colour": [0.3, 0.31],
    }
    results = [
        result("augmentation", variant, value, seed)
        for variant, pair in values.items()
        for seed, value in enumerate(pair)
    ]
    pooled = statistics.mean(statistics.variance(pair) for pair in values.values())
    finding = found(results, "No augmentation", "mean_f1")
    assert finding.spread == pytest.approx(math.sqrt(pooled / 2 * (1 + 3 / 9)))
    assert finding.difference == pytest.approx(0.62 - (0.51 + 0.42 + 0.305) / 3)


def test_repetition_anywhere_in_a_data_set_counts_but_shared_runs_once() -> None:
    results = two_cells([0.5], [0.6])
    for experiment, variant in (("feature-extractor", "DIC"), ("number-of-classes", "DIC; K=100")):
        results += [result(experiment, variant, value, seed, folder="dic") for seed, value in enumerate((0.4, 0.42))]
    results += [result("feature-extractor", "SEEK", value, seed) for seed, value in enumerate((0.1, 0.1, 0.4))]
    results += [result("loss", "WCE", value, seed, dataset="there") for seed, value in enumerate((0, 1))]
    pooled = (statistics.variance([0.4, 0.42]) + 2 * statistics.variance([0.1, 0.1, 0.4])) / 3
    assert found(results, "Two classifiers", "mean_iou").spread == pytest.approx(math.sqrt(2 * pooled))


def test_a_cell_counts_by_the_classifier_that_maps_best() -> None:
    results = [
        result("classifiers", "1 classifier(s)", 0.5),
        result("classifiers", "2 classifier(s)", 0.9, best=False),
        result("classifiers", "2 classifier(s)", 0.4, classifier=2),
    ]
    assert found(results, "Two classifiers", "accuracy").verdict == "fails"


def test_claims_wait_for_their_cells() -> None:
    assert judge_claims([]) == []
    assert judge_claims([result("classifiers", "1 classifier(s)", 0.5)]) == []
    elsewhere = [
        result("classifiers", "1 classifier(s)", 0.5),
        result("classifiers", "2 classifier(s)", 0.5, dataset="there"),
    ]
    assert judge_claims(elsewhere) == []


def test_data_sets_are_judged_apart() -> None:
    results = two_cells([0.5], [0.6])
    results += [
        result("classifiers", "1 classifier(s)", 0.6, dataset="there"),
        result("classifiers", "2 classifier(s)", 0.5, dataset="there"),
    ]
    assert found(results, "Two classifiers", "accuracy").verdict == "holds"
    assert found(results, "Two classifiers", "accuracy", "there").verdict == "fails"


def test_an_undefined_score_supports_nothing_and_spoils_no_other_spread() -> None:
    assert found(two_cells([0.5], [math.nan]), "Two classifiers", "accuracy").verdict == "within the spread"
    results = [*two_cells([0.4, 0.5], [0.6]), result("loss", "WCE", math.nan), result("loss", "WCE", 0.5, 1)]
    pooled = statistics.variance([0.4, 0.5])
    assert found(results, "Two classifiers", "accuracy").spread == pytest.approx(math.sqrt(1.5 * pooled))


@pytest.mark.parametrize(
    ("text", "score", "difference"),
    [
        ("Two classifiers beat one", "accuracy", 0.609 - 0.594),
        ("Superpixels beat the external", "mean_iou", 0.331 - 0.325),  # both have 60.9 % before: the first counts
        ("continuity loss", "variation_of_information", 1.75 - 1.62),
        ("No added loss", "mean_iou", 0.325 - (0.295 + 0.293) / 2),
    ],
)
def test_published_differences(text: str, score: str, difference: float) -> None:
    """From Tables VI to VIII on Potsdam, by hand."""
    results = [
        result(experiment.name, cell.variant, 0.5, dataset="potsdam")
        for experiment in EXPERIMENTS
        for cell in experiment.cells
    ]
    assert found(results, text, score, "potsdam").published == pytest.approx(difference)


def test_nothing_was_published_on_other_data() -> None:
    assert found(two_cells([0.5], [0.6]), "Two classifiers", "accuracy").published is None


def test_every_claim_is_judged_once_all_cells_are_done() -> None:
    results = [
        result(experiment.name, cell.variant, 0.5, dataset="potsdam3")
        for experiment in EXPERIMENTS
        for cell in experiment.cells
    ]
    findings = judge_claims(results)
    claims: list[tuple[Claim, str]] = [
        (claim, score) for experiment in EXPERIMENTS for claim in experiment.claims for score in claim.scores
    ]
    assert [(finding.claim, finding.score) for finding in findings] == claims
    assert [finding.published is None for finding in findings] == [
        f.experiment in ("baselines", "targets") for f in findings
    ]
