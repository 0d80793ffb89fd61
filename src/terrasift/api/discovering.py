"""Discovery without a network: clusters of superpixels in a minute."""

from __future__ import annotations

import os

from terrasift.data.images import Images, as_files
from terrasift.data.material import gather_material
from terrasift.data.regions import RegionCache, default_cache_folder
from terrasift.data.sampling import draw_patches
from terrasift.discovery import Discovery, EmbeddingParts, discover_in
from terrasift.recipe import Recipe

__all__ = ["discover"]


def discover(
    images: Images,
    recipe: Recipe | str | os.PathLike[str] = "default",
    *,
    parts: EmbeddingParts = "both",
    cache: str | os.PathLike[str] | None = None,
) -> Discovery:
    """Find clusters in images that nobody has labelled, without training a network.

    Parameters
    ----------
    images
        As for `train`; arrays become files for as long as this takes.
    recipe
        A recipe, or the name or file of one: its bands, clusters, classifiers, patch, refinement and seed count.
    parts
        What is clustered: ``whitened`` numbers, their ``contrast``ive embedding, or, as training does, ``both``.
    cache
        Where superpixels are kept for the next time; None: the user's cache folder.

    Returns
    -------
    Discovery
        Says for any image which cluster each superpixel is in.

    Raises
    ------
    InputError
        If an image cannot be used, or if nothing can be told apart.
    SettingError
        If there are fewer superpixels than clusters.
    """
    recipe = Recipe.of(recipe)
    made = RegionCache(cache or default_cache_folder(), recipe.refinement)
    with as_files(images, recipe.bands) as scenes:
        recipe, patches, reader, regions = gather_material(scenes, recipe, made)
        found = discover_in(draw_patches(patches, recipe.seed), reader, regions, recipe, parts=parts).discovery
    made.tidy()
    return found
