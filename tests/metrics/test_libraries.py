"""Against the libraries that have the metric."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.metrics import variation_of_information as skimage_variation_of_information
from sklearn import metrics as sklearn
from sklearn.metrics.cluster import expected_mutual_information as sklearn_expected_mutual_information

from terrasift.metrics import (
    adjusted_mutual_information,
    adjusted_rand_index,
    confusion_matrix,
    contingency,
    normalized_mutual_information,
    rand_index,
    variation_of_information,
)
from terrasift.metrics.boundaries import distances_between
from terrasift.metrics.chance import expected_mutual_information

LabelArray = NDArray[np.integer]


@pytest.fixture(params=range(20))
def pair(request: pytest.FixtureRequest) -> tuple[LabelArray, LabelArray]:
    generator = np.random.default_rng(request.param)
    shape = tuple(generator.integers(1, 60, 2))
    truth = generator.integers(0, generator.integers(1, 40), shape)
    noise = generator.random(shape) < generator.random()
    return np.where(noise, generator.integers(0, 10, shape), truth), truth


def test_information(pair: tuple[LabelArray, LabelArray]) -> None:
    predicted, truth = pair
    assert variation_of_information(predicted, truth) == pytest.approx(
        sum(skimage_variation_of_information(truth, predicted)), abs=1e-12
    )
    for base in (math.e, 10):
        in_bits = variation_of_information(predicted, truth)
        assert variation_of_information(predicted, truth, base) == pytest.approx(in_bits * math.log(2, base))
    flat = truth.ravel(), predicted.ravel()
    assert normalized_mutual_information(predicted, truth) == pytest.approx(
        sklearn.normalized_mutual_info_score(*flat), abs=1e-12
    )
    assert adjusted_mutual_information(predicted, truth) == pytest.approx(
        sklearn.adjusted_mutual_info_score(*flat), abs=1e-9
    )


def test_pairs(pair: tuple[LabelArray, LabelArray]) -> None:
    predicted, truth = pair
    flat = truth.ravel(), predicted.ravel()
    assert rand_index(predicted, truth) == pytest.approx(sklearn.rand_score(*flat), abs=1e-12)
    assert adjusted_rand_index(predicted, truth) == pytest.approx(sklearn.adjusted_rand_score(*flat), abs=1e-12)


def test_contingency(pair: tuple[LabelArray, LabelArray]) -> None:
    predicted, truth = pair
    table = contingency(predicted, truth)
    dense = sklearn.cluster.contingency_matrix(truth.ravel(), predicted.ravel())
    assert table.counts.tolist() == dense[dense > 0].tolist()
    assert table.truth_regions.areas.tolist() == dense.sum(axis=1).tolist()
    assert table.predicted_regions.areas.tolist() == dense.sum(axis=0).tolist()


def test_classes(pair: tuple[LabelArray, LabelArray]) -> None:
    predicted, truth = (labels % 7 for labels in pair)
    flat = truth.ravel(), predicted.ravel()
    matrix = confusion_matrix(predicted, truth, classes=7)
    assert matrix.counts.tolist() == sklearn.confusion_matrix(*flat, labels=range(7)).tolist()
    assert matrix.accuracy == pytest.approx(sklearn.accuracy_score(*flat))
    averaged = {"average": "macro", "zero_division": 0}
    assert matrix.mean_precision == pytest.approx(sklearn.precision_score(*flat, **averaged))
    assert matrix.mean_recall == pytest.approx(sklearn.recall_score(*flat, **averaged))
    assert matrix.mean_f1 == pytest.approx(sklearn.f1_score(*flat, **averaged))
    assert matrix.mean_iou == pytest.approx(sklearn.jaccard_score(*flat, **averaged))
    assert matrix.weighted_iou == pytest.approx(sklearn.jaccard_score(*flat, average="weighted", zero_division=0))
    if len(np.unique(flat)) > 1:
        assert matrix.kappa == pytest.approx(sklearn.cohen_kappa_score(*flat))


@pytest.mark.parametrize(
    ("predicted_areas", "truth_areas"),
    [
        ([12], [5, 7]),
        ([1] * 12, [5, 7]),
        ([1, 1, 2, 8], [1, 2, 9]),
        ([3, 3, 3, 3], [6, 6]),
        ([20_000, 30_000, 1], [49_000, 1_000, 1]),
        (list(range(1, 80)), [3160 - 79, *[1] * 79]),
    ],
)
def test_information_by_chance(predicted_areas: list[int], truth_areas: list[int]) -> None:
    # Any table with these sums gives the same expectation: that of sorted labels.
    predicted = np.repeat(range(len(predicted_areas)), predicted_areas)
    truth = np.repeat(range(len(truth_areas)), truth_areas)
    table = sklearn.cluster.contingency_matrix(truth, predicted, sparse=True)
    expected = sklearn_expected_mutual_information(table, truth.size)
    ours = expected_mutual_information(np.array(predicted_areas), np.array(truth_areas))
    assert ours == pytest.approx(expected, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("density", [1e-4, 1e-3, 1e-2, 0.5])
def test_distances(density: float) -> None:
    generator = np.random.default_rng(0)
    start, end = generator.random((2, 500, 700)) < density
    start[0, 0] = end[-1, -1] = True
    assert distances_between(start, end) == pytest.approx(distance_transform_edt(~end)[start], abs=1e-12)


def test_distances_are_exact_up_to_1000_pixels() -> None:
    start, end = np.ones((601, 801), np.bool_), np.zeros((601, 801), np.bool_)
    end[0, 0] = True
    rows, columns = np.nonzero(start)
    assert np.abs(distances_between(start, end) - np.hypot(rows, columns)).max() < 1e-12


def test_distances_too_long_to_be_exact_as_float32() -> None:
    start, end = np.zeros((2, 6000, 6000), np.bool_)
    start[-50:, -50:] = end[:40, :30] = True
    end[0, 0] = True
    rows, columns = np.nonzero(start)
    assert distances_between(start, end) == pytest.approx(np.hypot(rows - 39, columns - 29), abs=1e-3)
