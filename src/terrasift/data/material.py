"""From a recipe and images to what is trained on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.data.batches import PatchBatches, TargetSource
from terrasift.data.indexing import index_images
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.precomputed import PrecomputedRegions, regions_of
from terrasift.data.regions import RegionSource, make_regions
from terrasift.data.sampling import draw_patches
from terrasift.data.scenes import check_no_labels
from terrasift.raster import RasterInfo
from terrasift.recipe import Recipe

__all__ = ["Material", "gather_material", "regions_of_patch"]

_logger = logging.getLogger(__name__)


class Material(NamedTuple):
    """What a network or a discovery learns from, read when it is asked for."""

    recipe: Recipe
    """With its scaling measured."""
    patches: list[Patch]
    """With ``targets: contrast`` no more than discovery looks at: others would have no targets."""
    reader: PatchReader
    regions: RegionSource

    def batches(
        self, process: int = 0, processes: int = 1, targets: TargetSource | None = None, *, read_ahead: int = 2
    ) -> PatchBatches:
        """The recipe's batches for one of `processes` processes: see `PatchBatches`."""
        of = self.patches, self.reader, self.regions, self.recipe
        return PatchBatches(*of, process=process, processes=processes, targets=targets, read_ahead=read_ahead)


def gather_material(scenes: Sequence[str], recipe: Recipe, made: RegionSource) -> Material:
    """Index images for a recipe; no more of them is read than that takes.

    Parameters
    ----------
    scenes
        Paths of the images.
    recipe
        All that concerns images, superpixels and batches.
    made
        Makes superpixels, unless the recipe has them from a folder.

    Raises
    ------
    InputError
        If an image cannot be used, is a mask, differs from the others, or does not fit the recipe's scaling.
    """
    infos, patches, scaling = index_images(scenes, recipe)
    check_no_labels(infos)
    _tell_of_small(infos, recipe.patch)
    if recipe.targets == "contrast":
        patches = draw_patches(patches, recipe.seed)
    regions = regions_of(recipe.refinement, infos, made)
    return Material(
        recipe.model_copy(update={"scaling": scaling}), patches, PatchReader(scaling, recipe.bands), regions
    )


def _tell_of_small(infos: Sequence[RasterInfo], side: int) -> None:
    small = [info for info in infos if min(info.height, info.width) < side]
    if small:
        of_all = f"{len(small)} of {len(infos)} images are smaller than patches of {side} px, and padded"
        _logger.warning("%s: %s has %d x %d pixels", of_all, small[0].path, small[0].width, small[0].height)


def regions_of_patch(patch: Patch, recipe: Recipe, scene: RasterInfo) -> NDArray[np.int32]:
    """The regions of one patch of a scene as a training has them: see `RegionSource`.

    Raises
    ------
    InputError
        If the patch, or the label raster that the recipe has regions from, cannot be read.
    """
    refinement = recipe.refinement
    with PatchReader(recipe.measured_scaling, recipe.bands) as reader:
        image, valid = reader.read(patch, recipe.patch)
    if refinement.method == "precomputed" and refinement.folder:
        return PrecomputedRegions(refinement.folder, [scene]).of_patch(patch, image, valid)
    return make_regions(image, valid, refinement)
