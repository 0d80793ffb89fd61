"""Label maps -> scores. Knows arrays and tensors only: no files, no networks.

Accumulators over a data set are in `terrasift.metrics.accumulators`, apart because they import torch.
"""

from terrasift.metrics.boundaries import boundary_displacement_error
from terrasift.metrics.boundary_rows import boundary_displacement_error_by_rows
from terrasift.metrics.confusion import ConfusionMatrix, confusion_matrix
from terrasift.metrics.consistency import global_consistency_error, local_consistency_error
from terrasift.metrics.contingency import ContingencyTable, contingency
from terrasift.metrics.covering import segmentation_covering
from terrasift.metrics.facts import CLASS_SCORES, COMPARED, FACTS, MetricFacts
from terrasift.metrics.information import (
    adjusted_mutual_information,
    normalized_mutual_information,
    variation_of_information,
)
from terrasift.metrics.pairs import adjusted_rand_index, probabilistic_rand_index, rand_index
from terrasift.metrics.scores import (
    compute_region_scores,
    segmentation_scores,
    segmentation_scores_by_rows,
)

__all__ = [
    "CLASS_SCORES",
    "COMPARED",
    "FACTS",
    "ConfusionMatrix",
    "ContingencyTable",
    "MetricFacts",
    "adjusted_mutual_information",
    "adjusted_rand_index",
    "boundary_displacement_error",
    "boundary_displacement_error_by_rows",
    "compute_region_scores",
    "confusion_matrix",
    "contingency",
    "global_consistency_error",
    "local_consistency_error",
    "normalized_mutual_information",
    "probabilistic_rand_index",
    "rand_index",
    "segmentation_covering",
    "segmentation_scores",
    "segmentation_scores_by_rows",
    "variation_of_information",
]
