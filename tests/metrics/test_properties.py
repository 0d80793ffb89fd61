"""What must hold for any two label maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from terrasift.metrics import FACTS, compute_region_scores, contingency, segmentation_scores
from terrasift.metrics.scores import SCORE_NAMES

LabelArray = NDArray[np.integer]

PERFECT = {name: 1.0 if FACTS[name].higher_is_better else 0.0 for name in SCORE_NAMES}
SYMMETRIC = set(SCORE_NAMES) - {"segmentation_covering", "prediction_covering"}


@st.composite
def pairs(draw: st.DrawFn, largest: int = 8) -> tuple[LabelArray, LabelArray]:
    shape = draw(st.tuples(st.integers(1, largest), st.integers(1, largest)))
    labels = arrays(np.int16, shape, elements=st.integers(-3, 4))
    return draw(labels), draw(labels)


def approximately(scores: dict[str, float]) -> dict[str, float]:
    return {name: pytest.approx(score, abs=1e-12) for name, score in scores.items()}


@given(pairs())
def test_scores_are_within_their_bounds(pair: tuple[LabelArray, LabelArray]) -> None:
    for name, score in segmentation_scores(*pair).items():
        assert FACTS[name].lower - 1e-9 <= score <= FACTS[name].upper + 1e-9, name


@given(pairs(), st.permutations(range(8)), st.integers(-(2**62), 2**62))
def test_labels_are_only_names(pair: tuple[LabelArray, LabelArray], names: list[int], offset: int) -> None:
    predicted, truth = pair
    renamed = np.array(names, np.int64)[predicted + 3] * 1000 + offset
    assert segmentation_scores(renamed, truth) == approximately(segmentation_scores(predicted, truth))


@given(pairs())
def test_most_scores_are_symmetric(pair: tuple[LabelArray, LabelArray]) -> None:
    predicted, truth = pair
    scores, swapped = segmentation_scores(predicted, truth), segmentation_scores(truth, predicted)
    for name in SYMMETRIC:
        assert scores[name] == pytest.approx(swapped[name], abs=1e-12), name
    assert scores["segmentation_covering"] == pytest.approx(swapped["prediction_covering"])


@given(pairs())
def test_identical_maps_score_perfect(pair: tuple[LabelArray, LabelArray]) -> None:
    assert segmentation_scores(pair[0], pair[0]) == PERFECT


@given(pairs())
def test_a_refinement_is_consistent(pair: tuple[LabelArray, LabelArray]) -> None:
    coarse, other = pair
    fine = coarse * 100 + other
    for one_way in ((fine, coarse), (coarse, fine)):
        scores = segmentation_scores(*one_way)
        assert scores["global_consistency_error"] == 0
        assert scores["local_consistency_error"] == 0


@given(pairs())
def test_the_local_error_is_never_above_the_global(pair: tuple[LabelArray, LabelArray]) -> None:
    scores = segmentation_scores(*pair)
    assert scores["local_consistency_error"] <= scores["global_consistency_error"] + 1e-12


@given(pairs(), st.data())
def test_windows_in_any_order_add_up(pair: tuple[LabelArray, LabelArray], data: st.DataObject) -> None:
    predicted, truth = pair
    height, width = truth.shape
    row, column = data.draw(st.integers(0, height)), data.draw(st.integers(0, width))
    windows = [np.s_[:row, :column], np.s_[:row, column:], np.s_[row:, :column], np.s_[row:, column:]]
    tables = [contingency(predicted[window], truth[window]) for window in data.draw(st.permutations(windows))]
    whole, summed = contingency(predicted, truth), tables[0] + tables[1] + tables[2] + tables[3]
    assert summed.predicted.tolist() == whole.predicted.tolist()
    assert summed.truth.tolist() == whole.truth.tolist()
    assert summed.counts.tolist() == whole.counts.tolist()
    assert compute_region_scores(summed) == compute_region_scores(whole)


@given(pairs(), st.data())
def test_what_is_ignored_might_as_well_not_be_there(pair: tuple[LabelArray, LabelArray], data: st.DataObject) -> None:
    predicted, truth = pair
    height, width = truth.shape
    rows = slice(data.draw(st.integers(0, height - 1)), height)
    columns = slice(0, data.draw(st.integers(1, width)))
    mask = np.ones(truth.shape, bool)
    mask[rows, columns] = False
    expected = approximately(segmentation_scores(predicted[rows, columns], truth[rows, columns]))
    assert segmentation_scores(predicted, truth, ignore=mask) == expected
    assert segmentation_scores(np.where(mask, 99, predicted), truth, ignore=99) == expected
    assert segmentation_scores(predicted, np.where(mask, 99, truth), ignore=99) == expected


@given(st.integers(1, 6), st.integers(1, 6))
def test_one_label_against_one_label_each_pixel(height: int, width: int) -> None:
    pixels = height * width
    scores = segmentation_scores(np.arange(pixels).reshape(height, width), np.zeros((height, width), int))
    assert scores["variation_of_information"] == pytest.approx(math.log2(pixels))
    assert scores["probabilistic_rand_index"] == (0 if pixels > 1 else 1)
    assert scores["segmentation_covering"] == pytest.approx(1 / pixels)
    assert scores["global_consistency_error"] == 0
    assert not any(math.isnan(score) for score in scores.values())
