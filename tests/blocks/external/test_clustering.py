from __future__ import annotations

import numpy as np
import pytest

from terrasift.blocks.external.clustering import cluster_superpixels


def planted_features(clusters, each, seed=0):
    """Clusters all equally far from each other, so that none is merged."""
    random = np.random.default_rng(seed)
    centres = np.kron(np.eye(clusters), np.full(10, 30.0))
    truth = np.tile(np.arange(clusters), each)
    return truth, centres[truth] + random.normal(0, 0.5, (clusters * each, 10 * clusters))


def test_recovers_planted_classes_numbered_by_appearance():
    truth, features = planted_features(4, 25)
    found = cluster_superpixels(features, np.random.default_rng(0))
    assert found.counts == range(2, 31)
    np.testing.assert_array_equal(found.classes, truth)


def test_another_seed_gives_the_same_numbers_to_the_same_partition():
    _, features = planted_features(5, 20)
    results = [cluster_superpixels(features, np.random.default_rng(seed)).classes for seed in range(4)]
    for classes in results[1:]:
        np.testing.assert_array_equal(classes, results[0])


def test_more_clusters():
    _, features = planted_features(4, 25)
    knee = cluster_superpixels(features, np.random.default_rng(0))
    more = cluster_superpixels(features, np.random.default_rng(0), more_clusters=2)
    assert len(more.partition.centres) == len(knee.partition.centres) + 2


@pytest.mark.parametrize("count", range(1, 9))
def test_fewer_superpixels_than_clusters(count):
    features = np.random.default_rng(count).normal(0, 5, (count, 375))
    found = cluster_superpixels(features, np.random.default_rng(0), more_clusters=2)
    assert len(found.classes) == count
    assert set(found.classes.tolist()) == set(range(found.classes.max() + 1))
    assert list(found.counts) == list(range(2, count))
    if count == 2:
        assert found.classes.tolist() == [0, 1]


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_superpixels_that_are_alike_make_one_class(count):
    features = np.full((count, 375), 7.0) + np.random.default_rng(0).normal(0, 1e-8, (count, 375))
    found = cluster_superpixels(features, np.random.default_rng(0))
    assert found.classes.tolist() == [0] * count
    assert found.partition is None
    assert found.merging is None
