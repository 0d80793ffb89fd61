"""The values that the MATLAB toolboxes of this field give for five images of the Berkeley data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import loadmat

from terrasift.metrics import rand_index, segmentation_scores
from terrasift.metrics.accumulators import PooledSegmentationCovering

IMAGES = (2018, 3063, 5096, 6046, 8068)
BOUNDARY_DISPLACEMENT_ERRORS = (5.877053, 18.794784, 5.310962, 10.160805, 2.792537)
GLOBAL_CONSISTENCY_ERRORS = (0.240784, 0.010650, 0.076611, 0.240620, 0.080616)

LabelArray = NDArray[np.uint16]
Pair = tuple[LabelArray, LabelArray]


@pytest.fixture(scope="module")
def pairs(shared: Path) -> list[Pair]:
    """The first segmentation and the first ground truth of each image."""
    folder = shared / "golden" / "bsds_five"
    if not folder.is_dir():
        pytest.skip("needs ../shared/golden/bsds_five")
    found = []
    for image in IMAGES:
        segmentation = loadmat(folder / "segs" / f"{image}.mat")["segs"].ravel()[0]
        ground_truth = loadmat(folder / "groundTruth" / f"{image}.mat")["groundTruth"].ravel()[0]
        found.append((segmentation, ground_truth["Segmentation"][0, 0]))
    return found


def test_means_over_the_images(pairs: list[Pair]) -> None:
    scores = [segmentation_scores(*pair) for pair in pairs]
    means = {name: np.mean([score[name] for score in scores]) for name in scores[0]}
    assert means["probabilistic_rand_index"] == pytest.approx(0.828962, abs=1e-5)
    assert means["variation_of_information"] == pytest.approx(1.50732, abs=1e-5)


def test_covering_pooled(pairs: list[Pair]) -> None:
    metric = PooledSegmentationCovering()
    for pair in pairs:
        metric.update(*pair)
    assert float(metric.compute()) == pytest.approx(0.635571, abs=1e-5)


@pytest.mark.parametrize("number", range(5))
def test_errors_per_image(pairs: list[Pair], number: int) -> None:
    scores = segmentation_scores(*pairs[number])
    assert scores["boundary_displacement_error"] == pytest.approx(BOUNDARY_DISPLACEMENT_ERRORS[number], abs=1e-5)
    assert scores["global_consistency_error"] == pytest.approx(GLOBAL_CONSISTENCY_ERRORS[number], abs=1e-5)


def covering_by_masks(by: LabelArray, covered: LabelArray) -> float:
    total = 0.0
    for region in (covered == name for name in np.unique(covered)):
        overlaps = [((region & other).sum() / (region | other).sum()) for other in (by == n for n in np.unique(by))]
        total += region.sum() * max(overlaps)
    return float(total / covered.size)


def covering_by_higra(by: LabelArray, covered: LabelArray) -> float:
    higra = pytest.importorskip("higra")
    numbered = [np.unique(labels, return_inverse=True)[1].astype(np.int64) for labels in (covered, by)]
    # Higra covers its first argument, the candidate, by its second.
    return float(higra.assess_partition(*numbered, higra.PartitionMeasure.DCovering))


@pytest.mark.parametrize("covering", [covering_by_masks, covering_by_higra])
@pytest.mark.parametrize("number", range(5))
def test_covering_per_image_both_ways(
    pairs: list[Pair], number: int, covering: Callable[[LabelArray, LabelArray], float]
) -> None:
    predicted, truth = pairs[number]
    scores = segmentation_scores(predicted, truth)
    assert scores["segmentation_covering"] == pytest.approx(covering(predicted, truth), abs=1e-9)
    assert scores["prediction_covering"] == pytest.approx(covering(truth, predicted), abs=1e-9)


def test_several_truths_are_averaged(pairs: list[Pair]) -> None:
    predicted, truth = pairs[0]
    scores = segmentation_scores(predicted, [truth, predicted])
    assert scores["probabilistic_rand_index"] == pytest.approx((1 + rand_index(predicted, truth)) / 2)
    assert scores["boundary_displacement_error"] == pytest.approx(BOUNDARY_DISPLACEMENT_ERRORS[0] / 2, abs=1e-5)
