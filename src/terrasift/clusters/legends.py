"""The legend of classes that clusters were joined into."""

from __future__ import annotations

from terrasift.clusters.facts import ClusterFacts
from terrasift.clusters.merging import merge_clusters, merge_tree, suggest_classes
from terrasift.legend import Legend
from terrasift.legend.editing import legend_of_groups

__all__ = ["merged_legend"]


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
