"""A few test images, and what the networks of a study say of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.api import Run
from terrasift.errors import RunError
from terrasift.evaluation import LabelledImage
from terrasift.legend import IGNORE, Legend
from terrasift.prediction import cluster_maps
from terrasift.raster import Raster, read_labels
from terrasift.study.cells import read_cell
from terrasift.study.data import StudyData

__all__ = ["SampleMaps", "choose_images", "predict_samples"]

_IMAGES = 3
_DRAWN = 50


class SampleMaps(NamedTuple):
    """The clusters (H, W) of the classifier that maps best, and the classes (H, W) they were mapped to."""

    clusters: NDArray[np.int64]
    classes: NDArray[np.int64]


def choose_images(data: StudyData) -> list[LabelledImage]:
    """Three test images: of 50 drawn at random, always the same, those that show most classes."""
    drawn = np.random.default_rng(0).permutation(len(data.tested))[:_DRAWN]
    images = [data.tested[index] for index in drawn.tolist()]
    return sorted(images, key=lambda image: -_class_count(image, data.legend))[:_IMAGES]


def predict_samples(folder: Path, view: str, images: Sequence[LabelledImage]) -> list[SampleMaps]:
    """The maps of images by a cell that is done, a network; `view` names the labels its clusters were mapped to."""
    content = read_cell(folder)
    assert content is not None  # only cells that are done have a map
    evaluation = content["data"][view]
    classifier = evaluation["best_classifier"] - 1
    mapping = np.array(evaluation["classifiers"][classifier]["mapping"])
    predictor = Run(folder, ["compute.device=auto"]).predictor  # a report may be written on another machine
    if mapping.shape != (predictor.clusters,):
        raise RunError(folder, "maps other clusters than those of its network", "delete it, and run the study again")
    found = []
    for image in images:
        with Raster(image.scene) as raster:
            maps = cluster_maps(predictor.segment(raster), raster.info.height, raster.info.width)
        clusters = maps[classifier]
        found.append(SampleMaps(clusters, mapping[clusters]))
    return found


def _class_count(image: LabelledImage, legend: Legend) -> int:
    return len(np.setdiff1d(read_labels(image.mask, legend), [IGNORE]))
