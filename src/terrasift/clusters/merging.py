"""Clusters joined into classes without labels: by what is seen in them, and by where they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrasift.clusters.facts import ClusterFacts
from terrasift.clusters.ward import weighted_ward
from terrasift.errors import SettingError
from terrasift.legend import Legend
from terrasift.legend.editing import legend_of_groups

__all__ = ["MergeTree", "merge_clusters", "merge_tree", "merged_legend", "suggest_classes"]

_VARIANCE_KEPT = 0.95
_MOST_RATIO = 20.0  # that two clusters touch as often, or as seldom, as is believed
_SUGGESTED = range(3, 13)


@dataclass(frozen=True)
class MergeTree:
    """How clusters join, two groups at a time.

    Attributes
    ----------
    linkage
        (L - 1, 4), float64: the joins in order, as ``scipy.cluster.hierarchy`` has them; it draws the dendrogram.
    leaves
        (L,), int64: the clusters that are the linkage's points 0 to L - 1, those with pixels.
    """

    linkage: NDArray[np.float64]
    leaves: NDArray[np.int64]


def merge_tree(facts: ClusterFacts) -> MergeTree:
    """Join clusters that look alike and that touch more often than by chance.

    Two clusters' squared distance is that of their centres in the embedding they were discovered in, or, where the
    network found them by itself, of their prototypes, whitened: over the pixels all directions in which clusters
    differ vary alike. It is divided by how much more often the two touch than their borders would by chance. They are
    joined by Ward's method, weighted by the square root of their pixels. `benchmarks/merging.py` says what each part is
    worth.

    Parameters
    ----------
    facts
        Of the clusters.
    """
    from scipy.spatial.distance import pdist, squareform

    leaves = np.flatnonzero(facts.pixels > 0)
    if facts.embedding is not None:  # a pixel or two may be of a cluster that was never a target
        leaves = leaves[np.isfinite(facts.embedding[leaves]).all(axis=1)]
    shares = facts.pixels[leaves] / facts.pixels[leaves].sum()
    points = _whitened(facts.prototypes[leaves], shares) if facts.embedding is None else facts.embedding[leaves]
    squared = squareform(pdist(points, "sqeuclidean"))
    touching = _touching(facts.adjacency[np.ix_(leaves, leaves)])
    return MergeTree(weighted_ward(squared / touching, np.sqrt(shares)), leaves)


def merge_clusters(facts: ClusterFacts, classes: int) -> NDArray[np.int64]:
    """Class of each cluster, when they are joined into so many.

    Parameters
    ----------
    facts
        Of the clusters.
    classes
        N, at most as many as there are clusters with pixels.

    Returns
    -------
    ndarray
        (K,), int64, 0 to N - 1; the class with the most pixels is 0. Clusters without a pixel in the sample, of which
        nothing is known, go to that class too.

    Raises
    ------
    SettingError
        If there are not so many clusters with pixels.
    """
    from scipy.cluster.hierarchy import cut_tree

    tree = merge_tree(facts)
    if not 1 <= classes <= len(tree.leaves):
        most = len(tree.leaves)
        raise SettingError("classes", f"is {classes}", f"{most} clusters have pixels: allowed is 1 to {most}")
    groups = cut_tree(tree.linkage, classes)[:, 0] if classes > 1 else np.zeros(len(tree.leaves), np.int64)
    order = np.argsort(-np.bincount(groups, weights=facts.pixels[tree.leaves]), kind="stable")
    mapping = np.zeros(len(facts.pixels), np.int64)
    mapping[tree.leaves] = np.argsort(order)[groups]
    return mapping


def merged_legend(facts: ClusterFacts, classes: int | None, before: Legend) -> Legend:
    """Join clusters into classes without names.

    Parameters
    ----------
    facts
        Of the clusters of the legend's classifier.
    classes
        How many; None takes what `suggest_classes` says.
    before
        The legend so far: its classifier and what it ignores stay.

    Raises
    ------
    SettingError
        If there are not so many clusters with pixels.
    """
    count = suggest_classes(merge_tree(facts)) if classes is None else classes
    return legend_of_groups(merge_clusters(facts, count), before.classifier, before.ignore)


def suggest_classes(tree: MergeTree) -> int:
    """A number of classes, 3 to 12, to begin with: where the next join would cost most against the one before it.

    It is a hint, not a measurement: on real images several numbers do about as well, and how fine classes should be is
    the user's to say.
    """
    heights = tree.linkage[::-1, 2]  # heights[n - 2] is that of the join of n groups into n - 1
    most = len(tree.leaves)
    if most <= _SUGGESTED.start:
        return most
    ratios = {n: heights[n - 2] / max(heights[n - 1], 1e-12) for n in _SUGGESTED if n < most}
    return max(ratios, key=lambda n: ratios[n])


def _whitened(prototypes: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L, components): their principal components over the pixels, without the weakest, each of variance 1."""
    centred = prototypes - shares @ prototypes
    deviations = np.sqrt(shares @ centred**2)
    centred = np.divide(centred, deviations, out=np.zeros_like(centred), where=deviations > 0)
    _, strengths, directions = np.linalg.svd(np.sqrt(shares)[:, None] * centred, full_matrices=False)
    variance = np.cumsum(strengths**2)
    count = int(np.searchsorted(variance, _VARIANCE_KEPT * variance[-1])) + 1
    kept = slice(0, count if strengths[0] > 0 else 0)
    points: NDArray[np.float64] = centred @ directions[kept].T / strengths[kept]
    return points


def _touching(adjacency: NDArray[np.int64]) -> NDArray[np.float64]:
    """(L, L): how much more often two clusters touch than if the ends of all borders were paired by chance."""
    borders = adjacency.sum(axis=1).astype(np.float64)
    chance = np.outer(borders, borders) / max(borders.sum(), 1.0)
    ratio = (adjacency + 1) / (chance + 1)  # 1: rare pairs say little
    clipped: NDArray[np.float64] = np.clip(ratio, 1 / _MOST_RATIO, _MOST_RATIO)
    return clipped
