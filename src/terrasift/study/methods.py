"""What stands beside networks in the experiments of ours, fitted on a study's images."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Literal, NamedTuple

from terrasift.api import discover
from terrasift.baselines import (
    DiscoveryAlone,
    ExternalAlone,
    PerImageOptimisation,
    PixelKMeans,
    SuperpixelKMeans,
    fit_kmeans,
)
from terrasift.data.indexing import index_images
from terrasift.discovery import EmbeddingParts
from terrasift.prediction import Segmenter, on_own_grid
from terrasift.recipe import Recipe
from terrasift.study.data import StudyData
from terrasift.study.experiments import Method

__all__ = ["Fitted", "fit_baseline"]


class Fitted(NamedTuple):
    """What segments images, and how many clusters K it has."""

    segmenter: Segmenter
    clusters: int


def fit_baseline(method: Method, data: StudyData, recipe: Recipe, budget: float, cache: Path) -> Fitted:
    """Fit a baseline on the training images, with the recipe's bands, resolution, scaling, clusters, width and seed.

    The steps that the per-image methods make in each image are scaled by the square root of the budget, as epochs are.
    The superpixels of discoveries are kept in the folder `cache`.
    """
    _, patches, scaling = index_images(data.train, recipe)
    settings = (scaling, recipe.bands, recipe.seed)
    if method == "pixel k-means":
        return Fitted(fit_kmeans(PixelKMeans, patches, scaling, recipe), recipe.clusters)
    if method == "superpixel k-means":
        return Fitted(fit_kmeans(SuperpixelKMeans, patches, scaling, recipe), recipe.clusters)
    if method == "external":
        alone = ExternalAlone(*settings, color_bands=recipe.refinement.color_bands)
        return _fitted(alone.scene, alone.clusters, recipe)
    if method == "network":
        raise ValueError("a network is trained, not fitted here")
    if method in _PARTS:
        found = discover(data.train, recipe, parts=_PARTS[method], cache=cache)
        return _fitted(DiscoveryAlone(found).scene, recipe.clusters, recipe)
    extractor: Literal["kan", "dic"] = "kan" if method == "kanezaki" else "dic"
    published = PerImageOptimisation.PUBLISHED_STEPS[extractor]
    single = PerImageOptimisation(
        extractor,
        *settings,
        clusters=recipe.clusters,
        iterations=max(1, round(published * math.sqrt(budget))),
        width=recipe.width,
    )
    return _fitted(single.scene, single.clusters, recipe)


_PARTS: dict[Method, EmbeddingParts] = {
    "discovery both": "both",
    "discovery contrast": "contrast",
    "discovery whitened": "whitened",
}


def _fitted(segmenter: Segmenter, clusters: int, recipe: Recipe) -> Fitted:
    return Fitted(functools.partial(on_own_grid, segmenter, recipe), clusters)
