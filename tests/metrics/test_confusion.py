from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from terrasift.errors import InputError
from terrasift.metrics import ConfusionMatrix, confusion_matrix, contingency

NAN = float("nan")


def test_worked_example() -> None:
    # Class 0: 3 of 4 found, 1 false alarm. Class 1: 1 of 2 found, 1 false alarm.
    matrix = ConfusionMatrix(np.array([[3, 1], [1, 1]]))
    assert matrix.total == 6
    assert matrix.support.tolist() == [4, 2]
    assert matrix.accuracy == pytest.approx(4 / 6)
    assert_allclose(matrix.class_accuracy, [4 / 6, 4 / 6])
    assert_allclose(matrix.precision, [3 / 4, 1 / 2])
    assert_allclose(matrix.recall, [3 / 4, 1 / 2])
    assert_allclose(matrix.specificity, [1 / 2, 3 / 4])
    assert_allclose(matrix.f1, [3 / 4, 1 / 2])
    assert_allclose(matrix.iou, [3 / 5, 1 / 3])
    assert matrix.mean_iou == pytest.approx((3 / 5 + 1 / 3) / 2)
    assert matrix.mean_f1 == pytest.approx(5 / 8)
    assert matrix.weighted_iou == pytest.approx(4 / 6 * 3 / 5 + 2 / 6 * 1 / 3)
    assert matrix.kappa == pytest.approx((4 / 6 - 5 / 9) / (1 - 5 / 9))


def test_class_in_neither_map_is_left_out() -> None:
    matrix = ConfusionMatrix(np.array([[3, 1, 0], [1, 1, 0], [0, 0, 0]]))
    for name in ("class_accuracy", "precision", "recall", "specificity", "f1", "iou"):
        assert np.isnan(getattr(matrix, name)[2]), name
    assert matrix.mean_iou == pytest.approx((3 / 5 + 1 / 3) / 2)
    assert matrix.weighted_iou == pytest.approx(4 / 6 * 3 / 5 + 2 / 6 * 1 / 3)


@pytest.mark.parametrize("transposed", [False, True])
def test_class_in_one_map_only_scores_nothing(transposed: bool) -> None:
    counts = np.array([[3, 1], [0, 0]])
    matrix = ConfusionMatrix(counts.T if transposed else counts)
    for name in ("precision", "recall", "f1", "iou"):
        assert getattr(matrix, name)[1] == 0, name
    assert matrix.mean_iou == pytest.approx(3 / 4 / 2)


def test_class_that_is_the_whole_truth_has_no_specificity() -> None:
    matrix = ConfusionMatrix(np.array([[5, 0], [0, 0]]))
    assert_array_equal(matrix.specificity, [NAN, NAN])
    assert np.isnan(matrix.mean_specificity)
    assert np.isnan(matrix.kappa)
    assert matrix.accuracy == matrix.mean_iou == matrix.mean_f1 == matrix.weighted_iou == 1


def test_no_pixels() -> None:
    scores = confusion_matrix(np.array([255]), np.array([0]), classes=2).scores()
    assert scores["total"] == 0
    undefined = set(scores) - {"total", "support", "counts"}
    assert all(scores[name] in (None, [None, None]) for name in undefined)


def test_pixels_ignored_in_either_map_count_nowhere() -> None:
    truth = np.array([0, 0, 255, 1, 1], np.uint8)
    predicted = np.array([0, 255, 1, 1, 0], np.uint8)
    assert confusion_matrix(predicted, truth, classes=2).counts.tolist() == [[1, 0], [1, 1]]
    mask = np.array([True, False, False, False, False])
    assert confusion_matrix(predicted % 255, truth % 255, 2, ignore=mask).counts.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("label", [2, -1])
def test_labels_of_no_class_are_refused(label: int) -> None:
    classes, other = np.array([0, 1, 1]), np.array([0, label, 1])
    with pytest.raises(InputError, match=rf"predicted: label {label} is outside 0\.\.1"):
        confusion_matrix(other, classes, classes=2)
    with pytest.raises(InputError, match=rf"truth: label {label} is outside 0\.\.1"):
        confusion_matrix(classes, other, classes=2)
    assert confusion_matrix(other, classes, classes=2, ignore=label).total == 2


def test_batches_and_tensors() -> None:
    generator = np.random.default_rng(0)
    predicted, truth = generator.integers(0, 6, (2, 3, 20, 30))
    whole = confusion_matrix(predicted, truth, classes=6)
    images = [
        confusion_matrix(torch.from_numpy(p), torch.from_numpy(t), 6) for p, t in zip(predicted, truth, strict=True)
    ]
    assert_array_equal((images[0] + images[1] + images[2]).counts, whole.counts)
    assert_array_equal(ConfusionMatrix.from_contingency(contingency(predicted, truth), 6).counts, whole.counts)


def test_sums_of_unlike_matrices_are_refused() -> None:
    with pytest.raises(InputError, match="2 classes and 3 classes"):
        ConfusionMatrix(np.eye(2, dtype=int)) + ConfusionMatrix(np.eye(3, dtype=int))


@pytest.mark.parametrize("counts", [np.eye(2), np.ones((2, 3), int), np.ones(4, int)])
def test_what_is_no_matrix_of_counts_is_refused(counts: np.ndarray) -> None:
    with pytest.raises(InputError, match="give integers, C by C"):
        ConfusionMatrix(counts)


def test_scores_survive_json() -> None:
    scores = ConfusionMatrix(np.array([[3, 1, 0], [1, 1, 0], [0, 0, 0]])).scores()
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores
    assert scores["iou"] == [pytest.approx(0.6), pytest.approx(1 / 3), None]
    assert scores["counts"] == [[3, 1, 0], [1, 1, 0], [0, 0, 0]]
