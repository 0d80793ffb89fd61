"""Fuzzy c-means: clusters to which every point belongs by a degree, found from several starts at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FuzzyPartitions", "fuzzy_c_means", "random_memberships"]


class FuzzyPartitions(NamedTuple):
    """What fuzzy c-means found from each of R starts."""

    memberships: NDArray[np.float64]
    """(R, k, n): how much each of n points belongs to each of k clusters; 1 over the clusters."""
    centres: NDArray[np.float64]
    """(R, k, p)."""
    objective: NDArray[np.float64]
    """(R,): squared distances to the centres, weighted by the squared memberships, summed."""


def fuzzy_c_means(
    points: NDArray[np.float64],
    start: NDArray[np.float64],
    *,
    max_iterations: int = 100,
    tolerance: float = 1e-4,
) -> FuzzyPartitions:
    """Cluster points by fuzzy c-means with fuzzifier 2.

    Repeats for each start ``centres = weighted means, weights memberships^2`` and
    ``membership = (1 / distance^2) / sum over clusters of (1 / distance^2)``.

    Parameters
    ----------
    points
        (n, p), float64.
    start
        (R, k, n), float64: memberships to start from, 1 over the k clusters. See `random_memberships`.
    max_iterations
        Most iterations of a run.
    tolerance
        A run ends when its objective changes by no more than this. 0 demands that it stands still.

    Returns
    -------
    FuzzyPartitions
        Each run's result is the same as if it had been alone.

    Notes
    -----
    - The tolerance is on the objective's change, not on the memberships', as in the authors' code.
    - All runs go through two matrix products an iteration; those that have ended leave the batch.
    - With many clusters in many dimensions, centres tend to fall together [2]_. The merging that follows in the
      external algorithm makes one class of such clusters.

    References
    ----------
    .. [1] Bezdek, "Pattern Recognition with Fuzzy Objective Function Algorithms", 1981.
    .. [2] Winkler, Klawonn and Kruse, "Fuzzy C-Means in High Dimensional Spaces", 2012.

    Examples
    --------
    >>> points = np.array([[0.0], [0.2], [5.0], [5.2]])
    >>> start = random_memberships(np.random.default_rng(0), runs=1, clusters=2, points=4)
    >>> sorted(fuzzy_c_means(points, start).centres[0].ravel().round(1).tolist())
    [0.1, 5.1]
    """
    squares = np.square(points).sum(axis=1)
    memberships, objective = start.copy(), np.zeros(len(start))
    centres = np.zeros((*start.shape[:2], points.shape[1]))
    running = np.arange(len(start))
    current, previous = start, np.full(len(start), np.inf)
    for _ in range(max_iterations):
        moved = _centres(points, current)
        closeness = 1 / _squared_distances(points, squares, moved)
        total = closeness.sum(axis=1, keepdims=True)
        current = closeness / total
        reached = (1 / total).sum(axis=(1, 2))  # the objective, simplified by putting the new memberships in
        memberships[running], centres[running], objective[running] = current, moved, reached
        unsettled = np.abs(previous - reached) > tolerance
        running, current, previous = running[unsettled], current[unsettled], reached[unsettled]
        if not len(running):
            break
    return FuzzyPartitions(memberships, centres, objective)


def random_memberships(random: np.random.Generator, *, runs: int, clusters: int, points: int) -> NDArray[np.float64]:
    """Random starts for `fuzzy_c_means`: (runs, clusters, points), float64, 1 over the clusters."""
    memberships = random.random((runs, clusters, points))
    normalised: NDArray[np.float64] = memberships / memberships.sum(axis=1, keepdims=True)
    return normalised


def _centres(points: NDArray[np.float64], memberships: NDArray[np.float64]) -> NDArray[np.float64]:
    runs, clusters, count = memberships.shape
    weights = np.square(memberships).reshape(runs * clusters, count)
    centres: NDArray[np.float64] = (weights @ points) / weights.sum(axis=1, keepdims=True)
    return centres.reshape(runs, clusters, -1)


def _squared_distances(
    points: NDArray[np.float64], squares: NDArray[np.float64], centres: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(R, k, n), as |x|^2 - 2 x c + |c|^2, never below a floor that keeps 1 / distance^2 finite."""
    runs, clusters, dimensions = centres.shape
    flat = centres.reshape(runs * clusters, dimensions)
    distances = flat @ points.T
    distances *= -2
    distances += squares
    distances += np.square(flat).sum(axis=1, keepdims=True)
    np.maximum(distances, np.finfo(np.float64).eps ** 2, out=distances)
    return distances.reshape(runs, clusters, -1)
