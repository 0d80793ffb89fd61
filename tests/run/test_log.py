"""The log of a training."""

from __future__ import annotations

import numpy as np
import pytest

from terrasift.run import TrainingLog


def log_of(losses: np.ndarray) -> TrainingLog:
    return TrainingLog(losses, np.ones((1, len(losses)), np.int64), np.ones(len(losses)), np.ones(len(losses)))


@pytest.mark.parametrize(("steps", "window"), [(0, 1), (1, 1), (9, 1), (57, 5), (999, 99), (1000, 100), (5000, 100)])
def test_window_of_the_moving_average(steps: int, window: int) -> None:
    assert log_of(np.zeros(steps)).window == window


def test_moving_average_is_the_mean_of_each_window_and_lies_in_its_middle() -> None:
    losses = np.random.default_rng(0).normal(size=70)
    middles, means = log_of(losses).averages
    np.testing.assert_allclose(means, [losses[start : start + 7].mean() for start in range(64)])
    assert (middles[0], middles[-1]) == (4, 67)
