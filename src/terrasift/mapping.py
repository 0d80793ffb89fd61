"""Clusters to classes: from how often each cluster lies on each class, or as a legend has them (docs/method.md)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.choices import MappingMethod
from terrasift.errors import InputError, SettingError, some_of
from terrasift.legend import Legend

__all__ = ["NO_CLASS", "apply_mapping", "map_by_name", "map_clusters"]

NO_CLASS = -1
"""The class of a cluster that has none. Its pixels count nowhere, as the nodata of a class map does."""


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
    has_class = mapping != NO_CLASS
    np.add.at(confusion.T, mapping[has_class], counts[has_class])
    return confusion


def map_by_name(legend: Legend, truth: Legend, clusters: int, where: object = "legend") -> NDArray[np.int64]:
    """The class of the truth that each cluster has in a legend, by the name that both know it by.

    Parameters
    ----------
    legend
        Holds clusters.
    truth
        The classes of the masks, in any order, under the same names. Those that the legend does without are never
        predicted.
    clusters
        K.
    where
        Whose legend it is, for the error.

    Returns
    -------
    ndarray
        (K,), int64, class of each cluster; `NO_CLASS` for those that the legend leaves out, and for those that nobody
        has named ("cluster 12", "class 3").

    Raises
    ------
    InputError
        If a class of the legend is none of the truth's, or if no cluster has a class; the line names the classes.
    """
    index_of = {name: index for index, name in enumerate(truth.names)}
    held = [entry for entry in legend.classes if entry.clusters and (entry.name in index_of or entry.is_named)]
    unknown = [repr(entry.name) for entry in held if entry.name not in index_of]
    if unknown:
        mend = f"rename them: terrasift legend RUN --name {unknown[0]}=NAME"
        raise InputError(where, f"has classes that the classes file does not name: {some_of(unknown)}", mend)
    if not held:
        raise InputError(where, "names no class yet", "name its clusters, or let `mapping=majority` do it")
    named = np.full(len(legend.classes) + 1, NO_CLASS, np.int64)  # the last is for clusters that no class holds
    for index, entry in enumerate(legend.classes):
        named[index] = index_of[entry.name] if entry in held else NO_CLASS
    return named[legend.mapping(clusters)]
