"""Estimates against the papers' equations written out, and against what is true of a whole map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from terrasift.assessment.estimators import (
    Estimate,
    Stratified,
    area_shares,
    error_matrix,
    overall_accuracy,
    producers_accuracies,
    users_accuracies,
)

CLASSES = 3
Counts = NDArray[np.int64]


@st.composite
def error_matrices(draw: st.DrawFn) -> tuple[Counts, Counts]:
    """Counts of points, at least two of each class of the map, and pixels of each class."""
    counts = np.array(draw(st.lists(st.lists(st.integers(0, 20), min_size=3, max_size=3), min_size=3, max_size=3)))
    counts[:, 0] += 2
    pixels = np.array(draw(st.lists(st.integers(1000, 10**7), min_size=3, max_size=3)))
    return counts, pixels


def points_of(counts: Counts) -> tuple[Counts, Counts]:
    rows, columns = np.indices(counts.shape)
    return rows.ravel().repeat(counts.ravel()), columns.ravel().repeat(counts.ravel())


@given(error_matrices())
def test_strata_that_are_classes_follow_olofsson(matrix: tuple[Counts, Counts]) -> None:
    """Eqs. 4 to 7 and 10, as the paper has them."""
    n, N = matrix
    mapped, reference = points_of(n)
    sample = Stratified(mapped, N, N.astype(np.float64), finite=False)
    W, per_row = N / N.sum(), n.sum(axis=1)
    p = W[:, None] * n / per_row[:, None]
    U, O = np.diag(p) / p.sum(axis=1), np.trace(p)  # noqa: E741
    np.testing.assert_allclose(error_matrix(sample, mapped, reference, 3, 3)[1], p)
    overall = overall_accuracy(sample, mapped, reference)
    assert overall.value == pytest.approx(O)
    assert overall.standard_error == pytest.approx(np.sqrt((W**2 * U * (1 - U) / (per_row - 1)).sum()), abs=1e-12)
    users = users_accuracies(sample, mapped, reference, CLASSES)
    assert [found.standard_error for found in users] == pytest.approx(np.sqrt(U * (1 - U) / (per_row - 1)), abs=1e-12)
    producers = producers_accuracies(sample, mapped, reference, CLASSES)
    for j in range(CLASSES):
        spread = n[:, j] / per_row * (1 - n[:, j] / per_row) / (per_row - 1)
        assert area_shares(sample, reference, CLASSES)[j].standard_error == pytest.approx(
            np.sqrt((W**2 * spread).sum()), abs=1e-12
        )
        size = (N / per_row * n[:, j]).sum()
        if not size:
            assert np.isnan(producers[j].value)
            continue
        P = p[j, j] / p[:, j].sum()
        own = N[j] ** 2 * (1 - P) ** 2 * U[j] * (1 - U[j]) / (per_row[j] - 1)
        others = P**2 * sum(N[i] ** 2 * spread[i] for i in range(CLASSES) if i != j)
        assert producers[j].standard_error == pytest.approx(np.sqrt((own + others) / size**2), abs=1e-9)


@given(error_matrices(), st.integers(0, 2**32))
def test_a_sample_of_everything_is_the_truth(matrix: tuple[Counts, Counts], seed: int) -> None:
    """With all pixels labelled, strata that are not the classes, and pixels of different size: no error is left."""
    mapped, reference = points_of(matrix[0])
    generator = np.random.default_rng(seed)
    strata = generator.permutation(np.arange(len(mapped)) % 2)
    ground = generator.uniform(0.5, 2.0, len(mapped))
    areas = np.bincount(strata, ground)
    sample = Stratified(strata, np.bincount(strata), areas, ground, finite=True)
    truth = np.zeros((3, 3))
    np.add.at(truth, (mapped, reference), ground / ground.sum())
    np.testing.assert_allclose(error_matrix(sample, mapped, reference, 3, 3)[1], truth)
    overall = overall_accuracy(sample, mapped, reference)
    assert (overall.value, overall.standard_error) == pytest.approx((np.trace(truth), 0), abs=1e-12)
    for j, found in enumerate(area_shares(sample, reference, CLASSES)):
        assert (found.value, found.standard_error) == pytest.approx((truth[:, j].sum(), 0), abs=1e-12)


@given(error_matrices())
def test_areas_add_up_to_the_map(matrix: tuple[Counts, Counts]) -> None:
    mapped, reference = points_of(matrix[0])
    ground = 1 + (np.arange(len(mapped)) % 5) / 4
    sample = Stratified(mapped, matrix[1], matrix[1] * 1.3, ground, finite=True)
    assert sum(found.value for found in area_shares(sample, reference, CLASSES)) == pytest.approx(1)


def test_intervals_of_areas_stay_where_areas_can_be() -> None:
    assert Estimate(0.99, 0.1).interval == pytest.approx((0.794, 1.0))
    assert Estimate(0.01, 0.1).times(500).interval == pytest.approx((0, 103))


def test_intervals_of_accuracies_are_those_of_surveys() -> None:
    """With 90 of 100 right: those of Wilson, and of R's survey::svyciprop(method = "logit") with a normal quantile."""
    error = np.sqrt(0.9 * 0.1 / 100)
    logit = np.log(9) + np.array([-1, 1]) * 1.96 * error / 0.09
    assert Estimate(0.9, error, points=100).interval == pytest.approx(tuple(1 / (1 + np.exp(-logit))))
    low, high = Estimate(1.0, 0.0, points=100).interval
    assert (low, high) == pytest.approx((100 / (100 + 1.96**2), 1))  # Wilson (1927)
    assert Estimate(0.0, 0.0, points=100).interval == pytest.approx((0, 1 - low))
    assert all(np.isnan(Estimate(float("nan"), float("nan"), points=0).interval))


def test_one_point_adds_nothing_to_the_variance() -> None:
    """As mapaccuracy has it: its variance cannot be known."""
    pixels = np.array([100, 100])
    reference = np.array([0, 1, 1])
    sample = Stratified(np.array([0, 0, 1]), pixels, pixels.astype(np.float64), finite=True)
    assert area_shares(sample, reference, 2)[0].standard_error == pytest.approx(0.5 * np.sqrt(0.98 * 0.5 / 2))
