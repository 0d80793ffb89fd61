"""What an evaluation finds: scores of a run's classifiers, and of what stands beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.metrics import ConfusionMatrix
from terrasift.metrics.averages import mean_of_defined
from terrasift.prediction import Segmenter

__all__ = ["BaselineScores", "ClassifierScores", "Evaluation", "Seconds"]


class Seconds(NamedTuple):
    """What it took."""

    training: float | None
    """All steps of a network, or the fitting of a baseline; None where no log says."""
    segmenting: float
    """Finding the clusters of the test images and of those that clusters are mapped on."""


@dataclass(frozen=True)
class ClassifierScores:
    """How one classifier does: its clusters mapped on one set, scored on another."""

    classifier: int
    mapping: NDArray[np.int64]
    """(K,), class of each cluster; -1 for none."""
    mapping_accuracy: float
    """Overall accuracy on the mapping set; NaN where a legend was the mapping."""
    confusion: ConfusionMatrix
    """Pooled over all test pixels."""
    images: dict[str, dict[str, float]]
    """Region metrics of each test image, by its path and their names."""
    left_out: int = 0
    """Labelled test pixels in clusters without a class: they count nowhere, as the nodata of a class map."""

    @property
    def regions(self) -> dict[str, float]:
        """Region metrics averaged over the test images."""
        names = next(iter(self.images.values()), {})
        return {name: mean_of_defined([scores[name] for scores in self.images.values()]) for name in names}

    @property
    def untaken(self) -> list[int]:
        """Classes that no cluster took, by their indices: a map never shows them."""
        return _untaken(self.mapping, self.confusion)


@dataclass(frozen=True)
class BaselineScores:
    """How a baseline does on the same images, with as many clusters, mapped by the same method."""

    name: str
    mapping: NDArray[np.int64]
    """(K,), class of each cluster."""
    confusion: ConfusionMatrix
    """Pooled over all test pixels."""
    seconds: Seconds
    segmenter: Segmenter = field(repr=False, compare=False)
    """Itself, fitted, for whoever wants its map."""

    @property
    def untaken(self) -> list[int]:
        """Classes that no cluster took, by their indices."""
        return _untaken(self.mapping, self.confusion)


def _untaken(mapping: NDArray[np.int64], confusion: ConfusionMatrix) -> list[int]:
    taken = set(mapping.tolist())
    return [index for index in range(len(confusion.counts)) if index not in taken]


@dataclass(frozen=True)
class Evaluation:
    """Scores of every classifier of a run, and of the baselines beside it."""

    classes: tuple[str, ...]
    classifiers: tuple[ClassifierScores, ...]
    baselines: tuple[BaselineScores, ...] = ()
    seconds: Seconds | None = None
    """Of the run; None where nobody looked at the clock."""

    @property
    def best(self) -> ClassifierScores:
        """The classifier that is most accurate on the mapping set: chosen without looking at the test set."""
        return max(self.classifiers, key=lambda scores: scores.mapping_accuracy)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "classes": list(self.classes),
            "best_classifier": self.best.classifier,
            "seconds": _seconds(self.seconds),
            "classifiers": [
                {
                    "classifier": scores.classifier,
                    "mapping": scores.mapping.tolist(),
                    "untaken": self._names(scores.untaken),
                    **_plain({"mapping_accuracy": scores.mapping_accuracy}),
                    "left_out": scores.left_out,
                    **scores.confusion.scores(),
                    "regions": _plain(scores.regions),
                    "images": {path: _plain(regions) for path, regions in scores.images.items()},
                }
                for scores in self.classifiers
            ],
            "baselines": [
                {
                    "name": scores.name,
                    "mapping": scores.mapping.tolist(),
                    "untaken": self._names(scores.untaken),
                    "seconds": _seconds(scores.seconds),
                    **scores.confusion.scores(),
                }
                for scores in self.baselines
            ],
        }

    def _names(self, classes: list[int]) -> list[str]:
        return [self.classes[index] for index in classes]


def _plain(scores: dict[str, float]) -> dict[str, float | None]:
    """JSON has no NaN: None stands for a score that is not defined."""
    return {name: None if np.isnan(score) else score for name, score in scores.items()}


def _seconds(seconds: Seconds | None) -> dict[str, float | None] | None:
    if seconds is None:
        return None
    return {name: None if value is None else round(value, 3) for name, value in seconds._asdict().items()}
