from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrasift.blocks.external.fuzzy_cmeans import fuzzy_c_means, random_memberships


def planted(random, clusters=4, each=30, dimensions=3, spread=0.3):
    centres = np.array([[10.0 * (i == j) for j in range(dimensions)] for i in range(clusters)])
    truth = np.repeat(np.arange(clusters), each)
    return centres, truth, centres[truth] + random.normal(0, spread, (len(truth), dimensions))


def naive(points, memberships, iterations):
    """The definition in loops, one run."""
    clusters, count = memberships.shape
    for _ in range(iterations):
        centres = []
        for k in range(clusters):
            weights = [memberships[k, i] ** 2 for i in range(count)]
            centres.append(sum(w * p for w, p in zip(weights, points, strict=True)) / sum(weights))
        memberships = memberships.copy()
        for i in range(count):
            squares = [float(((points[i] - centre) ** 2).sum()) for centre in centres]
            for k in range(clusters):
                memberships[k, i] = 1 / sum(squares[k] / square for square in squares)
    objective = sum(
        memberships[k, i] ** 2 * ((points[i] - centres[k]) ** 2).sum() for k in range(clusters) for i in range(count)
    )
    return memberships, np.array(centres), objective


def test_equals_naive_loops():
    random = np.random.default_rng(0)
    points = random.normal(size=(25, 4))
    start = random_memberships(random, runs=3, clusters=4, points=25)
    found = fuzzy_c_means(points, start, max_iterations=7, tolerance=0)
    for run in range(3):
        memberships, centres, objective = naive(points, start[run], 7)
        np.testing.assert_allclose(found.memberships[run], memberships, atol=1e-10)
        np.testing.assert_allclose(found.centres[run], centres, atol=1e-10)
        np.testing.assert_allclose(found.objective[run], objective, rtol=1e-10)


@pytest.mark.parametrize(("count", "dimensions", "clusters"), [(60, 2, 3), (200, 12, 7), (40, 5, 15)])
def test_agrees_with_scikit_fuzzy(count, dimensions, clusters):
    skfuzzy = pytest.importorskip("skfuzzy", reason="scikit-fuzzy is the established implementation to agree with")
    random = np.random.default_rng(count)
    points = random.normal(size=(count, dimensions)) * np.linspace(3, 0.3, dimensions)
    start = random_memberships(random, runs=2, clusters=clusters, points=count)
    found = fuzzy_c_means(points, start, max_iterations=100, tolerance=0)
    for run in range(2):
        centres, memberships, *_ = skfuzzy.cmeans(points.T, clusters, 2, error=0, maxiter=100, init=start[run])
        np.testing.assert_allclose(found.centres[run], centres, atol=1e-6)
        np.testing.assert_allclose(found.memberships[run], memberships, atol=1e-6)


def test_recovers_planted_clusters():
    random = np.random.default_rng(1)
    centres, truth, points = planted(random)
    start = random_memberships(random, runs=5, clusters=4, points=len(points))
    found = fuzzy_c_means(points, start)
    best = int(found.objective.argmin())
    hard = found.memberships[best].argmax(axis=0)
    assert len({(int(a), int(b)) for a, b in zip(truth, hard, strict=True)}) == 4  # one to one
    nearest = np.linalg.norm(found.centres[best][:, None] - centres, axis=2).min(axis=0)
    assert nearest.max() < 0.2


def test_a_run_in_a_batch_is_the_run_alone():
    random = np.random.default_rng(2)
    points = random.normal(size=(80, 6))
    start = random_memberships(random, runs=6, clusters=5, points=80)
    together = fuzzy_c_means(points, start)
    for run in range(6):
        alone = fuzzy_c_means(points, start[run : run + 1])
        np.testing.assert_allclose(together.memberships[run], alone.memberships[0], atol=1e-9)
        np.testing.assert_allclose(together.objective[run], alone.objective[0], rtol=1e-9)


def test_stops_when_the_objective_stands():
    random = np.random.default_rng(3)
    _, _, points = planted(random)
    start = random_memberships(random, runs=1, clusters=4, points=len(points))
    objectives = [float(fuzzy_c_means(points, start, max_iterations=n, tolerance=0).objective[0]) for n in range(1, 60)]
    changes = np.abs(np.diff(objectives))
    assert (np.diff(objectives) <= 1e-9).all()  # it never rises
    settled = int(np.argmax(changes <= 1e-4)) + 1
    assert fuzzy_c_means(points, start, tolerance=1e-4).objective[0] == objectives[settled]


def test_points_on_a_centre_and_equal_points():
    points = np.array([[0.0], [0.0], [0.0], [1.0], [1.0]])
    start = random_memberships(np.random.default_rng(0), runs=3, clusters=3, points=5)
    found = fuzzy_c_means(points, start)
    assert np.isfinite(found.memberships).all()
    np.testing.assert_allclose(found.memberships.sum(axis=1), 1)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(30, 60))
def test_memberships_are_shares_and_motion_changes_nothing(seed, clusters, count):
    random = np.random.default_rng(seed)
    points = random.normal(size=(count, 3))
    start = random_memberships(random, runs=2, clusters=clusters, points=count)
    np.testing.assert_allclose(start.sum(axis=1), 1)
    found = fuzzy_c_means(points, start, max_iterations=10)
    np.testing.assert_allclose(found.memberships.sum(axis=1), 1)
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    moved = fuzzy_c_means(points @ rotation + 5, start, max_iterations=10)
    np.testing.assert_allclose(moved.memberships, found.memberships, atol=1e-6)
