"""The two k-means that a trained network is held against, fitted with its recipe."""

from __future__ import annotations

from collections.abc import Sequence

from terrasift.baselines.pixel_kmeans import PixelKMeans
from terrasift.baselines.superpixel_kmeans import SuperpixelKMeans
from terrasift.data.patches import Patch
from terrasift.prediction import AtResolution, Segmenter
from terrasift.recipe import Recipe, Scaling

__all__ = ["KMeans", "fit_kmeans"]

KMeans = type[PixelKMeans] | type[SuperpixelKMeans]
"""On pixels, or on the means of superpixels."""


def fit_kmeans(
    kind: KMeans,
    patches: Sequence[Patch],
    scaling: Scaling,
    recipe: Recipe,
) -> Segmenter:
    """Fit k-means on patches, with the clusters, bands and seed of a recipe; at its resolution it segments scenes.

    Parameters
    ----------
    kind
        Which.
    patches
        At the recipe's resolution; of more than 30 million pixels an even, seeded sample is read.
    scaling
        The rule to [0, 1].
    recipe
        Its clusters, bands, seed and resolution count.

    Raises
    ------
    SettingError
        If there is less to fit on than there are clusters.
    """
    model = kind(recipe.clusters, scaling, recipe.bands, recipe.seed).fit(patches)
    return AtResolution(model, recipe)
