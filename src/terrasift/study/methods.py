"""The baselines of the ninth experiment, fitted on a study's images."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from terrasift.baselines import ExternalAlone, PerImageOptimisation, PixelKMeans, SuperpixelKMeans
from terrasift.data.indexing import index_images
from terrasift.prediction import Segmenter
from terrasift.recipe import Recipe
from terrasift.study.data import StudyData
from terrasift.study.experiments import Method

__all__ = ["Fitted", "fit_baseline"]


class Fitted(NamedTuple):
    """What segments images, and how many clusters K it has."""

    segmenter: Segmenter
    clusters: int


def fit_baseline(method: Method, data: StudyData, recipe: Recipe, budget: float) -> Fitted:
    """Fit a baseline on the training images, with the recipe's bands, scaling, clusters, width and seed.

    The steps that the per-image methods make in each image are scaled by the square root of the budget, as epochs are.
    """
    _, patches, scaling = index_images(data.train, recipe)
    settings = (scaling, recipe.bands, recipe.seed)
    if method == "pixel k-means":
        return Fitted(PixelKMeans(recipe.clusters, *settings).fit(patches).scene, recipe.clusters)
    if method == "superpixel k-means":
        return Fitted(SuperpixelKMeans(recipe.clusters, *settings).fit(patches).scene, recipe.clusters)
    if method == "external":
        alone = ExternalAlone(*settings, color_bands=recipe.refinement.color_bands)
        return Fitted(alone.scene, alone.clusters)
    if method == "network":
        raise ValueError("a network is trained, not fitted here")
    extractor: Literal["kan", "dic"] = "kan" if method == "kanezaki" else "dic"
    published = PerImageOptimisation.PUBLISHED_STEPS[extractor]
    single = PerImageOptimisation(
        extractor,
        *settings,
        clusters=recipe.clusters,
        iterations=max(1, round(published * math.sqrt(budget))),
        width=recipe.width,
    )
    return Fitted(single.scene, single.clusters)
