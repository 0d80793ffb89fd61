"""Labels of any integer dtype, arrays or tensors; what is ignored; what is refused."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
import torch

from terrasift.errors import InputError, SettingError
from terrasift.metrics import (
    ContingencyTable,
    boundary_displacement_error,
    confusion_matrix,
    contingency,
    inputs,
    segmentation_covering,
    segmentation_scores,
    variation_of_information,
)

TRUTH = np.array([[0, 0, 1, 1, 1], [0, 0, 1, 2, 2], [3, 3, 1, 2, 2]])
PREDICTED = np.array([[5, 5, 5, 4, 4], [5, 5, 4, 4, 4], [6, 6, 6, 6, 4]])
SCORES = segmentation_scores(PREDICTED, TRUTH)

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_integer_dtype(dtype: str) -> None:
    assert segmentation_scores(PREDICTED.astype(dtype), TRUTH) == SCORES
    assert segmentation_scores(PREDICTED, TRUTH.astype(dtype)) == SCORES
    assert segmentation_scores(torch.from_numpy(PREDICTED.astype(dtype)), torch.from_numpy(TRUTH)) == SCORES


@pytest.mark.parametrize(
    ("dtype", "scale", "offset"),
    [("int64", 2**60, -(2**62)), ("uint64", 2**61, 2**60), ("int32", 1, -(2**31)), (">i4", 10**6, 0)],
)
def test_labels_far_apart(dtype: str, scale: int, offset: int) -> None:
    predicted = np.array([[scale * int(label) + offset for label in row] for row in PREDICTED], dtype)
    assert segmentation_scores(predicted, TRUTH) == SCORES


def test_memory_layout_does_not_matter() -> None:
    assert segmentation_scores(np.asfortranarray(PREDICTED), TRUTH) == SCORES
    assert segmentation_scores(np.repeat(PREDICTED, 2, axis=1)[:, ::2], TRUTH) == SCORES


def test_blocks_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    maps = generator.integers(0, 10**6, (2, 90, 110)) // generator.choice([1, 10**5], (2, 90, 110))
    whole = contingency(*maps, ignore=3)
    monkeypatch.setattr(inputs, "BLOCK_PIXELS", 1000)
    # The name terrasift.metrics.contingency is the function's; the module is found by that of its class.
    monkeypatch.setattr(sys.modules[ContingencyTable.__module__], "PENDING_CELLS", 500)
    blocks = contingency(*maps, ignore=3)
    assert whole.counts.tolist() == blocks.counts.tolist()
    assert whole.predicted.tolist() == blocks.predicted.tolist()
    assert whole.truth.tolist() == blocks.truth.tolist()


@pytest.mark.parametrize(
    ("dtype", "ignore"), [("uint64", 2**64 - 1), ("int64", -(2**63)), ("int8", -1), ("uint16", 65535), ("uint8", 255)]
)
def test_the_ignored_label_of_either_map(dtype: str, ignore: int) -> None:
    predicted, truth = PREDICTED.astype(dtype), TRUTH.astype(dtype)
    predicted[0, :2] = ignore
    truth[:, 4] = ignore
    mask = np.zeros(TRUTH.shape, bool)
    mask[0, :2] = mask[:, 4] = True
    expected = segmentation_scores(PREDICTED, TRUTH, ignore=mask)
    assert segmentation_scores(predicted, truth, ignore=ignore) == expected
    assert segmentation_scores(predicted, truth, ignore=np.array(ignore, dtype)[()]) == expected
    assert segmentation_scores(PREDICTED, TRUTH, ignore=torch.from_numpy(mask)) == expected
    assert expected != SCORES


def test_a_label_that_the_dtype_cannot_hold_ignores_nothing() -> None:
    predicted = np.where(PREDICTED == 5, -1, PREDICTED).astype(np.int8)
    assert segmentation_scores(predicted, TRUTH, ignore=255) == SCORES
    assert segmentation_scores(PREDICTED.astype(np.uint8), TRUTH, ignore=-1) == SCORES


def test_nothing_to_score() -> None:
    everywhere = np.ones(TRUTH.shape, bool)
    for scores in (
        segmentation_scores(PREDICTED, TRUTH, ignore=everywhere),
        segmentation_scores(PREDICTED[:0], TRUTH[:0]),
    ):
        assert scores.keys() == SCORES.keys()
        assert all(math.isnan(score) for score in scores.values())


def test_a_truth_without_pixels_does_not_spoil_the_mean() -> None:
    truths = [TRUTH, np.full(TRUTH.shape, 255)]
    assert segmentation_scores(PREDICTED, truths, ignore=255) == SCORES


def test_several_truths() -> None:
    scores = segmentation_scores(PREDICTED, [TRUTH, PREDICTED])
    assert scores["variation_of_information"] == pytest.approx(SCORES["variation_of_information"] / 2)
    assert scores["segmentation_covering"] == pytest.approx((1 + SCORES["segmentation_covering"]) / 2)
    assert segmentation_scores(PREDICTED, (torch.from_numpy(TRUTH),)) == SCORES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PREDICTED, TRUTH[:2]), r"truth: has shape \(2, 5\), but predicted has \(3, 5\)"),
        ((PREDICTED.astype(float), TRUTH), "predicted: holds float64; labels are whole numbers"),
        ((PREDICTED, TRUTH > 0), "truth: holds bool; labels are whole numbers"),
        ((PREDICTED, torch.zeros(3, 5)), "truth: holds float32; labels are whole numbers"),
        ((PREDICTED.tolist(), TRUTH), "predicted: is a list; give a NumPy array or a tensor"),
        ((PREDICTED[None], TRUTH[None]), r"predicted: has shape \(1, 3, 5\); give one label map"),
        ((PREDICTED, []), "truth: is an empty list"),
        ((PREDICTED, TRUTH, TRUTH), "ignore: a mask of int64; a mask holds booleans"),
        ((PREDICTED, TRUTH, TRUTH[:2] > 0), r"ignore: has shape \(2, 5\)"),
        ((PREDICTED, TRUTH, "255"), "ignore: is a str"),
    ],
)
def test_what_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    for function in (segmentation_scores, boundary_displacement_error, segmentation_covering):
        predicted, truth, ignore = (*arguments, None)[:3]
        with pytest.raises(InputError, match=message):
            function(predicted, truth, ignore=ignore)


def test_settings_that_are_refused() -> None:
    with pytest.raises(SettingError, match="base: 1 is no base"):
        variation_of_information(PREDICTED, TRUTH, base=1)
    with pytest.raises(SettingError, match="covered: is 'both'"):
        segmentation_covering(PREDICTED, TRUTH, covered="both")
    with pytest.raises(SettingError, match="classes: is 0"):
        confusion_matrix(PREDICTED, TRUTH, classes=0)
