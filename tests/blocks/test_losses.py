"""Losses against loops over pixels."""

from __future__ import annotations

import math
import statistics

import pytest
import torch

from terrasift import weighted_cross_entropy
from terrasift.blocks.losses import class_weights


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


def test_half_precision_logits_give_a_float32_loss(case: tuple[torch.Tensor, ...]) -> None:
    logits, labels, valid = case
    weights = class_weights(labels, 5, "balanced", valid)
    loss = weighted_cross_entropy(logits.bfloat16(), labels, weights, valid)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(float(weighted_cross_entropy(logits, labels, weights, valid)), rel=1e-2)
