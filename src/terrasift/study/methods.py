"""What stands beside networks in the experiments of ours, fitted on a study's images."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

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
from terrasift.prediction import AtResolution, Segmenter
from terrasift.recipe import Recipe
from terrasift.study.data import StudyData
from terrasift.study.experiments import Method

__all__ = ["fit_baseline"]


def fit_baseline(method: Method, data: StudyData, recipe: Recipe, budget: float, cache: Path) -> Segmenter:
    """Fit a baseline on the training images, with the recipe's bands, resolution, scaling, clusters, width and seed.

    The steps that the per-image methods make in each image are scaled by the square root of the budget, as epochs are.
    The superpixels of discoveries are kept in the folder `cache`.
    """
    _, patches, scaling = index_images(data.train, recipe)
    settings = (scaling, recipe.bands, recipe.seed)
    if method == "pixel k-means":
        return fit_kmeans(PixelKMeans, patches, scaling, recipe)
    if method == "superpixel k-means":
        return fit_kmeans(SuperpixelKMeans, patches, scaling, recipe)
    if method == "external":
        alone = ExternalAlone(*settings, color_bands=recipe.refinement.color_bands)
        return AtResolution(alone, recipe)
    if method == "network":
        raise ValueError("a network is trained, not fitted here")
    if method in _PARTS:
        found = discover(data.train, recipe, parts=_PARTS[method], cache=cache)
        return AtResolution(DiscoveryAlone(found), recipe)
    extractor: Literal["kan", "dic"] = "kan" if method == "kanezaki" else "dic"
    published = PerImageOptimisation.PUBLISHED_STEPS[extractor]
    single = PerImageOptimisation(
        extractor,
        *settings,
        clusters=recipe.clusters,
        iterations=max(1, round(published * math.sqrt(budget))),
        width=recipe.width,
    )
    return AtResolution(single, recipe)


_PARTS: dict[Method, EmbeddingParts] = {
    "discovery both": "both",
    "discovery contrast": "contrast",
    "discovery whitened": "whitened",
}
