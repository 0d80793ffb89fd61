"""Step 7: the best of many fuzzy c-means partitions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.external.fuzzy_cmeans import fuzzy_c_means, random_memberships

__all__ = ["Partition", "best_partition", "calinski_harabasz"]

_BATCH = 20  # restarts at once: more would gain no time and, with thousands of superpixels, fill the memory


class Partition(NamedTuple):
    """Superpixels in clusters."""

    clusters: NDArray[np.int64]
    """(n,): the cluster of each superpixel, from 0; a cluster may have none."""
    centres: NDArray[np.float64]
    """(k, p): the clusters' centres among the principal components."""
    score: float
    """Calinski-Harabasz index."""


def best_partition(
    points: NDArray[np.float64], clusters: int, random: np.random.Generator, *, restarts: int
) -> Partition:
    """The partition with the largest Calinski-Harabasz index among restarts of fuzzy c-means.

    Parameters
    ----------
    points
        (n, p), float64.
    clusters
        Number of clusters k, 2 to n - 1.
    random
        Source of the starts.
    restarts
        How many, 1 or more.

    Returns
    -------
    Partition
        Each superpixel in the cluster that it belongs to most; the first of equally good partitions.
    """
    best: Partition | None = None
    for done in range(0, restarts, _BATCH):
        runs = min(_BATCH, restarts - done)
        found = fuzzy_c_means(points, random_memberships(random, runs=runs, clusters=clusters, points=len(points)))
        hard = found.memberships.argmax(axis=1)
        scores = calinski_harabasz(points, hard, clusters)
        run = int(scores.argmax())
        if best is None or scores[run] > best.score:
            best = Partition(hard[run], found.centres[run], float(scores[run]))
    assert best is not None
    return best


def calinski_harabasz(points: NDArray[np.float64], partitions: NDArray[np.int64], clusters: int) -> NDArray[np.float64]:
    """Variance between clusters over variance within them, each by its degrees of freedom, for many partitions.

    Parameters
    ----------
    points
        (n, p), float64.
    partitions
        (R, n): clusters from 0.
    clusters
        Number of clusters that a partition may use; those without a point do not count.

    Returns
    -------
    ndarray
        (R,), float64; -inf where one cluster holds all points or each point is a cluster.

    References
    ----------
    Caliński and Harabasz, "A dendrite method for cluster analysis", Communications in Statistics, 1974.
    """
    points = points - points.mean(axis=0)
    members = (partitions[:, None, :] == np.arange(clusters)[:, None]).astype(np.float64)
    sizes = members.sum(axis=2)
    used = (sizes > 0).sum(axis=1)
    between = (np.square(members @ points).sum(axis=2) / np.maximum(sizes, 1)).sum(axis=1)
    within = np.maximum(np.square(points).sum() - between, np.finfo(np.float64).tiny)
    defined = (used > 1) & (used < len(points))
    between_freedom = np.maximum(used - 1, 1)
    with np.errstate(over="ignore"):  # points that sit on their centres have an infinite index, and rightly win
        index = (between / between_freedom) / (within / np.maximum(len(points) - used, 1))
    return np.where(defined, index, -np.inf)
