"""Accuracy and area from a stratified random sample, with standard errors: arrays only.

Olofsson et al. (2014) take the map's classes as strata; Stehman (2014) any strata. The former's equations are the
latter's for that case, without the finite population correction. Here both are sums over strata of one linear form.

References
----------
P. Olofsson, G. M. Foody, M. Herold, S. V. Stehman, C. E. Woodcock, M. A. Wulder: Good practices for estimating area
and assessing accuracy of land change. Remote Sensing of Environment 148 (2014) 42-57.
S. V. Stehman: Estimating area and map accuracy for stratified random sampling when the strata are different from the
map classes. International Journal of Remote Sensing 35 (2014) 4923-4939.
W. G. Cochran: Sampling Techniques, 3rd edition (1977), sections 2.6, 5.4 and 6.3.
E. L. Korn, B. I. Graubard: Analysis of Health Surveys (1999).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Estimate",
    "Stratified",
    "Z",
    "area_shares",
    "error_matrix",
    "overall_accuracy",
    "producers_accuracies",
    "users_accuracies",
]

Z = 1.96
"""Standard errors to either side of an estimate that make a 95 % interval, as the papers have it."""

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure from a sample.

    Attributes
    ----------
    value
        NaN where it is not defined, as the user's accuracy of a class that the map does not show.
    standard_error
        Of it.
    largest
        What it can be at most: 1 for shares and accuracies.
    points
        Of an accuracy: the points that it is about. 0 for an area.
    """

    value: float
    standard_error: float
    largest: float = 1.0
    points: int = 0

    @property
    def half_width(self) -> float:
        """Of the papers' interval, `Z` standard errors."""
        return Z * self.standard_error

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval.

        Of an area as in the papers, the value give or take `half_width`, as far as that is possible. Of an accuracy
        that holds the truth too seldom where errors are few. So it is taken on the logit scale, as surveys do (Korn
        and Graubard 1999; `svyciprop` of R's survey), and, where the sample saw no error or nothing right, is that of
        Wilson (1927) for `points`, rather than of no width.
        """
        value, error = self.value, self.standard_error
        if value != value:
            return value, value
        if not self.points:
            return max(0.0, value - self.half_width), min(self.largest, value + self.half_width)
        if error == 0 or not 0 < value < 1:
            return _wilson(value, self.points)
        middle, half = math.log(value / (1 - value)), Z * error / (value * (1 - value))
        return _expit(middle - half), _expit(middle + half)

    def times(self, factor: float) -> Estimate:
        """An area in another unit."""
        return Estimate(self.value * factor, self.standard_error * factor, self.largest * factor)


def _expit(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0


def _wilson(share: float, points: int) -> tuple[float, float]:
    part = Z**2 / points
    middle = (share + part / 2) / (1 + part)
    half = math.sqrt(part * share * (1 - share) + part**2 / 4) / (1 + part)
    return max(0.0, middle - half), min(1.0, middle + half)


class Stratified:
    """A stratified random sample of pixels that may differ in the ground they cover.

    Parameters
    ----------
    strata
        (N,), int: of each point, from 0.
    pixels
        (H,): in each stratum of the population; only the finite population correction asks for it.
    areas
        (H,): what each stratum covers, exactly.
    ground
        (N,): what the pixel of each point covers; None where all cover the same.
    finite
        Whether to apply the finite population correction, as Stehman does and Olofsson does not.
    """

    def __init__(
        self,
        strata: NDArray[np.integer[Any]],
        pixels: NDArray[np.integer[Any]],
        areas: _Array,
        ground: _Array | None = None,
        *,
        finite: bool,
    ) -> None:
        self._members = [np.flatnonzero(strata == stratum) for stratum in range(len(areas))]
        self._areas = areas
        self._whole = float(areas.sum())
        self._ground = np.ones(len(strata)) if ground is None else ground
        self._left = [1 - len(own) / size if finite else 1.0 for own, size in zip(self._members, pixels, strict=True)]

    def share(self, values: _Array) -> float:
        """The mean of values (N,) over the whole area (Stehman eq. 3).

        Pixels that cover more count for more: within a stratum it is the ratio of two means (Cochran eq. 6.1).
        """
        return sum(area * self._mean(values, own) for area, own in self._strata()) / self._whole

    def standard_error(self, values: _Array) -> float:
        """Of `share`: Stehman eq. 25, with the residuals of Cochran eq. 6.13 where pixels differ; one point adds 0."""
        variance = 0.0
        for (area, own), left in zip(self._strata(), self._left, strict=True):
            ground = self._ground[own] / self._ground[own].mean()
            residuals = ground * (values[own] - self._mean(values, own))
            if len(own) > 1:
                variance += area**2 * left * float((residuals**2).sum()) / (len(own) * (len(own) - 1))
        return float(np.sqrt(variance)) / self._whole

    def mean(self, values: _Array, points: int = 0) -> Estimate:
        """`share` and its standard error."""
        return Estimate(self.share(values), self.standard_error(values), points=points)

    def ratio(self, above: _Array, below: _Array) -> Estimate:
        """The share of one over that of another: Stehman eqs. 27 and 28; NaN where the latter is 0."""
        base = self.share(below)
        if base == 0:
            return Estimate(float("nan"), float("nan"))
        value = self.share(above) / base
        error = self.standard_error(above - value * below) / base
        return Estimate(value, error, points=int(np.count_nonzero(below)))

    def _strata(self) -> list[tuple[float, NDArray[np.intp]]]:
        return [(float(area), own) for area, own in zip(self._areas, self._members, strict=True)]

    def _mean(self, values: _Array, own: NDArray[np.intp]) -> float:
        return float((self._ground[own] * values[own]).sum() / self._ground[own].sum())


def error_matrix(
    sample: Stratified,
    mapped: NDArray[np.integer[Any]],
    reference: NDArray[np.integer[Any]],
    rows: int,
    columns: int,
) -> tuple[NDArray[np.int64], _Array]:
    """Points by class in the map, down, and in the reference, across; and as shares of the whole area.

    Parameters
    ----------
    sample
        The points and what they stand for; each stratum has one at least.
    mapped, reference
        (N,), int: the class of each point in the map, from 0 to `rows` - 1, and what it truly is, to `columns` - 1.

    Returns
    -------
    counts, proportions
        (rows, columns), int64 and float64 (Olofsson eq. 4, Stehman eqs. 3 and 16).
    """
    counts = np.zeros((rows, columns), np.int64)
    np.add.at(counts, (mapped, reference), 1)
    proportions = np.zeros((rows, columns))
    for row, column in np.argwhere(counts).tolist():
        proportions[row, column] = sample.share(_are(mapped, row) * _are(reference, column))
    return counts, proportions


def overall_accuracy(
    sample: Stratified, mapped: NDArray[np.integer[Any]], reference: NDArray[np.integer[Any]]
) -> Estimate:
    """Share of the area on which map and reference agree: Olofsson eqs. 1 and 5, Stehman eqs. 12 and 25."""
    return sample.mean(np.asarray(mapped == reference, np.float64), len(mapped))


def users_accuracies(
    sample: Stratified, mapped: NDArray[np.integer[Any]], reference: NDArray[np.integer[Any]], classes: int
) -> list[Estimate]:
    """Of what the map shows as a class, the share that is one: Olofsson eqs. 2 and 6, Stehman eqs. 18, 27 and 28."""
    shows = [_are(mapped, index) for index in range(classes)]
    return [sample.ratio(own * _are(reference, index), own) for index, own in enumerate(shows)]


def producers_accuracies(
    sample: Stratified, mapped: NDArray[np.integer[Any]], reference: NDArray[np.integer[Any]], classes: int
) -> list[Estimate]:
    """Of what is a class, the share that the map shows as one: Olofsson eqs. 3 and 7, Stehman eqs. 22, 27 and 28."""
    return users_accuracies(sample, reference, mapped, classes)


def area_shares(sample: Stratified, reference: NDArray[np.integer[Any]], classes: int) -> list[Estimate]:
    """Share of the whole area that each class truly has: Olofsson eqs. 9 and 10, Stehman eqs. 14 and 25."""
    return [sample.mean(_are(reference, index)) for index in range(classes)]


def _are(values: NDArray[np.integer[Any]], index: int) -> _Array:
    return np.asarray(values == index, np.float64)
