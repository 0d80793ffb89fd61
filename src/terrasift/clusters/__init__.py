"""What a network's clusters are like, and how they join into classes when nobody has labelled anything."""

from __future__ import annotations

from terrasift.clusters.facts import ClusterFacts, Crop, gather_facts, sample_facts
from terrasift.clusters.kept import arrays_of_facts, facts_of_arrays
from terrasift.clusters.merging import MergeTree, merge_clusters, merge_tree, merged_legend, suggest_classes

__all__ = [
    "ClusterFacts",
    "Crop",
    "MergeTree",
    "arrays_of_facts",
    "facts_of_arrays",
    "gather_facts",
    "merge_clusters",
    "merge_tree",
    "merged_legend",
    "sample_facts",
    "suggest_classes",
]
