"""What images give to learn from: their patches, and the rule that scales them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from terrasift.data.patches import Patch, index_patches
from terrasift.data.scaling import check_scaling, measure_scaling
from terrasift.data.scenes import check_alike, describe_scenes
from terrasift.raster import RasterInfo
from terrasift.recipe import Recipe, Scaling

__all__ = ["IndexedImages", "index_images"]


class IndexedImages(NamedTuple):
    """Images that fit one recipe."""

    infos: list[RasterInfo]
    patches: list[Patch]
    scaling: Scaling
    """The recipe's own, or measured on the patches."""


def index_images(scenes: Sequence[str], recipe: Recipe) -> IndexedImages:
    """Check that images can be learned from together, index their windows, and find their scaling.

    Parameters
    ----------
    scenes
        Paths of the images.
    recipe
        Its bands, resolution, patch, min_valid, scaling and seed count.

    Raises
    ------
    InputError
        If an image cannot be used, differs from the others, or does not fit the recipe's scaling.
    """
    infos = describe_scenes(scenes, recipe.resolution)
    check_alike(infos, recipe.bands)
    patches = index_patches(infos, recipe.patch, recipe.min_valid, recipe.bands)
    scaling = recipe.scaling or measure_scaling(infos, patches, recipe.bands, recipe.seed)
    for info in infos:
        check_scaling(info, scaling, recipe.bands)
    return IndexedImages(infos, patches, scaling)
