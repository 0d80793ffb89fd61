from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score

from terrasift.blocks.external.fuzzy_cmeans import fuzzy_c_means, random_memberships
from terrasift.blocks.external.partition import best_partition, calinski_harabasz


def test_index_equals_scikit_learn():
    random = np.random.default_rng(0)
    points = random.normal(3, 1, (40, 5))
    partitions = random.integers(0, 6, (8, 40))
    partitions[0] = np.where(partitions[0] == 2, 3, partitions[0])  # an empty cluster
    expected = [calinski_harabasz_score(points, partition) for partition in partitions]
    np.testing.assert_allclose(calinski_harabasz(points, partitions, 6), expected, rtol=1e-9)


def test_index_where_it_is_undefined():
    points = np.arange(4.0)[:, None]
    partitions = np.array([[0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 1]])
    scores = calinski_harabasz(points, partitions, 4)
    assert np.isneginf(scores[:2]).all()
    assert np.isfinite(scores[2])


def test_perfect_clusters_win():
    points = np.array([[0.0], [0.0], [1.0], [1.0]])
    scores = calinski_harabasz(points, np.array([[0, 0, 1, 1], [0, 1, 0, 1]]), 2)
    assert scores[0] > 1e100 > scores[1]


@pytest.mark.parametrize("restarts", [1, 7, 45])
def test_best_of_all_restarts(restarts):
    points = np.random.default_rng(1).normal(size=(50, 4))
    best = best_partition(points, 6, np.random.default_rng(2), restarts=restarts)
    start = random_memberships(np.random.default_rng(2), runs=restarts, clusters=6, points=50)
    hard = fuzzy_c_means(points, start).memberships.argmax(axis=1)
    scores = [calinski_harabasz_score(points, partition) for partition in hard]
    assert best.score == pytest.approx(max(scores))
    np.testing.assert_array_equal(best.clusters, hard[int(np.argmax(scores))])
    assert best.centres.shape == (6, 4)
