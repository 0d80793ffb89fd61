from __future__ import annotations

import numpy as np
import pytest

from terrasift.blocks.external.cluster_count import knee, objective_curve


def naive_knee(curve):
    best, where = np.inf, 0
    x = np.arange(len(curve), dtype=float)
    for point in range(1, len(curve) - 1):
        error = 0.0
        for part in (slice(0, point + 1), slice(point, None)):
            line = np.polynomial.Polynomial.fit(x[part], curve[part], 1)
            error += np.abs(line(x[part]) - curve[part]).sum()
        if error < best - 1e-12:
            best, where = error, point
    return where


def test_the_published_vector():
    """From the documentation of the authors' function: y = 30:-3:12, 10:-2:0 has its knee at the 7th point."""
    assert knee(np.concatenate([np.arange(30, 11, -3.0), np.arange(10, -1, -2.0)])) == 6


@pytest.mark.parametrize("seed", range(20))
def test_equals_naive_fits(seed):
    random = np.random.default_rng(seed)
    curve = 10 / np.arange(2, 31) + random.normal(0, 0.05, 29)
    assert knee(curve) == naive_knee(curve)


@pytest.mark.parametrize(("length", "expected"), [(0, 0), (1, 0), (2, 0), (3, 1)])
def test_short_curves(length, expected):
    assert knee(np.arange(length, 0.0, -1)[:length]) == expected


def test_the_knee_finds_planted_clusters():
    random = np.random.default_rng(0)
    centres = np.eye(5) * 20
    points = np.repeat(centres, 30, axis=0) + random.normal(0, 0.2, (150, 5))
    curve = objective_curve(points - points.mean(axis=0), range(2, 16), random)
    assert len(curve) == 14
    assert range(2, 16)[knee(curve)] == 5
