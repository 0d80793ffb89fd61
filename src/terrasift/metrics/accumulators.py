"""The metrics over a data set, image by image or window by window: torchmetrics' `Metric` interface.

It needs ``pip install 'terrasift[torchmetrics]'``; nothing else in terrasift does.

Each only calls the function of its name and says how its state adds up, over updates and over processes. State
is kept in float64 and int64 on the accumulator's device; label maps are scored on the CPU.

::

    metric = SegmentationScores(ignore=255)
    for predicted, truth in batches:     # (H, W), or a batch (N, H, W)
        metric.update(predicted, truth)
    metric.compute()                     # over all processes, where there are several
    metric.reset()
"""

from __future__ import annotations

__all__ = [
    "AdjustedMutualInformation",
    "AdjustedRandIndex",
    "BoundaryDisplacementError",
    "ClassScores",
    "GlobalConsistencyError",
    "LocalConsistencyError",
    "NormalizedMutualInformation",
    "PooledSegmentationCovering",
    "ProbabilisticRandIndex",
    "SegmentationCovering",
    "SegmentationScores",
    "VariationOfInformation",
    "WindowedRegionScores",
]

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from terrasift.errors import InputError, not_installed
from terrasift.metrics.averages import score_truths
from terrasift.metrics.boundaries import boundary_displacement_error
from terrasift.metrics.confusion import ConfusionMatrix, confusion_matrix
from terrasift.metrics.consistency import global_consistency_error, local_consistency_error
from terrasift.metrics.contingency import ContingencyTable, contingency
from terrasift.metrics.covering import Covered, compute_segmentation_covering, segmentation_covering
from terrasift.metrics.facts import FACTS
from terrasift.metrics.information import (
    adjusted_mutual_information,
    normalized_mutual_information,
    variation_of_information,
)
from terrasift.metrics.inputs import LabelArray
from terrasift.metrics.pairs import adjusted_rand_index, probabilistic_rand_index
from terrasift.metrics.scores import SCORE_NAMES, compute_region_scores, segmentation_scores

try:
    from torchmetrics import Metric
    from torchmetrics.utilities import dim_zero_cat
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(str(not_installed(__name__, error.name, "torchmetrics"))) from error


