"""Regions that another segmenter has made: label rasters, one for each scene."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrasift.data.patches import Patch
from terrasift.data.regions import RegionSource
from terrasift.data.scenes import find_masks
from terrasift.errors import InputError
from terrasift.raster import Raster, RasterInfo, check_same_grid
from terrasift.recipe import Refinement

__all__ = ["PrecomputedRegions", "regions_of"]


def regions_of(refinement: Refinement, scenes: Sequence[RasterInfo], made: RegionSource) -> RegionSource:
    """Where a recipe's regions come from: read from its folder, or `made` here."""
    if refinement.method == "precomputed" and refinement.folder:
        return PrecomputedRegions(refinement.folder, scenes)
    return made


class PrecomputedRegions:
    """Windows of label rasters as the regions of patches. Their numbers count as names only.

    Parameters
    ----------
    folder
        Holds a raster of integers, one band, for each scene, with the scene's name (whatever the suffix) and size.
    scenes
        Those that are trained on.

    Raises
    ------
    InputError
        If a scene has no label raster, or one of another size or kind.
    """

    def __init__(self, folder: str | os.PathLike[str], scenes: Sequence[RasterInfo]) -> None:
        paths = find_masks([scene.path for scene in scenes], folder, "label raster")
        self._label_raster: dict[str, Path] = {}
        for scene, path in zip(scenes, paths, strict=True):
            with Raster(path) as raster:
                _check(raster, scene)
            self._label_raster[scene.path] = path

    def of_patch(self, patch: Patch, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.int32]:
        """The regions of a patch: see `RegionSource`. A pixel without a label is a region of its own."""
        with Raster(self._label_raster[patch.scene]) as raster:
            labels, labelled = raster.read_indices(patch.window)
        height, width = labels.shape
        inside = valid[:height, :width]
        named, alone = labelled & inside, ~labelled & inside
        names, numbered = np.unique(labels[named], return_inverse=True)
        regions = np.zeros(valid.shape, np.int32)
        regions[:height, :width][named] = numbered
        regions[:height, :width][alone] = np.arange(len(names), len(names) + np.count_nonzero(alone))
        return regions


def _check(raster: Raster, scene: RasterInfo) -> None:
    labels = raster.info
    check_same_grid(labels.path, labels.grid, scene.path, scene.grid)
    if labels.bands > 1 and not raster.has_palette:
        raise InputError(labels.path, f"has {labels.bands} bands, not one of region numbers", "save the numbers alone")
    if labels.dtype.startswith("float"):
        raise InputError(labels.path, f"holds {labels.dtype}, not region numbers", "save it as integers")
