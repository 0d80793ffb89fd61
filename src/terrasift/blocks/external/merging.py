"""Step 8: join clusters that lie close together, by the tree that shows their distances most faithfully."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cophenet, fcluster, linkage
from scipy.spatial.distance import pdist

__all__ = ["Merging", "merge_centres"]

_DISTANCES = ("euclidean", "cityblock", "chebyshev", "cosine", "correlation")
_LINKAGES = ("average", "complete", "single", "weighted", "centroid", "median", "ward")
_EUCLIDEAN_ONLY = ("centroid", "median", "ward")
_CUT = 0.33  # of the height of a tree: clusters joined there or below become one class


class Merging(NamedTuple):
    """Which clusters become one class."""

    classes: NDArray[np.int64]
    """(k,): the class of each cluster, from 0."""
    linkage: str
    distance: str
    correlation: float
    """Cophenetic correlation of the tree; NaN where it is undefined."""


def merge_centres(centres: NDArray[np.float64]) -> Merging:
    """Build a tree over the centres for each linkage and distance, take the best, and cut it at 0.33 of its height.

    Parameters
    ----------
    centres
        (k, p), float64, k at least 2.

    Returns
    -------
    Merging
        By the tree with the largest cophenetic correlation; the first of equals.

    Notes
    -----
    - The distances and linkages are those of the authors' code: Euclidean, city block, Chebyshev, cosine, correlation;
      average, complete, single, weighted, centroid, median, Ward.
    - Centroid, median and Ward linkage go with the Euclidean distance alone: with another their heights have no
      meaning. That leaves 23 of the 35 pairs, as in the authors' code.
    - A distance that is undefined somewhere (the cosine of a centre at the origin) is left out.
    - With two clusters, or all at equal distances, no correlation is defined: average linkage and the Euclidean
      distance decide.

    References
    ----------
    Sokal and Rohlf, "The comparison of dendrograms by objective methods", Taxon, 1962.

    Examples
    --------
    >>> merge_centres(np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0]])).classes.tolist()
    [0, 0, 1]
    """
    trees = []
    for distance in _DISTANCES:
        with np.errstate(invalid="ignore"):
            between = np.maximum(pdist(centres, distance), 0)  # rounding can take a cosine distance below 0
        if not np.isfinite(between).all():
            continue
        for method in _LINKAGES:
            if distance == "euclidean" or method not in _EUCLIDEAN_ONLY:
                tree = linkage(between, method)
                trees.append((_cophenetic_correlation(tree, between), method, distance, tree))
    correlation, method, distance, tree = max(trees, key=lambda found: np.nan_to_num(found[0], nan=-2.0))
    classes = fcluster(tree, _CUT * tree[:, 2].max(), criterion="distance") - 1
    return Merging(classes.astype(np.int64), method, distance, correlation)


def _cophenetic_correlation(tree: NDArray[np.float64], between: NDArray[np.float64]) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation, _ = cophenet(tree, between)
    return float(correlation)