class ClassScores(Metric):
    """Every score of a `ConfusionMatrix` pooled over all pixels seen; `compute` gives its `scores()`.

    Parameters
    ----------
    classes, ignore
        As in `confusion_matrix`. Labels may come in any shape.
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    counts: Tensor

    def __init__(self, classes: int, ignore: int | None = 255, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.ignore = ignore
        self.add_state("counts", torch.zeros((classes, classes), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predicted: LabelArray, truth: LabelArray) -> None:
        """Add the pixels of an image or a batch."""
        matrix = confusion_matrix(predicted, truth, self.classes, self.ignore)
        self.counts += torch.from_numpy(matrix.counts).to(self.counts.device)

    def compute(self) -> dict[str, Any]:
        """The scores of all pixels together."""
        return ConfusionMatrix(self.counts.cpu().numpy()).scores()


class WindowedRegionScores(Metric):
    """Region scores of two rasters fed by windows: as if they had been scored at once.

    Windows come in any order, each pixel in one of them only. The state is the table of contingency counts,
    so memory grows with the regions that meet and not with the pixels. The boundary displacement error is
    not among these scores: see `boundary_displacement_error_by_rows`.

    Parameters
    ----------
    ignore
        A label; pixels where either map holds it count nowhere.
    """

    is_differentiable = False
    full_state_update = False
    cells: list[Tensor]

    def __init__(self, ignore: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ignore = ignore
        self.add_state("cells", [], dist_reduce_fx="cat")
        self.reset()

    def reset(self) -> None:
        """Forget all windows."""
        super().reset()
        # Never an empty list: torchmetrics would sync that of an idle process in another dtype.
        self.cells = [torch.zeros((0, 3), dtype=torch.int64, device=self.device)]

    def update(self, predicted: LabelArray, truth: LabelArray) -> None:
        """Add a window (h, w)."""
        table = self._table() + contingency(predicted, truth, self.ignore)
        cells = np.stack([table.predicted, table.truth, table.counts], axis=1)
        self.cells = [torch.from_numpy(cells).to(self.device)]

    def compute(self) -> dict[str, float]:
        """`compute_region_scores` of all windows together."""
        return compute_region_scores(self._table())

    def _table(self) -> ContingencyTable:
        """The sum of the tables of this process, or of all once they are synced."""
        cells = dim_zero_cat(self.cells).cpu().numpy()
        return ContingencyTable.merged([ContingencyTable(cells[:, 0], cells[:, 1], cells[:, 2])])


class SegmentationScores(Metric):
    """Every score of `segmentation_scores`, averaged over images; those where no pixel counts are left out.

    Parameters
    ----------
    ignore
        A label; pixels where either map holds it count nowhere.
    """

    is_differentiable = False
    full_state_update = False
    totals: Tensor
    images: Tensor

    def __init__(self, ignore: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ignore = ignore
        self.add_state("totals", torch.zeros(len(SCORE_NAMES), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predicted: LabelArray, truth: LabelArray | Sequence[LabelArray]) -> None:
        """Add an image (H, W) or a batch (N, H, W), with one truth of that shape or a list of several."""
        for image in _images(predicted, truth):
            scores = segmentation_scores(*image, self.ignore)
            values = torch.tensor([scores[name] for name in SCORE_NAMES], dtype=torch.float64)
            if not values.isnan().any():
                self.totals += values.to(self.totals.device)
                self.images += 1

    def compute(self) -> dict[str, float]:
        """The mean of each score, by name."""
        return dict(zip(SCORE_NAMES, (self.totals / self.images).tolist(), strict=True))


class PooledSegmentationCovering(Metric):
    """Segmentation covering pooled over images: every pixel counts alike, as the Berkeley benchmark pools.

    Parameters
    ----------
    covered, ignore
        As in `segmentation_covering`.
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    covered_pixels: Tensor
    pixels: Tensor

    def __init__(self, covered: Covered = "truth", ignore: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.covered: Covered = covered
        self.ignore = ignore
        self.add_state("covered_pixels", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("pixels", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predicted: LabelArray, truth: LabelArray | Sequence[LabelArray]) -> None:
        """Add an image (H, W) or a batch (N, H, W), with one truth of that shape or a list of several."""
        for image in _images(predicted, truth):
            for table in score_truths(contingency, *image, self.ignore):
                if table.total:
                    self.covered_pixels += compute_segmentation_covering(table, self.covered) * table.total
                    self.pixels += table.total

    def compute(self) -> Tensor:
        """The share of all pixels that is covered."""
        return self.covered_pixels / self.pixels


class _MeanOverImages(Metric):
    """One score, averaged over images; those where no pixel counts are left out.

    Parameters
    ----------
    ignore
        A label; pixels where either map holds it count nowhere.
    """

    is_differentiable = False
    full_state_update = False
    score: Callable[..., float]
    total: Tensor
    images: Tensor

    def __init_subclass__(cls, name: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        facts = FACTS[name]
        cls.higher_is_better = facts.higher_is_better
        cls.plot_lower_bound = facts.lower if math.isfinite(facts.lower) else None
        cls.plot_upper_bound = facts.upper if math.isfinite(facts.upper) else None

    def __init__(self, ignore: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ignore = ignore
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predicted: LabelArray, truth: LabelArray | Sequence[LabelArray]) -> None:
        """Add an image (H, W) or a batch (N, H, W), with one truth of that shape or a list of several."""
        for image in _images(predicted, truth):
            score = self.score(*image, ignore=self.ignore)
            if not math.isnan(score):
                self.total += score
                self.images += 1

    def compute(self) -> Tensor:
        """The mean over images."""
        return self.total / self.images


class VariationOfInformation(_MeanOverImages, name="variation_of_information"):
    """`variation_of_information`, averaged over images.

    Parameters
    ----------
    base, ignore
        As in the function.
    """

    def __init__(self, base: float = 2, ignore: int | None = None, **kwargs: Any) -> None:
        super().__init__(ignore, **kwargs)
        self.score = partial(variation_of_information, base=base)


class SegmentationCovering(_MeanOverImages, name="segmentation_covering"):
    """`segmentation_covering`, averaged over images.

    Parameters
    ----------
    covered, ignore
        As in the function.
    """

    def __init__(self, covered: Covered = "truth", ignore: int | None = None, **kwargs: Any) -> None:
        super().__init__(ignore, **kwargs)
        self.score = partial(segmentation_covering, covered=covered)


class ProbabilisticRandIndex(_MeanOverImages, name="probabilistic_rand_index"):
    """`probabilistic_rand_index`, averaged over images."""

    score = staticmethod(probabilistic_rand_index)


class GlobalConsistencyError(_MeanOverImages, name="global_consistency_error"):
    """`global_consistency_error`, averaged over images."""

    score = staticmethod(global_consistency_error)


class LocalConsistencyError(_MeanOverImages, name="local_consistency_error"):
    """`local_consistency_error`, averaged over images."""

    score = staticmethod(local_consistency_error)


class BoundaryDisplacementError(_MeanOverImages, name="boundary_displacement_error"):
    """`boundary_displacement_error`, averaged over images."""

    score = staticmethod(boundary_displacement_error)


class AdjustedRandIndex(_MeanOverImages, name="adjusted_rand_index"):
    """`adjusted_rand_index`, averaged over images."""

    score = staticmethod(adjusted_rand_index)


class NormalizedMutualInformation(_MeanOverImages, name="normalized_mutual_information"):
    """`normalized_mutual_information`, averaged over images."""

    score = staticmethod(normalized_mutual_information)


class AdjustedMutualInformation(_MeanOverImages, name="adjusted_mutual_information"):
    """`adjusted_mutual_information`, averaged over images."""

    score = staticmethod(adjusted_mutual_information)


def _images(
    predicted: LabelArray, truth: LabelArray | Sequence[LabelArray]
) -> Iterator[tuple[LabelArray, LabelArray | Sequence[LabelArray]]]:
    """The single images of a batch (N, H, W), or an image (H, W) as it is."""
    if predicted.ndim != 3:
        yield predicted, truth
        return
    truths = list(truth) if isinstance(truth, Sequence) else [truth]
    for one in truths:
        if one.shape != predicted.shape:
            raise InputError("truth", f"has shape {tuple(one.shape)}, predicted has {tuple(predicted.shape)}")
    for image in range(len(predicted)):
        yield predicted[image], [one[image] for one in truths]
