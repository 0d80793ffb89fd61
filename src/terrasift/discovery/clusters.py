"""From superpixels as points to clusters (docs/discovery.md, step 6)."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_centres", "nearest_centres", "nearest_shares", "unit_deviation"]

_STARTS = 2  # of which the tighter is kept
_ROUNDS = 50
_MOST = 100_000  # points that k-means looks at, drawn at random: with all of a sample's it takes three times as long
_ROWS = 1 << 16  # at a time


def unit_deviation(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Mean (D,) and total deviation of rows (n, D): what brings a half of the embedding to the scale of the other."""
    mean = rows.mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32), float(np.sqrt(rows.var(axis=0, dtype=np.float64).sum()))


def find_centres(points: NDArray[np.float32], clusters: int, seed: int) -> NDArray[np.float32]:
    """Centres of k-means on at most 100,000 of the points, the better of two starts by its inertia.

    Parameters
    ----------
    points
        (n, E), float32, n at least `clusters`.
    clusters
        K.
    seed
        Of the starts.

    Returns
    -------
    ndarray
        (K', E), float32; K' is smaller than K where there are fewer distinct points.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    looked_at = points
    if len(points) > _MOST:
        looked_at = points[np.sort(np.random.default_rng(seed).choice(len(points), _MOST, replace=False))]
    with threadpool_limits(1, user_api="openmp"), warnings.catch_warnings():  # more threads sum in another order
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters: said by the caller
        centres = KMeans(clusters, n_init=_STARTS, max_iter=_ROUNDS, random_state=seed).fit(looked_at).cluster_centers_
    centres = centres.astype(np.float32)
    nearest = nearest_centres(points, centres)  # of centres that are one but for rounding, a single one holds points
    return np.unique(centres[np.unique(nearest)], axis=0)


def nearest_centres(points: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    """(n,), int64: the nearest of the centres (K, E) to each point (n, E)."""
    half_norms = (centres**2).sum(axis=1) / 2
    parts = [
        (points[start : start + _ROWS] @ centres.T - half_norms).argmax(axis=1)
        for start in range(0, len(points), _ROWS)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def nearest_shares(
    points: NDArray[np.float32], centres: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """How much each point belongs to the clusters nearest to it.

    Parameters
    ----------
    points
        (n, E), float32.
    centres
        (K, E), float32.

    Returns
    -------
    tuple of ndarray
        The nearest clusters (n, at most 4), int64, the nearest first; and their shares, float32: the softmax of their
        negative squared distances, in units of the mean difference between the nearest and the second.
    """
    count = min(_SHARED, len(centres))
    half_norms = (centres**2).sum(axis=1) / 2
    nearest, nearness = np.empty((len(points), count), np.int64), np.empty((len(points), count), np.float32)
    for start in range(0, len(points), _ROWS):
        rows = slice(start, start + _ROWS)
        near = points[rows] @ centres.T - half_norms  # half the squared distance, turned round, but for a constant
        nearest[rows] = np.argsort(-near, axis=1, kind="stable")[:, :count]
        nearness[rows] = np.take_along_axis(near, nearest[rows], axis=1)
    below = nearness - nearness[:, :1]
    unit = float(-below[:, 1].mean(dtype=np.float64)) if count > 1 else 1.0
    shares = np.exp(below / max(unit, 1e-9))
    return nearest, shares / shares.sum(axis=1, keepdims=True)


_SHARED = 4  # clusters that share a point: a fifth would have next to nothing
