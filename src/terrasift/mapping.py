"""Clusters to classes, from how often each cluster lies on each class (docs/method.md)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import SettingError

__all__ = ["MappingMethod", "Regions", "apply_mapping", "map_clusters"]

MappingMethod = Literal["majority", "hungarian"]
"""``majority``: many clusters to one class; ``hungarian``: one to one."""

Regions = Literal["classes", "clusters"]
"""What the region metrics of a segmentation see: the mapped classes, as the study does, or the raw clusters."""


def map_clusters(counts: NDArray[np.integer[Any]], method: MappingMethod = "majority") -> NDArray[np.int64]:
    """Give each cluster a class.

    Parameters
    ----------
    counts
        (K, C), integers: pixels of each cluster on each class, over the mapping set.
    method
        ``majority``: each cluster takes the class it overlaps most, the first of equals. ``hungarian``: the one-to-one
        assignment with the largest overlap; K must be C.

    Returns
    -------
    ndarray
        (K,), int64, class of each cluster.

    Raises
    ------
    SettingError
        If one-to-one is asked for with K other than C.

    Notes
    -----
    A cluster that the mapping set never shows takes the class that is most frequent there.

    Examples
    --------
    >>> import numpy as np
    >>> map_clusters(np.array([[3, 1], [0, 2], [5, 4]]))
    array([0, 1, 0])
    """
    clusters, classes = counts.shape
    if method == "hungarian":
        if clusters != classes:
            raise SettingError(
                "mapping", f"one-to-one needs as many clusters as classes, not {clusters} and {classes}", "use majority"
            )
        from scipy.optimize import linear_sum_assignment

        return np.asarray(linear_sum_assignment(counts, maximize=True)[1], np.int64)
    mapping: NDArray[np.int64] = counts.argmax(axis=1)
    mapping[counts.sum(axis=1) == 0] = counts.sum(axis=0).argmax()
    return mapping


def apply_mapping(counts: NDArray[np.integer[Any]], mapping: NDArray[np.int64]) -> NDArray[np.int64]:
    """Confusion counts (C, C), true classes by predicted ones, of clusters (K, C) taken for their classes (K,)."""
    classes = counts.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion.T, mapping, counts)
    return confusion
