"""A trained run, or a baseline, against labels (METHOD section 7)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.legend import IGNORE, Legend
from terrasift.mapping import MappingMethod, apply_mapping, map_clusters
from terrasift.metrics import ConfusionMatrix
from terrasift.prediction import Segmenter
from terrasift.raster import Raster, read_labels

__all__ = ["ClassifierScores", "Evaluation", "count_overlaps", "evaluate_counts"]


@dataclass(frozen=True)
class ClassifierScores:
    """How one classifier does: its clusters mapped on one set, scored on another."""

    classifier: int
    mapping: NDArray[np.int64]
    """(K,), class of each cluster."""
    confusion: ConfusionMatrix
    """Over all test pixels."""
    mapping_accuracy: float
    """Overall accuracy on the mapping set."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of every classifier of a run."""

    classes: tuple[str, ...]
    classifiers: tuple[ClassifierScores, ...]

    @property
    def best(self) -> ClassifierScores:
        """The classifier that is most accurate on the mapping set: chosen without looking at the test set."""
        return max(self.classifiers, key=lambda scores: scores.mapping_accuracy)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "classes": list(self.classes),
            "best_classifier": self.best.classifier,
            "classifiers": [
                {
                    "classifier": scores.classifier,
                    "mapping": scores.mapping.tolist(),
                    "mapping_accuracy": scores.mapping_accuracy,
                    **scores.confusion.scores(),
                }
                for scores in self.classifiers
            ],
        }


def count_overlaps(
    segmenter: Segmenter,
    scenes: Sequence[str | os.PathLike[str]],
    masks: Sequence[Path],
    legend: Legend,
    clusters: int,
    track: Callable[[Iterable[Any], int], Iterable[Any]] = lambda items, _: items,
) -> list[NDArray[np.int64]]:
    """How many pixels of each cluster lie on each class, over all scenes.

    Parameters
    ----------
    segmenter
        Gives the clusters of a scene.
    scenes, masks
        Images, and the mask of each.
    legend
        Names the classes of the masks.
    clusters
        K.
    track
        Wraps the pairs, for a progress bar: (pairs, how many).

    Returns
    -------
    list of ndarray
        (K, C), int64, for each classifier.

    Raises
    ------
    InputError
        If a mask's size is not its image's, or if no pixel has a label.
    """
    classes = len(legend.classes)
    counts: list[NDArray[np.int64]] = []
    for scene, mask in track(list(zip(scenes, masks, strict=True)), len(scenes)):
        truth = read_labels(mask, legend)
        with Raster(scene) as raster:
            _check_grid(raster, mask, truth.shape)
            for part in segmenter(raster):
                window = part.window
                labels = truth[window.row : window.row + window.height, window.column : window.column + window.width]
                counted = part.valid & (labels != IGNORE)
                counts = counts or [np.zeros((clusters, classes), np.int64) for _ in part.clusters]
                for table, found in zip(counts, part.clusters, strict=True):
                    pairs = found[counted] * classes + labels[counted]
                    table += np.bincount(pairs, minlength=table.size).reshape(table.shape)
    if not counts or not counts[0].any():
        raise InputError(
            masks[0].parent, "no pixel of the masks counts", "check the masks and the classes file's ignore"
        )
    return counts


def evaluate_counts(
    legend: Legend,
    mapping_counts: Sequence[NDArray[np.int64]],
    test_counts: Sequence[NDArray[np.int64]],
    method: MappingMethod = "majority",
) -> Evaluation:
    """Map clusters on one set of overlaps and score them on another, for each classifier."""
    scores = []
    for number, (found, tested) in enumerate(zip(mapping_counts, test_counts, strict=True), 1):
        mapping = map_clusters(found, method)
        accuracy = ConfusionMatrix(apply_mapping(found, mapping)).accuracy
        scores.append(ClassifierScores(number, mapping, ConfusionMatrix(apply_mapping(tested, mapping)), accuracy))
    return Evaluation(tuple(legend.names), tuple(scores))


def _check_grid(raster: Raster, mask: Path, shape: tuple[int, ...]) -> None:
    info = raster.info
    if shape != (info.height, info.width):
        raise InputError(
            mask,
            f"has {shape[1]} x {shape[0]} pixels, but its image {info.path} has {info.width} x {info.height}",
            "give each image a mask of its own size",
        )
