"""Ward's linkage of weighted points, over any dissimilarities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["weighted_ward"]


def weighted_ward(squared: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Join points, two groups at a time: those whose union adds least to the weighted sum of squared distances.

    Parameters
    ----------
    squared
        (L, L), symmetric: squared distances, or other dissimilarities in their place.
    weights
        (L,), positive.

    Returns
    -------
    ndarray
        (L - 1, 4): a linkage as SciPy has it. With weights of 1 and Euclidean distances it is that of
        ``scipy.cluster.hierarchy.linkage(points, "ward")``; SciPy's takes no weights. Heights never decrease.

    Notes
    -----
    Ward, "Hierarchical grouping to optimize an objective function", JASA 58 (1963), with the recurrence of Lance and
    Williams, "A general theory of classificatory sorting strategies", Computer Journal 9 (1967).
    """
    count = len(weights)
    weights = weights.astype(np.float64)
    costs = 2 * np.outer(weights, weights) / np.add.outer(weights, weights) * squared
    np.fill_diagonal(costs, np.inf)
    names = np.arange(count)
    sizes = np.ones(count)
    steps = []
    for step in range(count - 1):
        first, second = sorted(np.unravel_index(costs.argmin(), costs.shape))
        cost = costs[first, second]
        sizes[first] += sizes[second]
        low, high = sorted((names[first], names[second]))
        steps.append((low, high, np.sqrt(cost), sizes[first]))
        one, other = weights[first] + weights, weights[second] + weights
        with np.errstate(invalid="ignore"):  # the diagonal and what is gone are infinite
            joined = (one * costs[first] + other * costs[second] - weights * cost) / (one + weights[second])
        joined[[first, second]] = np.inf
        costs[first] = costs[:, first] = np.where(np.isnan(joined), np.inf, joined)
        costs[second] = costs[:, second] = np.inf
        weights[first] += weights[second]
        names[first] = count + step
    return np.array(steps, np.float64).reshape(-1, 4)
