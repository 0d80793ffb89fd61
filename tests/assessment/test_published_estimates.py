"""The papers' worked examples, to the digits that they print.

Sources: Olofsson et al. (2014), Tables 5, 8 and 9 and sections 5.1 and 5.2 (pp. 53-55); Stehman (2014), Table 2 and
pp. 4932-4936; Olofsson et al. (2013), example 1. The R package mapaccuracy 0.1.2 documents these same examples for
`olofsson()` and `stehman2014()`, with the pages to compare with: its counts, sizes and label vectors are those below.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terrasift.assessment import Estimate, allocate, points_needed
from terrasift.assessment.estimators import (
    Stratified,
    Z,
    area_shares,
    error_matrix,
    overall_accuracy,
    producers_accuracies,
    users_accuracies,
)

# Olofsson et al. (2014), Table 8: deforestation, forest gain, stable forest, stable non-forest; map down.
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])
HECTARES = 0.09  # a pixel of Landsat


def points_of(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Map and reference of each point of an error matrix."""
    rows, columns = np.indices(counts.shape)
    return rows.ravel().repeat(counts.ravel()), columns.ravel().repeat(counts.ravel())


@pytest.fixture
def olofsson() -> tuple[Stratified, NDArray[np.int64], NDArray[np.int64]]:
    mapped, reference = points_of(COUNTS)
    return Stratified(mapped, PIXELS, PIXELS * HECTARES, finite=False), mapped, reference


def printed(estimates: list[Estimate], digits: int) -> tuple[list[float], list[float]]:
    """Values and half-widths of 95 % intervals, as papers round them."""
    return [round(found.value, digits) for found in estimates], [
        round(Z * found.standard_error, digits) for found in estimates
    ]


def test_olofsson_table_9(olofsson: tuple[Stratified, NDArray[np.int64], NDArray[np.int64]]) -> None:
    counts, proportions = error_matrix(*olofsson, 4, 4)
    np.testing.assert_array_equal(counts, COUNTS)
    expected = [
        [0.0176, 0, 0.0013, 0.0011],
        [0, 0.0110, 0.0016, 0.0024],
        [0.0019, 0, 0.2967, 0.0213],
        [0.0040, 0.0020, 0.0179, 0.6212],
    ]
    np.testing.assert_array_equal(proportions.round(4), expected)
    np.testing.assert_array_equal(proportions.sum(axis=0).round(4), [0.0235, 0.0130, 0.3175, 0.6460])


def test_olofsson_accuracies(olofsson: tuple[Stratified, NDArray[np.int64], NDArray[np.int64]]) -> None:
    """Two of the eight half-widths in print, of producer's accuracies, are not those of the paper's own eq. 7: it has
    0.23 for forest gain and 0.01 for stable non-forest, where eq. 7, like mapaccuracy, gives 0.25 and 0.02."""
    assert printed([overall_accuracy(*olofsson)], 2) == ([0.95], [0.02])
    assert printed(users_accuracies(*olofsson, 4), 2) == ([0.88, 0.73, 0.93, 0.96], [0.07, 0.10, 0.04, 0.02])
    assert printed(producers_accuracies(*olofsson, 4), 2) == ([0.75, 0.85, 0.93, 0.96], [0.21, 0.25, 0.03, 0.02])


def test_olofsson_areas(olofsson: tuple[Stratified, NDArray[np.int64], NDArray[np.int64]]) -> None:
    stratified, _, reference = olofsson
    total = PIXELS.sum() * HECTARES
    areas = [share.times(total) for share in area_shares(stratified, reference, 4)]
    assert printed(areas, 0) == ([21_158, 11_686, 285_770, 581_386], [6_158, 3_756, 15_510, 16_282])
    assert round(areas[0].standard_error / total, 4) == 0.0035


def test_olofsson_sample_size_and_allocations() -> None:
    assert points_needed(PIXELS, np.array([0.70, 0.60, 0.90, 0.95]), 0.01) == 641
    assert allocate(PIXELS, 640, "equal").tolist() == [160, 160, 160, 160]
    assert allocate(PIXELS, 641, "proportional").tolist() == [13, 10, 205, 413]


def test_olofsson_2013_example_1() -> None:
    """In pixels; eqs. 9 to 16, whose 45,651 pixels come from a share that was rounded to 0.026 before."""
    mapped, reference = points_of(np.array([[97, 0, 3], [3, 279, 18], [2, 1, 97]]))
    pixels = np.array([22_353, 1_122_543, 610_228])
    stratified = Stratified(mapped, pixels, pixels.astype(np.float64), finite=False)
    share = area_shares(stratified, reference, 3)[0]
    assert round(share.value, 3) == 0.026
    assert round(share.times(float(pixels.sum())).standard_error) == 10_751
    assert round(users_accuracies(stratified, mapped, reference, 3)[0].value, 2) == 0.97
    assert round(producers_accuracies(stratified, mapped, reference, 3)[0].value, 2) == 0.48
    assert round(overall_accuracy(stratified, mapped, reference).value, 3) == 0.944


# Stehman (2014), Table 2, as mapaccuracy documents it: ten points of each stratum.
STRATA = np.arange(4).repeat(10)
MAPPED = np.array(["ABCD".index(name) for name in "AAAAAAABBBABBBBBBBBBBBCCCCCCBBDDDDDDDDDD"])
TRULY = np.array(["ABCD".index(name) for name in "AAAAACBABCABBBBBAABBCCCCCDDBBADDDDDDDCCB"])
SIZES = np.array([40_000, 30_000, 20_000, 10_000])


def test_stehman() -> None:
    """To the digits of the paper, and to those of mapaccuracy's own output, as PyMapAccuracy's tests keep it.

    The paper prints 0.114 for the last standard error; its eq. 28, like mapaccuracy, gives 0.117.
    """
    stratified = Stratified(STRATA, SIZES, SIZES.astype(np.float64), finite=True)
    areas = area_shares(stratified, TRULY, 4)
    users, producers = (method(stratified, MAPPED, TRULY, 4)[1] for method in (users_accuracies, producers_accuracies))
    found = [areas[0], areas[2], overall_accuracy(stratified, MAPPED, TRULY), users, producers]
    assert [round(estimate.value, 3) for estimate in found] == [0.35, 0.20, 0.63, 0.574, 0.794]
    assert [round(estimate.standard_error, 3) for estimate in found] == [0.082, 0.064, 0.085, 0.125, 0.117]
    assert [estimate.value for estimate in found] == pytest.approx([0.35, 0.2, 0.63, 0.5744681, 0.7941176], abs=5e-8)
    errors = [0.0822478, 0.06427977, 0.08464219, 0.1247822, 0.1165479]
    assert [estimate.standard_error for estimate in found] == pytest.approx(errors, abs=5e-8)
    assert round(error_matrix(stratified, MAPPED, TRULY, 4, 4)[1][1, 2], 2) == 0.08
