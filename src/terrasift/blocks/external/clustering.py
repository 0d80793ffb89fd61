"""Steps 5 to 8: from the superpixels' features to their classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.external.cluster_count import knee, objective_curve
from terrasift.blocks.external.components import leading_components, normalise
from terrasift.blocks.external.merging import Merging, merge_centres
from terrasift.blocks.external.partition import Partition, best_partition

__all__ = ["Clustering", "cluster_superpixels"]

_COUNTS = range(2, 31)
_RESOLUTION = 1e-6  # superpixels that differ by less differ by the rounding of single precision


class Clustering(NamedTuple):
    """What steps 5 to 8 found."""

    components: NDArray[np.float64]
    """(n, p): the superpixels' principal components."""
    counts: range
    """The numbers of clusters that were tried; empty where there was no choice."""
    objectives: NDArray[np.float64]
    """(len(counts),): the median objective for each."""
    partition: Partition | None
    """The best partition into the chosen number of clusters; None where there was no choice."""
    merging: Merging | None
    """Which of its clusters were joined; None where there was no choice."""
    classes: NDArray[np.int64]
    """(n,): the class of each superpixel, numbered from 0 in the order of their first superpixels."""


def cluster_superpixels(
    features: NDArray[np.float64],
    random: np.random.Generator,
    *,
    restarts: int = 20,
    more_clusters: int = 0,
) -> Clustering:
    """Normalise, reduce, choose the number of clusters, cluster, and merge.

    Parameters
    ----------
    features
        (n, features), float64.
    random
        Source of all starts.
    restarts
        Restarts of fuzzy c-means for the final partition, 1 or more.
    more_clusters
        Added to the number of clusters at the knee.

    Returns
    -------
    Clustering

    Notes
    -----
    - The number of clusters is the k at the knee. The authors' code takes the knee's position in its list, which
      begins at 2, and so has one cluster less.
    - k stays below the number of superpixels n, else the Calinski-Harabasz index is undefined: up to 30 or n - 1 are
      tried.
    - Superpixels that are all alike make one class. Two that differ make two.
    """
    components = leading_components(normalise(features))
    n = len(components)
    if components.std(axis=0).max() < _RESOLUTION:
        return Clustering(components, range(0), np.zeros(0), None, None, np.zeros(n, np.int64))
    if n == 2:
        return Clustering(components, range(0), np.zeros(0), None, None, np.arange(2))
    counts = range(_COUNTS.start, min(_COUNTS.stop, n))
    objectives = objective_curve(components, counts, random)
    clusters = min(counts[knee(objectives)] + more_clusters, n - 1)
    partition = best_partition(components, clusters, random, restarts=restarts)
    merging = merge_centres(partition.centres)
    classes = _number_by_appearance(merging.classes[partition.clusters])
    return Clustering(components, counts, objectives, partition, merging, classes)


def _number_by_appearance(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Equal partitions become equal arrays, whatever numbers the random start gave to the clusters."""
    _, first, inverse = np.unique(classes, return_index=True, return_inverse=True)
    order: NDArray[np.int64] = np.argsort(np.argsort(first))
    return order[inverse]
