from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, distributed, multiprocessing

from terrasift import metrics
from terrasift.errors import InputError
from terrasift.metrics import FACTS, accumulators

# The accumulator of each function of one score.
SINGLE = {
    "variation_of_information": accumulators.VariationOfInformation,
    "probabilistic_rand_index": accumulators.ProbabilisticRandIndex,
    "global_consistency_error": accumulators.GlobalConsistencyError,
    "local_consistency_error": accumulators.LocalConsistencyError,
    "boundary_displacement_error": accumulators.BoundaryDisplacementError,
    "segmentation_covering": accumulators.SegmentationCovering,
    "adjusted_rand_index": accumulators.AdjustedRandIndex,
    "normalized_mutual_information": accumulators.NormalizedMutualInformation,
    "adjusted_mutual_information": accumulators.AdjustedMutualInformation,
}


def batch(seed: int = 0, images: int = 4) -> tuple[Tensor, Tensor]:
    """Predictions and truths (N, H, W) of 5 classes, some pixels ignored; one image all ignored."""
    generator = torch.Generator().manual_seed(seed)
    predicted, truth = torch.randint(0, 5, (2, images, 12, 9), generator=generator)
    truth = torch.where(torch.rand(truth.shape, generator=generator) < 0.5, predicted, truth)
    truth[torch.rand(truth.shape, generator=generator) < 0.1] = 255
    truth[-1] = 255
    return predicted, truth


def every_accumulator() -> list[Any]:
    return [
        *(accumulator(ignore=255) for accumulator in SINGLE.values()),
        accumulators.ClassScores(classes=5),
        accumulators.PooledSegmentationCovering(ignore=255),
        accumulators.SegmentationScores(ignore=255),
        accumulators.WindowedRegionScores(ignore=255),
    ]


def feed(metric: Any, predicted: Tensor, truth: Tensor) -> None:
    """Image by image: windows are single maps."""
    for image in range(len(predicted)):
        metric.update(predicted[image], truth[image])


@pytest.mark.parametrize("name", SINGLE)
def test_single_scores_are_averaged_over_images(name: str) -> None:
    predicted, truth = batch()
    metric = SINGLE[name](ignore=255)
    metric.update(predicted, truth)
    scores = [getattr(metrics, name)(predicted[i], truth[i], ignore=255) for i in range(3)]
    assert float(metric.compute()) == pytest.approx(np.mean(scores))
    assert metric.higher_is_better == FACTS[name].higher_is_better
    assert metric.plot_lower_bound == (None if name == "adjusted_mutual_information" else FACTS[name].lower)
    metric.reset()
    feed(metric, predicted, truth)
    assert float(metric.compute()) == pytest.approx(np.mean(scores))


def test_all_scores_are_averaged_over_images() -> None:
    predicted, truth = batch()
    metric = accumulators.SegmentationScores(ignore=255)
    metric.update(predicted, [truth, truth.flip(0)])
    scores = [metrics.segmentation_scores(predicted[i], [truth[i], truth[3 - i]], ignore=255) for i in range(4)]
    assert metric.compute() == {name: pytest.approx(np.mean([s[name] for s in scores])) for name in scores[0]}


def test_class_scores_are_pooled() -> None:
    predicted, truth = batch()
    metric = accumulators.ClassScores(classes=5)
    feed(metric, predicted, truth)
    assert metric.compute() == metrics.confusion_matrix(predicted, truth, classes=5).scores()


def test_pooled_covering_weights_images_by_pixels() -> None:
    large, small = np.zeros((10, 10), int), np.zeros((2, 2), int)
    halves = np.repeat([[0, 1]], 2, axis=0)
    metric = accumulators.PooledSegmentationCovering()
    metric.update(large, large)
    metric.update(halves, small)
    assert float(metric.compute()) == pytest.approx((100 * 1 + 4 * 0.5) / 104)


def test_settings_reach_the_function() -> None:
    predicted, truth = (labels[0] for labels in batch())
    in_nats = accumulators.VariationOfInformation(base=np.e, ignore=255)
    assert float(in_nats(predicted, truth)) == metrics.variation_of_information(predicted, truth, np.e, 255)
    covered = accumulators.SegmentationCovering(covered="predicted", ignore=255)
    assert float(covered(predicted, truth)) == metrics.segmentation_covering(predicted, truth, "predicted", 255)


def test_windows_score_as_one_raster() -> None:
    predicted, truth = np.random.default_rng(0).integers(0, 30, (2, 64, 48)) ** 3
    metric = accumulators.WindowedRegionScores()
    windows = [np.s_[i : i + 20, j : j + 20] for i in range(0, 64, 20) for j in range(0, 48, 20)]
    for window in windows[::-1]:
        metric.update(predicted[window], truth[window])
    whole = metrics.segmentation_scores(predicted, truth)
    del whole["boundary_displacement_error"]
    assert metric.compute() == whole


@pytest.mark.parametrize("metric", every_accumulator(), ids=lambda metric: type(metric).__name__)
def test_interface(metric: Any) -> None:
    (predicted, truth), (more, of_more) = batch(0), batch(1)
    feed(metric, predicted, truth)
    once = metric.compute()
    copy = pickle.loads(pickle.dumps(metric))
    metric.reset()
    feed(metric, predicted, truth)
    assert metric.compute() == once == copy.compute()
    # forward() scores one batch and accumulates, too.
    of_image = metric(more[0], of_more[0])
    both = metric.compute()
    metric.reset()
    metric.update(more[0], of_more[0])
    assert metric.compute() == of_image
    feed(metric, predicted, truth)
    assert approximately(metric.compute(), both)


def test_unlike_batches_are_refused() -> None:
    predicted, truth = batch()
    with pytest.raises(InputError, match=r"truth: has shape \(3, 12, 9\), predicted has \(4, 12, 9\)"):
        accumulators.SegmentationScores().update(predicted, truth[:3])


@pytest.mark.slow
def test_two_processes_score_as_one(tmp_path: Path) -> None:
    multiprocessing.spawn(score_in_process, args=(tmp_path,), nprocs=2)
    in_processes = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    assert in_processes[0] == in_processes[1]
    for metric, scores in zip(every_accumulator(), in_processes[0], strict=True):
        feed(metric, *batch(0))
        assert approximately(scores, plain(metric.compute())), type(metric).__name__


def score_in_process(rank: int, folder: Path) -> None:
    """The first process scores images 1 to 3, the second none; then the other way round for odd metrics."""
    distributed.init_process_group("gloo", init_method=f"file://{folder / 'meet'}", rank=rank, world_size=2)
    predicted, truth = batch(0)
    found = []
    for number, metric in enumerate(every_accumulator()):
        if number % 3 == 0:  # even shares
            feed(metric, predicted[rank::2], truth[rank::2])
        elif rank == number % 2:  # the other process is idle
            feed(metric, predicted, truth)
        found.append(plain(metric.compute()))
    torch.save(found, folder / f"{rank}.pt")
    distributed.destroy_process_group()


def plain(scores: Any) -> Any:
    return scores.item() if isinstance(scores, Tensor) else scores


def approximately(scores: Any, others: Any) -> bool:
    """Equal to rounding; the undefined equals the undefined."""
    if isinstance(scores, dict):
        return scores.keys() == others.keys() and all(approximately(scores[key], others[key]) for key in scores)
    if isinstance(scores, list):
        return all(approximately(*pair) for pair in zip(scores, others, strict=True))
    return scores == others or bool(scores == pytest.approx(others, nan_ok=True))
