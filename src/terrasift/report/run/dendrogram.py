"""How the clusters of a run join without labels, as a dendrogram."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.cluster.hierarchy import dendrogram

from terrasift.clusters import ClusterFacts, MergeTree, merge_tree, suggest_classes
from terrasift.legend import Legend
from terrasift.report.pictures import embed_figure

__all__ = ["Dendrogram", "draw_dendrogram"]

_MOST_LEAVES = 400  # more cannot be told apart in a picture
_LINE = "#14506e"
_CUT = "#d55e00"


class Dendrogram(NamedTuple):
    """A picture, in words what it shows, and the number of classes it suggests."""

    uri: str
    alt: str
    suggested: int


def draw_dendrogram(facts: ClusterFacts, legend: Legend, clusters: int, *, is_mapped: bool) -> Dendrogram | None:
    """The tree of `merge_tree`, with the cut that `suggest_classes` makes; None with too few or too many clusters.

    Parameters
    ----------
    facts
        Of the legend's classifier.
    legend
        Its colours stand under the leaves, if it has classes.
    clusters
        K.
    is_mapped
        Whether the legend has classes.
    """
    if not 3 <= np.count_nonzero(facts.pixels) <= _MOST_LEAVES:
        return None
    tree = merge_tree(facts)
    suggested = suggest_classes(tree)
    count = len(tree.leaves)
    figure = Figure(figsize=(max(8.4, 0.13 * count), 4.2), layout="constrained")
    axis = figure.subplots()
    names = [str(leaf) for leaf in tree.leaves.tolist()]
    drawn = dendrogram(
        tree.linkage, ax=axis, labels=names, link_color_func=lambda _: _LINE, leaf_rotation=90, leaf_font_size=7.5
    )
    cut = _cut(tree.linkage[:, 2], suggested)
    words = f"cut into {suggested} classes, as suggested"
    axis.axhline(cut, color=_CUT, linewidth=1.3, linestyle="--", label=words)
    if is_mapped:
        _draw_classes(axis, drawn["leaves"], tree, legend, clusters)
    axis.set_ylabel("distance at which they join")
    axis.set_xlabel("cluster")
    axis.spines[["top", "right", "bottom"]].set_visible(False)
    axis.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    alt = f"Dendrogram of {count} clusters; a cut into {suggested} classes is suggested"
    return Dendrogram(embed_figure(figure, dpi=160), alt, suggested)


def _cut(heights: NDArray[np.float64], classes: int) -> float:
    """Between the join that leaves so many groups and the next."""
    joined = np.concatenate([[0.0], heights])[::-1]  # joined[n - 1]: the last join that leaves n groups
    above = joined[classes - 2] if classes > 1 else joined[0] * 1.1
    return float((joined[classes - 1] + above) / 2)


def _draw_classes(axis: Axes, leaves: list[int], tree: MergeTree, legend: Legend, clusters: int) -> None:
    """A square in the colour of its class under each leaf."""
    mapping = legend.mapping(clusters)
    height = -0.035 * float(tree.linkage[-1, 2])
    for place, leaf in enumerate(leaves):
        held = int(mapping[tree.leaves[leaf]])
        if held >= 0:
            x = 10 * place + 5  # where SciPy draws it
            color = legend.classes[held].color
            axis.plot(x, height, marker="s", color=color, markersize=5, markeredgecolor="#777777", markeredgewidth=0.4)
    axis.set_ylim(bottom=2 * height)
