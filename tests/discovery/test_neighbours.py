"""Principal components, whitening by neighbours, contrast and centres: what each of them promises."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terrasift.discovery import contrast
from terrasift.discovery.clusters import find_centres, nearest_centres, nearest_shares, unit_deviation
from terrasift.discovery.neighbours import closer_pairs, principal_components, whiten_by_neighbours

BLOCKS = [2, 4, 4] * 3


def rows_of(count: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, 8)) @ rng.normal(size=(8, width)) + rng.normal(0, 0.5, (count, width))).astype(
        np.float32
    )


def squared(points: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.square(points[:, None].astype(float) - points[None]).sum(axis=2)


def test_principal_components_hold_each_block_at_its_weight_whatever_its_unit() -> None:
    descriptors = rows_of(300, sum(BLOCKS))
    found = principal_components(descriptors, BLOCKS)(descriptors)
    total = float(found.var(axis=0, dtype=np.float64).sum())
    assert 0.995 <= total / (3 * (1 + 0.49 + 0.49)) <= 1 + 1e-5
    assert found.shape[1] < sum(BLOCKS)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    correlation = np.corrcoef(found, rowvar=False) - np.eye(found.shape[1])
    np.testing.assert_allclose(correlation, 0, atol=1e-3)
    other_unit = descriptors.copy()
    other_unit[:, 6:10] = 100 * other_unit[:, 6:10] + 3
    again = principal_components(other_unit, BLOCKS)(other_unit)
    np.testing.assert_allclose(squared(again[:40]), squared(found[:40]), rtol=1e-2, atol=1e-3)


def test_a_block_without_any_difference_is_left_out() -> None:
    descriptors = rows_of(100, sum(BLOCKS))
    descriptors[:, :2] = 0.3
    projection = principal_components(descriptors, BLOCKS)
    assert np.isfinite(projection.directions).all()
    assert not projection.directions[:2].any()


def test_the_closer_half_of_the_pairs_is_kept() -> None:
    points = rows_of(50, 6)
    pairs = np.stack([np.arange(49), np.arange(1, 50)], axis=1)
    distances = [float(np.linalg.norm(points[a].astype(float) - points[b])) for a, b in pairs]
    expected = [
        pair for pair, distance in zip(pairs.tolist(), distances, strict=True) if distance <= np.median(distances)
    ]
    assert closer_pairs(points, pairs).tolist() == expected
    assert len(expected) == 25


def test_whitened_neighbours_differ_alike_in_all_and_the_first_directions_tell_most_apart() -> None:
    rng = np.random.default_rng(0)
    centre = rng.normal(size=(400, 20)) * np.geomspace(5, 0.1, 20)
    points = np.repeat(centre, 2, axis=0) + rng.normal(size=(800, 20)) @ np.diag(np.geomspace(0.5, 2, 20))
    points = (points @ np.linalg.qr(rng.normal(size=(20, 20)))[0]).astype(np.float32)
    pairs = np.arange(800).reshape(400, 2)
    found = points.astype(float) @ whiten_by_neighbours(points, pairs).astype(float)
    differences = found[::2] - found[1::2]
    np.testing.assert_allclose(differences.T @ differences / (2 * 400), np.eye(20), atol=0.01)
    scatter = np.cov(found, rowvar=False, bias=True)
    np.testing.assert_allclose(scatter, np.diag(np.diag(scatter)), atol=0.01)
    assert (np.diff(np.diag(scatter)) < 0).all()
    assert np.diag(scatter)[0] > 10


def test_contrast_brings_neighbours_together_and_strangers_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups that lie in halves far apart: only pairs say which halves belong together."""
    monkeypatch.setattr(contrast, "STEPS", 30)
    rng = np.random.default_rng(0)
    group = rng.integers(0, 4, 1200)
    halves = rng.normal(size=(2, 4, 10)) * 2
    points = (halves[rng.integers(0, 2, 1200), group] + rng.normal(0, 0.7, (1200, 10))).astype(np.float32)
    pairs = rng.integers(0, 800, (8000, 2))
    pairs = pairs[group[pairs[:, 0]] == group[pairs[:, 1]]]
    perceptron = contrast.learn_contrast(points, pairs, seed=0)
    unseen = perceptron.embed(points)[800:]
    np.testing.assert_allclose(np.linalg.norm(unseen, axis=1), 1, atol=1e-5)
    same = group[800:, None] == group[800:]
    before, after = (
        np.quantile(squared(each)[same], 0.9) / np.median(squared(each)[~same]) for each in (points[800:], unseen)
    )
    assert after < 0.5 < 1 < before
    again = contrast.learn_contrast(points, pairs, seed=0).embed(points)[800:]
    np.testing.assert_array_equal(again, unseen)
    assert not np.array_equal(contrast.learn_contrast(points, pairs, seed=1).embed(points)[800:], unseen)


def test_centres_repeat_and_are_where_the_points_are() -> None:
    points = rows_of(500, 5)
    first, again = find_centres(points, 9, seed=3), find_centres(points, 9, seed=3)
    assert first.shape == (9, 5)
    assert first.tobytes() == again.tobytes()
    assert find_centres(points, 9, seed=4).tobytes() != first.tobytes()
    clusters = nearest_centres(points, first)
    np.testing.assert_array_equal(clusters, ((points[:, None].astype(float) - first) ** 2).sum(axis=2).argmin(axis=1))
    for number, centre in enumerate(first):
        np.testing.assert_allclose(points[clusters == number].mean(axis=0), centre, atol=0.1)


def test_there_are_no_more_centres_than_points_that_differ() -> None:
    distinct = np.array([[0, 0], [1, 5], [2, 0]], np.float32)
    points = distinct[np.arange(60) % 3]
    centres = find_centres(points, 5, seed=0)
    np.testing.assert_allclose(centres[[0, 1, 2]], distinct, atol=1e-5)
    assert len(centres) == 3


def test_unit_deviation_is_that_of_all_numbers_together() -> None:
    rows = rows_of(80, 5)
    mean, deviation = unit_deviation(rows)
    np.testing.assert_allclose(((rows - mean) / deviation).var(axis=0).sum(), 1, rtol=1e-5)


def test_shares_fall_with_the_squared_distance() -> None:
    random = np.random.default_rng(5)
    points, centres = random.normal(size=(300, 6)).astype(np.float32), random.normal(size=(9, 6)).astype(np.float32)
    nearest, shares = nearest_shares(points, centres)
    squared = ((points[:, None].astype(np.float64) - centres) ** 2).sum(axis=2)
    in_order = np.sort(squared, axis=1)
    unit = (in_order[:, 1] - in_order[:, 0]).mean()
    expected = np.exp(-(in_order[:, :4] - in_order[:, :1]) / unit)
    np.testing.assert_array_equal(nearest, np.argsort(squared, axis=1)[:, :4])
    np.testing.assert_array_equal(nearest[:, 0], nearest_centres(points, centres))
    np.testing.assert_allclose(shares, expected / expected.sum(axis=1, keepdims=True), rtol=1e-4)


def test_a_single_cluster_has_all() -> None:
    nearest, shares = nearest_shares(np.ones((3, 2), np.float32), np.zeros((1, 2), np.float32))
    assert nearest.tolist() == [[0], [0], [0]]
    assert shares.tolist() == [[1.0], [1.0], [1.0]]
