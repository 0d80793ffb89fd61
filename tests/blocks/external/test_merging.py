from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import cdist, pdist, squareform

from terrasift.blocks.external.merging import merge_centres


def naive_average_linkage(points):
    """Cophenetic distances of average linkage, by joining the closest two groups until one is left."""
    between = cdist(points, points)
    groups = [[i] for i in range(len(points))]
    joined_at = np.zeros_like(between)
    while len(groups) > 1:
        height, a, b = min(
            (between[np.ix_(groups[a], groups[b])].mean(), a, b) for a in range(len(groups)) for b in range(a)
        )
        for i in groups[a]:
            for j in groups[b]:
                joined_at[i, j] = joined_at[j, i] = height
        groups[b] += groups.pop(a)
    return joined_at


def test_average_linkage_by_hand():
    points = np.array([[0.0, 0.0], [1.0, 0.2], [1.4, 0.1], [10.0, 0.0], [11.0, 1.0], [30.0, 40.0]])
    joined_at = naive_average_linkage(points)
    np.testing.assert_allclose(squareform(cophenet(linkage(pdist(points), "average"))), joined_at)
    expected = joined_at <= 0.33 * joined_at.max()
    classes = merge_centres(points).classes
    np.testing.assert_array_equal(classes[:, None] == classes, expected)


@pytest.mark.parametrize("seed", range(5))
def test_takes_the_best_of_all_pairs(seed):
    centres = np.random.default_rng(seed).normal(size=(7, 5))
    found = merge_centres(centres)
    correlations = {}
    for distance in ("euclidean", "cityblock", "chebyshev", "cosine", "correlation"):
        for method in ("single", "complete", "average", "weighted", "centroid", "median", "ward"):
            if distance == "euclidean" or method in ("single", "complete", "average", "weighted"):
                tree = linkage(centres, method, distance)
                heights = cophenet(tree)
                correlations[method, distance] = np.corrcoef(heights, pdist(centres, distance))[0, 1]
    assert found.correlation == pytest.approx(max(correlations.values()))
    assert correlations[found.linkage, found.distance] == pytest.approx(found.correlation)


def test_two_clusters_stay_two():
    found = merge_centres(np.array([[0.0, 0.0], [1.0, 3.0]]))
    assert found.classes.tolist() == [0, 1]
    assert (found.linkage, found.distance) == ("average", "euclidean")
    assert np.isnan(found.correlation)


@pytest.mark.parametrize("count", [2, 5])
def test_coincident_centres_become_one(count):
    assert merge_centres(np.ones((count, 3))).classes.tolist() == [0] * count


def test_one_dimension_and_the_origin():
    """Correlation is undefined in one dimension, cosine at the origin: both are left out."""
    found = merge_centres(np.array([[0.0], [0.1], [7.0]]))
    assert found.classes.tolist() == [0, 0, 1]
    assert found.distance not in ("cosine", "correlation")


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 6))
def test_classes_are_numbered_without_gaps(seed, count, dimensions):
    centres = np.random.default_rng(seed).normal(size=(count, dimensions))
    classes = merge_centres(centres).classes
    assert set(classes.tolist()) == set(range(classes.max() + 1))
