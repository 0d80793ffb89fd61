"""k-means beside a trained run: on the same pixels, with as many clusters, mapped by the same method."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from terrasift.baselines.kmeans import KMeans, PixelKMeans, SuperpixelKMeans, fit_kmeans
from terrasift.blocks.choices import MappingMethod
from terrasift.data.indexing import IndexedImages, index_images
from terrasift.data.sampling import draw_scenes
from terrasift.errors import TerrasiftError
from terrasift.evaluation import BaselineScores, LabelledImage, Seconds, count_overlaps
from terrasift.legend import Legend
from terrasift.mapping import apply_mapping, map_clusters
from terrasift.metrics import ConfusionMatrix
from terrasift.prediction import Segmenter, TimedSegmenter
from terrasift.progress import track
from terrasift.recipe import Recipe

__all__ = ["BESIDE", "score_beside"]

BESIDE: Mapping[str, type[KMeans]] = MappingProxyType(
    {"k-means on pixels": PixelKMeans, "k-means on superpixels": SuperpixelKMeans}
)
"""What stands beside a run, by name."""

_MOST_INDEXED = 400_000_000  # pixels: those that may hold nodata are read once to find the patches

_logger = logging.getLogger(__name__)


def score_beside(
    recipe: Recipe,
    scenes: Sequence[str],
    legend: Legend,
    tested: Sequence[LabelledImage],
    mapped: Sequence[LabelledImage] | None = None,
    *,
    method: MappingMethod = "majority",
) -> tuple[BaselineScores, ...]:
    """Fit each baseline, and map and score it as `evaluate_segmenter` does a run.

    One that fails is left out, with a line in the log that says why: fewer superpixels than clusters, say.

    Parameters
    ----------
    recipe
        Of a trained run: its scaling, bands, resolution, patch, clusters and seed count.
    scenes
        Paths of the images to fit on; of many a seeded sample is read.
    legend
        Names the classes of the masks.
    tested, mapped, method
        As for `evaluate_segmenter`.

    Returns
    -------
    tuple of BaselineScores
        In the order of `BESIDE`.
    """
    try:
        indexed = index_images(_draw_scenes(scenes, recipe), recipe)
    except TerrasiftError as error:
        _logger.warning("no k-means beside the run: %s", error)
        return ()
    found = []
    for name, kind in BESIDE.items():
        try:
            found.append(_Beside(name, kind, recipe, legend, method).score(indexed, tested, mapped))
        except TerrasiftError as error:
            _logger.warning("no %s beside the run: %s", name, error)
    return tuple(found)


@dataclass(frozen=True)
class _Beside:
    """One baseline; see `score_beside`."""

    name: str
    kind: type[KMeans]
    recipe: Recipe
    legend: Legend
    method: MappingMethod

    def score(
        self, indexed: IndexedImages, tested: Sequence[LabelledImage], mapped: Sequence[LabelledImage] | None
    ) -> BaselineScores:
        start = time.perf_counter()
        segmenter = fit_kmeans(self.kind, indexed.patches, indexed.scaling, self.recipe)
        fitted = time.perf_counter() - start
        timed = TimedSegmenter(segmenter)
        counts = self._count(timed, tested, "test images")
        mapping = map_clusters(counts if mapped is None else self._count(timed, mapped, "mapping images"), self.method)
        confusion = ConfusionMatrix(apply_mapping(counts, mapping))
        return BaselineScores(self.name, mapping, confusion, Seconds(fitted, timed.seconds), segmenter)

    def _count(self, segmenter: Segmenter, images: Sequence[LabelledImage], what: str) -> NDArray[np.int64]:
        tracked = track(images, len(images), f"{self.name}, {what}")
        return count_overlaps(segmenter, tracked, self.legend)[0]


def _draw_scenes(scenes: Sequence[str], recipe: Recipe) -> list[str]:
    """All scenes in their order, or a seeded sample that is large enough; those elsewhere may have gone."""
    drawn = draw_scenes(
        scenes, recipe.seed, lambda info: info.height * info.width, _MOST_INDEXED, resolution=recipe.resolution
    )
    place = {path: number for number, path in enumerate(scenes)}
    return sorted(drawn, key=lambda path: place[path])
