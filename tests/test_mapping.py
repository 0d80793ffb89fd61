"""Clusters to classes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from terrasift import ConfusionMatrix, InputError, LandClass, Legend, SettingError
from terrasift.mapping import NO_CLASS, apply_mapping, map_by_name, map_clusters

counts = arrays(np.int64, st.tuples(st.integers(1, 8), st.integers(1, 5)), elements=st.integers(0, 50))


@given(counts)
def test_majority_takes_the_class_a_cluster_overlaps_most(table: np.ndarray) -> None:
    overall = table.sum(axis=0).tolist()
    for row, chosen in zip(table.tolist(), map_clusters(table).tolist(), strict=True):
        assert row[chosen] == max(row) if any(row) else overall[chosen] == max(overall)


@given(counts)
def test_majority_is_the_most_accurate_of_all_mappings(table: np.ndarray) -> None:
    best = ConfusionMatrix(apply_mapping(table, map_clusters(table))).counts.trace()
    generator = np.random.default_rng(0)
    for _ in range(20):
        other = generator.integers(0, table.shape[1], len(table))
        assert ConfusionMatrix(apply_mapping(table, other)).counts.trace() <= best


@given(counts, st.randoms(use_true_random=False))
def test_the_numbering_of_clusters_does_not_matter(table: np.ndarray, random: object) -> None:
    order = np.arange(len(table))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = table[order]
    np.testing.assert_array_equal(
        apply_mapping(table, map_clusters(table)), apply_mapping(shuffled, map_clusters(shuffled))
    )


def test_hungarian_is_the_best_permutation() -> None:
    table = np.random.default_rng(1).integers(0, 100, (4, 4))
    mapping = map_clusters(table, "hungarian")
    assert sorted(mapping.tolist()) == [0, 1, 2, 3]
    best = max(sum(table[k, c] for k, c in enumerate(order)) for order in itertools.permutations(range(4)))
    assert table[np.arange(4), mapping].sum() == best


def test_hungarian_needs_as_many_clusters_as_classes() -> None:
    with pytest.raises(SettingError, match="majority"):
        map_clusters(np.ones((5, 3), np.int64), "hungarian")


def test_confusion_counts_every_pixel_once() -> None:
    confusion = apply_mapping(np.array([[3, 1], [0, 2], [5, 4]]), np.array([0, 1, 0]))
    np.testing.assert_array_equal(confusion, [[8, 0], [5, 2]])


def test_clusters_without_a_class_count_nowhere() -> None:
    confusion = apply_mapping(np.array([[3, 1], [0, 2], [5, 4]]), np.array([0, NO_CLASS, 1]))
    np.testing.assert_array_equal(confusion, [[3, 5], [1, 4]])


def legend_of(**clusters: tuple[int, ...]) -> Legend:
    return Legend(tuple(LandClass(name, f"#{k:06X}", held) for k, (name, held) in enumerate(clusters.items())))


def test_a_legend_maps_by_name_whatever_the_order_and_the_colours() -> None:
    truth = Legend(tuple(LandClass(name, "#ABCDEF") for name in ("road", "water", "roof")))
    own = legend_of(roof=(4, 1), water=(0,), empty=(), **{"cluster 2": (2,), "cluster 5 (2)": (5,)})
    assert map_by_name(own, truth, 7).tolist() == [1, 2, NO_CLASS, NO_CLASS, 2, NO_CLASS, NO_CLASS]
    named = Legend((*truth.classes, LandClass("cluster 2", "#012345")))
    assert map_by_name(own, named, 7).tolist() == [1, 2, 3, NO_CLASS, 2, NO_CLASS, NO_CLASS]


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (legend_of(road=(0,), roofs=(1,), Water=(2,)), "does not name: 'roofs', 'Water'; rename"),
        (legend_of(road=(0,), **{"cluster 3a": (3,)}), "does not name: 'cluster 3a'"),
        (legend_of(**{"class 0": (0, 2), "class 1": (1, 3), "cluster 4 (2)": (4,)}), "names no class yet"),
        (legend_of(**{f"x{k}": (k,) for k in range(10)}), "'x7' and 2 more"),
        (Legend.of_clusters(4), "names no class yet"),
        (legend_of(road=(), water=()), "names no class yet"),
    ],
)
def test_names_that_do_not_match_are_named(own: Legend, words: str) -> None:
    with pytest.raises(InputError, match=words):
        map_by_name(own, legend_of(road=(), water=()), 10)
