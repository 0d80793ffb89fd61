"""Step 6: how many clusters, from where the objective of fuzzy c-means stops falling steeply."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.external.fuzzy_cmeans import fuzzy_c_means, random_memberships

__all__ = ["knee", "objective_curve"]


_RUNS = 10  # for each number of clusters


def objective_curve(points: NDArray[np.float64], counts: range, random: np.random.Generator) -> NDArray[np.float64]:
    """The median objective of fuzzy c-means over ten runs, for each number of clusters.

    Parameters
    ----------
    points
        (n, p), float64.
    counts
        Numbers of clusters.
    random
        Source of the starts.

    Returns
    -------
    ndarray
        (len(counts),), float64.
    """
    medians = []
    for clusters in counts:
        start = random_memberships(random, runs=_RUNS, clusters=clusters, points=len(points))
        medians.append(np.median(fuzzy_c_means(points, start).objective))
    return np.array(medians)


def knee(curve: NDArray[np.float64]) -> int:
    """Index of the point that splits a curve into the two least-squares lines with the smallest total error.

    Parameters
    ----------
    curve
        (m,), float64: values at equal steps.

    Returns
    -------
    int
        From 1 to m - 2, the first of equals; 0 where m is below 3.

    Notes
    -----
    Both lines include the point. They are fitted by least squares and their error is the sum of the absolute
    residuals, as in the function that the authors use (D. Kaplan, "Knee Point", MATLAB Central File Exchange 35094).

    Examples
    --------
    >>> knee(np.array([30, 27, 24, 21, 18, 15, 12, 10, 8, 6, 4, 2, 0.0]))
    6
    """
    if len(curve) < 3:
        return 0
    errors = [_line_error(curve[: point + 1]) + _line_error(curve[point:]) for point in range(1, len(curve) - 1)]
    return int(np.argmin(errors)) + 1


def _line_error(values: NDArray[np.float64]) -> float:
    """Sum of the absolute residuals of the least-squares line."""
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    deviations = values - values.mean()
    slope = (steps @ deviations) / (steps @ steps)
    return float(np.abs(deviations - slope * steps).sum())
