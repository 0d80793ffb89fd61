"""Windows put together into maps of whole scenes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.legend import Legend
from terrasift.prediction.options import Wanted
from terrasift.prediction.windows import ClusterWindow, Segmenter
from terrasift.progress import progress_bar
from terrasift.raster import Raster

__all__ = ["class_map", "cluster_maps"]


def class_map(segmenter: Segmenter, legend: Legend, raster: Raster) -> NDArray[np.integer[Any]]:
    """The class map of an open scene, (H, W), in memory: class indices, and the legend's nodata.

    Raises
    ------
    InputError
        If the scene does not fit the segmenter.
    """
    height, width = raster.info.height, raster.info.width
    labels = np.full((height, width), legend.nodata, legend.dtype)
    table = legend.table(segmenter.clusters)
    with progress_bar(raster.path, height * width) as advance:
        for part in segmenter.segment(raster, Wanted(classifier=legend.classifier)):
            (clusters,) = part.clusters
            labels[part.window.slices] = np.where(part.valid, table[clusters], legend.nodata)
            advance(by=part.window.height * part.window.width)
    return labels


def cluster_maps(parts: Iterable[ClusterWindow], height: int, width: int) -> list[NDArray[np.int64]]:
    """The cluster map of each classifier, (height, width), of the windows that a segmenter gives."""
    maps: list[NDArray[np.int64]] = []
    for part in parts:
        maps = maps or [np.zeros((height, width), np.int64) for _ in part.clusters]
        for whole, found in zip(maps, part.clusters, strict=True):
            whole[part.window.slices] = found
    return maps
