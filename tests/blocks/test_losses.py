"""Losses against loops over pixels."""

from __future__ import annotations

import itertools
import math
import statistics

import pytest
import torch

from terrasift import weighted_cross_entropy
from terrasift.blocks.losses import class_weights, continuity_loss, mumford_shah_loss


def naive_weighted_cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, weights: list[float], valid: torch.Tensor
) -> float:
    total = weight_sum = 0.0
    for image, row, column in valid.nonzero().tolist():
        scores = logits[image, :, row, column].tolist()
        label = int(labels[image, row, column])
        loss = math.log(sum(math.exp(score) for score in scores)) - scores[label]
        total += weights[label] * loss
        weight_sum += weights[label]
    return total / weight_sum


@pytest.fixture
def case() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 6, 7, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 4, (2, 6, 7), generator=generator)
    return logits, labels, torch.rand(2, 6, 7, generator=generator) < 0.7


@pytest.mark.parametrize("method", ["balanced", "median_frequency", "none"])
def test_loss_equals_a_loop_over_pixels(case: tuple[torch.Tensor, ...], method: str) -> None:
    logits, labels, valid = case
    weights = class_weights(labels, 5, method, valid)  # type: ignore[arg-type]
    expected = naive_weighted_cross_entropy(logits, labels, weights.tolist(), valid)
    assert float(weighted_cross_entropy(logits, labels, weights, valid)) == pytest.approx(expected, abs=1e-6)


def test_gradient(case: tuple[torch.Tensor, ...]) -> None:
    logits, labels, valid = case
    weights = class_weights(labels, 5, "balanced", valid)
    assert torch.autograd.gradcheck(
        lambda tensor: weighted_cross_entropy(tensor, labels, weights, valid), logits.requires_grad_()
    )


def test_weights_are_those_of_the_formulas(case: tuple[torch.Tensor, ...]) -> None:
    _, labels, valid = case
    counts = [int(((labels == c) & valid).sum()) for c in range(4)]
    balanced = [sum(counts) / (4 * n) for n in counts] + [0.0]
    median = [statistics.median(counts) / n for n in counts] + [0.0]
    torch.testing.assert_close(class_weights(labels, 5, "balanced", valid), torch.tensor(balanced))
    torch.testing.assert_close(class_weights(labels, 5, "median_frequency", valid), torch.tensor(median))
    torch.testing.assert_close(class_weights(labels, 5, "none", valid), torch.ones(5))


def test_invalid_pixels_train_nothing(case: tuple[torch.Tensor, ...]) -> None:
    logits, labels, valid = case
    logits.requires_grad_()
    weights = class_weights(labels, 5, "balanced", valid)
    weighted_cross_entropy(logits, labels, weights, valid).backward()
    assert logits.grad is not None
    assert (logits.grad.abs().sum(dim=1) > 0).equal(valid)


def test_nothing_valid_gives_zero_and_no_gradient(case: tuple[torch.Tensor, ...]) -> None:
    logits, labels, valid = case
    logits.requires_grad_()
    nothing = torch.zeros_like(valid)
    loss = weighted_cross_entropy(logits, labels, class_weights(labels, 5, "balanced", nothing), nothing)
    loss.backward()
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def naive_continuity(logits: torch.Tensor, valid: torch.Tensor) -> float:
    total, positions = 0.0, 0
    images, channels, height, width = logits.shape
    for n, i, j in itertools.product(range(images), range(height - 1), range(width - 1)):
        if valid[n, i, j] and valid[n, i + 1, j] and valid[n, i, j + 1]:
            positions += channels
            for k in range(channels):
                here = float(logits[n, k, i, j])
                total += abs(float(logits[n, k, i + 1, j]) - here) + abs(float(logits[n, k, i, j + 1]) - here)
    return total / positions


def naive_mumford_shah(logits: torch.Tensor, images: torch.Tensor, valid: torch.Tensor, tv_weight: float) -> float:
    shares = logits.softmax(1)
    total = 0.0
    for n, k in itertools.product(range(len(logits)), range(logits.shape[1])):
        inside = [tuple(place) for place in valid[n].nonzero().tolist()]
        mass = sum(float(shares[n, k, i, j]) for i, j in inside)
        centroid = [
            sum(float(shares[n, k, i, j] * images[n, b, i, j]) for i, j in inside) / mass
            for b in range(images.shape[1])
        ]
        for i, j in inside:
            share = float(shares[n, k, i, j])
            total += share * sum((float(images[n, b, i, j]) - c) ** 2 for b, c in enumerate(centroid))
            for neighbour in ((i + 1, j), (i, j + 1)):
                if neighbour in inside:
                    total += tv_weight * abs(float(shares[n, k, *neighbour]) - share)
    return total


@pytest.mark.parametrize("all_valid", [True, False])
def test_continuity_equals_a_loop_over_pixels(case: tuple[torch.Tensor, ...], all_valid: bool) -> None:
    logits, _, valid = case
    valid = valid | all_valid
    found = float(continuity_loss(logits, None if all_valid else valid))
    assert found == pytest.approx(naive_continuity(logits, valid), abs=1e-6)


@pytest.mark.parametrize("all_valid", [True, False])
def test_mumford_shah_equals_a_loop_over_pixels(case: tuple[torch.Tensor, ...], all_valid: bool) -> None:
    logits, _, valid = case
    valid = valid | all_valid
    images = torch.rand(2, 3, 6, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = naive_mumford_shah(logits, images, valid, 0.01)
    mask = None if all_valid else valid
    summed = float(mumford_shah_loss(logits, images, mask, tv_weight=0.01, reduction="sum"))
    assert summed == pytest.approx(expected, abs=1e-6)
    mean = float(mumford_shah_loss(logits, images, mask, tv_weight=0.01))
    assert mean == pytest.approx(expected / int(valid.sum()), abs=1e-6)


def test_gradients_of_the_added_losses(case: tuple[torch.Tensor, ...]) -> None:
    logits, _, valid = case
    images = torch.rand(2, 3, 6, 7, dtype=torch.float64)
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda tensor: continuity_loss(tensor, valid), logits)
    assert torch.autograd.gradcheck(lambda tensor: mumford_shah_loss(tensor, images, valid, tv_weight=0.1), logits)


def test_added_losses_of_half_precision_logits_are_float32(case: tuple[torch.Tensor, ...]) -> None:
    logits, _, valid = case
    images = torch.rand(2, 3, 6, 7)
    for loss in (continuity_loss(logits.bfloat16(), valid), mumford_shah_loss(logits.bfloat16(), images, valid)):
        assert loss.dtype == torch.float32


def test_half_precision_logits_give_a_float32_loss(case: tuple[torch.Tensor, ...]) -> None:
    logits, labels, valid = case
    weights = class_weights(labels, 5, "balanced", valid)
    loss = weighted_cross_entropy(logits.bfloat16(), labels, weights, valid)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(float(weighted_cross_entropy(logits, labels, weights, valid)), rel=1e-2)
