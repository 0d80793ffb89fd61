"""Five hundred small maps against the definitions written out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terrasift.metrics import confusion_matrix, segmentation_scores
from tests.metrics import naive_metrics

LabelArray = NDArray[np.integer]


@pytest.fixture(scope="module")
def pairs() -> list[tuple[LabelArray, LabelArray]]:
    """Blocky or noisy, related or not, from one label to about as many as there are pixels."""
    generator = np.random.default_rng(7)
    found = []
    for _ in range(500):
        height, width = generator.integers(2, 9, 2)
        coarse = generator.integers(0, generator.integers(1, 12), (height, width))
        zoom = int(generator.integers(1, 4))
        truth = np.kron(coarse, np.ones((zoom, zoom), int))[:height, :width]
        noise = generator.random((height, width)) < generator.random()
        predicted = np.where(noise, generator.integers(0, generator.integers(1, 12), (height, width)), truth)
        found.append((predicted, truth))
    return found


@pytest.fixture(scope="module")
def scores(pairs: list[tuple[LabelArray, LabelArray]]) -> list[dict[str, float]]:
    return [segmentation_scores(*pair) for pair in pairs]


@pytest.mark.parametrize("name", naive_metrics.SCORES)
def test_scores_follow_their_definitions(
    pairs: list[tuple[LabelArray, LabelArray]], scores: list[dict[str, float]], name: str
) -> None:
    expected = [naive_metrics.SCORES[name](*pair) for pair in pairs]
    assert [score[name] for score in scores] == pytest.approx(expected, abs=1e-12)


def test_class_scores_follow_their_definitions(pairs: list[tuple[LabelArray, LabelArray]]) -> None:
    for predicted, truth in pairs:
        matrix = confusion_matrix(predicted, truth, classes=12)
        for name in np.intersect1d(predicted, truth):
            for score, expected in naive_metrics.class_scores(predicted, truth, name).items():
                assert getattr(matrix, score)[name] == pytest.approx(expected, nan_ok=True), score
        assert matrix.accuracy == pytest.approx((predicted == truth).mean())
        weights = np.bincount(truth.ravel(), minlength=12) / truth.size
        assert matrix.weighted_iou == pytest.approx(sum(weights[c] * matrix.iou[c] for c in np.unique(truth)))
