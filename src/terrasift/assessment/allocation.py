"""How many points a sample needs, and how many of them each stratum gets."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import SettingError

__all__ = ["FEWEST", "FEW_POINTS", "Allocation", "allocate", "points_needed"]

Allocation: TypeAlias = Literal["equal", "proportional", "neyman"]
"""Of points to strata: as many to each; by their size; by their size and how uncertain each is."""

FEWEST = 2
"""Points that a stratum gets at least: with one, no standard error can be estimated."""

FEW_POINTS = 30
"""Points in a stratum, below which intervals by the normal distribution are rough."""

_Array = NDArray[np.float64]


def points_needed(pixels: NDArray[np.integer[Any]], expected: _Array, standard_error: float) -> int:
    """Points that give overall accuracy a standard error: Olofsson et al. (2014), eq. 13; Cochran (1977), eq. 5.25.

    Parameters
    ----------
    pixels
        (H,): of each stratum.
    expected
        (H,): the user's accuracy that each may have, in [0, 1].
    standard_error
        Aimed at, above 0.

    Examples
    --------
    The paper's own, section 5.1.1:

    >>> pixels = np.array([200_000, 150_000, 3_200_000, 6_450_000])
    >>> points_needed(pixels, np.array([0.7, 0.6, 0.9, 0.95]), 0.01)
    641
    """
    weights = pixels / pixels.sum()
    spread = _spread(expected)
    variance = standard_error**2 + float((weights * spread**2).sum()) / float(pixels.sum())
    return math.ceil(float((weights * spread).sum()) ** 2 / variance)


def allocate(
    pixels: NDArray[np.integer[Any]], total: int, how: Allocation, expected: _Array | None = None
) -> NDArray[np.int64]:
    """Points of each stratum, (H,): `total` in all, at least `FEWEST` each, and no more than there are pixels.

    Parameters
    ----------
    pixels
        (H,): of each stratum.
    total
        Of all strata.
    how
        ``equal``; ``proportional`` to pixels; ``neyman``: proportional to pixels times the standard deviation within
        the stratum (Cochran 1977, eq. 5.26).
    expected
        (H,): the user's accuracy that each stratum may have, for ``neyman``.

    Raises
    ------
    SettingError
        If there are too few points for the strata, or too few pixels for the points.

    Examples
    --------
    >>> allocate(np.array([200_000, 150_000, 3_200_000, 6_450_000]), 641, "proportional").tolist()
    [13, 10, 205, 413]
    """
    if how not in get_args(Allocation):
        raise SettingError("allocation", f"{how} is no allocation", f"allowed are {', '.join(get_args(Allocation))}")
    least = np.minimum(pixels, FEWEST)
    if total < least.sum():
        raise SettingError(
            "total", f"{total} points are too few for {len(pixels)} strata", f"use {int(least.sum())} or more"
        )
    if total > pixels.sum():
        raise SettingError("total", f"{total} points are more than the map's {int(pixels.sum())} pixels", "use fewer")
    if how == "equal":
        return _apportion(np.ones(len(pixels)), total, least, pixels)
    if how == "proportional":
        return _apportion(pixels.astype(np.float64), total, least, pixels)
    if expected is None:
        raise SettingError("expected", "neyman needs the accuracy to expect of each class", "give it: forest=0.9")
    return _apportion(pixels * _spread(expected), total, least, pixels)


def _spread(accuracy: _Array) -> _Array:
    """Standard deviation of being right (Olofsson et al. 2014, below eq. 13)."""
    return np.asarray(np.sqrt(accuracy * (1 - accuracy)), np.float64)


def _apportion(
    shares: _Array, total: int, least: NDArray[np.integer[Any]], most: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """Whole numbers near their shares of a total, within bounds; the largest remainders get what rounding leaves."""
    points = np.clip(_within(shares, total, least, most), least, most)
    whole = np.floor(points + 1e-9).astype(np.int64)
    order = np.argsort(whole - points, kind="stable")
    for index in np.resize(order, len(order) * 2):
        if whole.sum() == total:
            break
        whole[index] += int(whole[index] < most[index])
    return whole


def _within(shares: _Array, total: int, least: NDArray[Any], most: NDArray[Any]) -> _Array:
    """The factor that makes shares, held within bounds, add up to the total; found by halving."""
    shares = np.maximum(shares, shares.max() * 1e-12 or 1.0)  # strata of which no error is expected get what is left
    low, high = 0.0, float((most / shares).max())
    for _ in range(200):
        middle = (low + high) / 2
        if np.clip(middle * shares, least, most).sum() < total:
            low = middle
        else:
            high = middle
    return np.asarray(high * shares, np.float64)
