"""Merging finds planted groups, does not depend on the clusters' order, and is Ward's where SciPy has Ward's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import is_valid_linkage, linkage
from scipy.spatial.distance import pdist, squareform

from terrasift import SettingError
from terrasift.clusters import ClusterFacts, merge_clusters, merge_tree, suggest_classes
from terrasift.clusters.ward import weighted_ward


def facts_of(prototypes: np.ndarray, pixels: np.ndarray, adjacency: np.ndarray | None = None) -> ClusterFacts:
    count = len(pixels)
    blank = np.full((count, 1), np.nan)
    touching = np.zeros((count, count), np.int64) if adjacency is None else adjacency
    return ClusterFacts(pixels, blank, blank, prototypes, touching, ((),) * count, ("band 1",))


def random_facts(seed: int, count: int = 12) -> ClusterFacts:
    chance = np.random.default_rng(seed)
    upper = np.triu(chance.integers(0, 500, (count, count)), 1)
    return facts_of(chance.normal(size=(count, 5)), chance.integers(1, 10_000, count), upper + upper.T)


def planted(groups: int, each: int, seed: int = 0) -> tuple[ClusterFacts, np.ndarray]:
    """Groups of clusters, each of its own kind; the first has the most pixels, and so on."""
    chance = np.random.default_rng(seed)
    truth = np.repeat(np.arange(groups), each)
    prototypes = 10 * np.eye(groups)[truth] + chance.normal(scale=0.1, size=(len(truth), groups))
    order = chance.permutation(len(truth))
    return facts_of(prototypes[order], 1000 * (groups - truth[order])), truth[order]


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


@pytest.mark.parametrize(("groups", "each"), [(3, 2), (4, 5), (7, 3), (12, 4)])
def test_planted_groups_are_found_numbered_by_size_and_suggested(groups: int, each: int) -> None:
    facts, truth = planted(groups, each)
    np.testing.assert_array_equal(merge_clusters(facts, groups), truth)
    assert suggest_classes(merge_tree(facts)) == groups


@given(st.integers(0, 1000), st.integers(1, 12), st.randoms(use_true_random=False))
def test_permuting_clusters_permutes_the_mapping(seed: int, classes: int, random: st.RandomHandle) -> None:  # type: ignore[name-defined]
    facts = random_facts(seed)
    order = np.array(random.sample(range(12), 12))
    moved = facts_of(facts.prototypes[order], facts.pixels[order], facts.adjacency[np.ix_(order, order)])
    mapping = merge_clusters(facts, classes)
    np.testing.assert_array_equal(merge_clusters(moved, classes), mapping[order])
    assert set(mapping.tolist()) == set(range(classes))
    shares = np.bincount(mapping, weights=facts.pixels)
    assert (np.diff(shares) <= 0).all()


@given(st.integers(0, 1000))
def test_fewer_classes_are_unions_of_more(seed: int) -> None:
    facts = random_facts(seed)
    for classes in range(1, 12):
        fine, coarse = merge_clusters(facts, classes + 1), merge_clusters(facts, classes)
        assert all(any(part <= whole for whole in partition(coarse)) for part in partition(fine))


def test_of_clusters_equally_alike_those_that_touch_are_joined() -> None:
    prototypes = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    pixels = np.full(4, 100)
    touching = np.array([[0, 0, 90, 0], [0, 0, 0, 90], [90, 0, 0, 0], [0, 90, 0, 0]])
    assert partition(merge_clusters(facts_of(prototypes, pixels, touching), 2)) == {
        frozenset({0, 2}),
        frozenset({1, 3}),
    }
    across = touching[np.ix_([0, 2, 1, 3], [0, 2, 1, 3])]
    assert partition(merge_clusters(facts_of(prototypes, pixels, across), 2)) == {frozenset({0, 1}), frozenset({2, 3})}


@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_the_scale_of_features_does_not_matter(factor: float) -> None:
    facts = random_facts(3)
    scaled = facts_of(factor * facts.prototypes + 5, facts.pixels, facts.adjacency)
    np.testing.assert_allclose(merge_tree(scaled).linkage, merge_tree(facts).linkage, rtol=1e-6)


def test_clusters_without_pixels_are_no_leaves_and_go_to_the_largest_class() -> None:
    facts = random_facts(4)
    pixels, prototypes = facts.pixels.copy(), facts.prototypes.copy()
    pixels[[2, 7]], prototypes[[2, 7]] = 0, np.nan
    empty = facts_of(prototypes, pixels, facts.adjacency)
    assert merge_tree(empty).leaves.tolist() == [0, 1, 3, 4, 5, 6, 8, 9, 10, 11]
    mapping = merge_clusters(empty, 4)
    assert mapping[[2, 7]].tolist() == [0, 0]
    with pytest.raises(SettingError, match="is 11; 10 clusters have pixels"):
        merge_clusters(empty, 11)
    with pytest.raises(SettingError, match="is 0"):
        merge_clusters(empty, 0)


@pytest.mark.parametrize("count", [1, 2])
def test_few_clusters(count: int) -> None:
    facts = random_facts(5, count)
    assert merge_tree(facts).linkage.shape == (count - 1, 4)
    assert sorted(merge_clusters(facts, count).tolist()) == list(range(count))
    assert merge_clusters(facts, 1).tolist() == [0] * count
    assert suggest_classes(merge_tree(facts)) == count


def test_clusters_that_are_all_alike_can_be_merged() -> None:
    facts = facts_of(np.ones((5, 3)), np.array([5, 4, 3, 2, 1]))
    assert set(merge_clusters(facts, 2).tolist()) == {0, 1}


@given(st.integers(0, 1000), st.integers(2, 20))
def test_with_equal_weights_it_is_the_ward_linkage_of_scipy(seed: int, count: int) -> None:
    points = np.random.default_rng(seed).normal(size=(count, 3))
    found = weighted_ward(squareform(pdist(points, "sqeuclidean")), np.ones(count))
    np.testing.assert_allclose(found, linkage(points, "ward"), rtol=1e-9)


@given(st.integers(0, 1000))
def test_a_weight_is_as_many_points_in_one_place(seed: int) -> None:
    chance = np.random.default_rng(seed)
    points, weights = chance.normal(size=(6, 3)), chance.integers(1, 5, 6)
    found = weighted_ward(squareform(pdist(points, "sqeuclidean")), weights)
    repeated = linkage(np.repeat(points, weights, axis=0), "ward")
    np.testing.assert_allclose(found[:, 2], repeated[-5:, 2], rtol=1e-9)


@given(st.integers(0, 1000))
def test_any_dissimilarities_give_heights_that_do_not_decrease(seed: int) -> None:
    chance = np.random.default_rng(seed)
    upper = np.triu(chance.random((9, 9)), 1)
    found = weighted_ward(upper + upper.T, chance.random(9) + 0.1)
    assert is_valid_linkage(found)
    assert (np.diff(found[:, 2]) >= -1e-12).all()


def test_discovered_clusters_are_merged_by_their_embedding() -> None:
    facts, truth = planted(4, 3)
    other = np.roll(truth, 5)  # what the network sees in them says something else
    embedding = np.eye(4)[other] + np.random.default_rng(1).normal(scale=0.01, size=(12, 4))
    discovered = dataclasses.replace(facts, embedding=embedding)
    assert partition(merge_clusters(discovered, 4)) == partition(other) != partition(truth)
    assert suggest_classes(merge_tree(discovered)) == 4

    embedding[3] = np.nan  # a cluster that was never a target, and yet won a few pixels
    mapping = merge_clusters(discovered, 4)
    assert mapping[3] == 0
    assert 3 not in merge_tree(discovered).leaves
    found = [
        labels for cluster, labels in enumerate(zip(mapping.tolist(), other.tolist(), strict=True)) if cluster != 3
    ]
    assert len(set(found)) == 4
