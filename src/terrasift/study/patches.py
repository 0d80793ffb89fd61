"""Any folder of labelled images cut into patches, as the study cuts Potsdam."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from terrasift.data.patches import windows_of
from terrasift.data.scenes import find_masks, find_scenes
from terrasift.errors import InputError
from terrasift.evaluation import LabelledImage
from terrasift.files import tidy
from terrasift.legend import Legend
from terrasift.raster import Raster, check_same_grid, labels_of, write_image

__all__ = ["cut_patches", "random_split"]

_Patch = TypeVar("_Patch")
_logger = logging.getLogger(__name__)


def cut_patches(data: str | os.PathLike[str], legend: Legend, out: Path, side: int) -> list[LabelledImage]:
    """Cut images and masks into whole patches on a grid, none overlapping; patches that are there already are kept.

    What is left at the right and at the bottom of an image is left out, and so are patches with any nodata.

    Parameters
    ----------
    data
        Holds ``images`` and ``masks``, a mask of the same name for each image.
    legend
        The classes of the masks.
    out
        Gets ``images`` and ``masks`` too; masks hold class indices.
    side
        Pixels.

    Raises
    ------
    InputError
        If an image has no mask or one of another size, or if no patch fits into any image.
    """
    scenes = find_scenes([Path(data) / "images"])
    patches: list[LabelledImage] = []
    left_out = 0
    for scene, mask in zip(scenes, find_masks(scenes, Path(data) / "masks"), strict=True):
        kept, without = _cut(scene, mask, legend, out, side)
        patches += kept
        left_out += without
    if left_out:
        _logger.info("left out %d patches: they hold nodata", left_out)
    if not patches:
        raise InputError(data, f"no patch of {side} px fits into an image", "use a smaller one: `patch=64`")
    return sorted(patches)


def _cut(scene: str, mask: Path, legend: Legend, out: Path, side: int) -> tuple[list[LabelledImage], int]:
    kept, left_out = [], 0
    with Raster(mask) as painted:
        grid, labels = painted.info.grid, labels_of(painted, legend)
    height, width = labels.shape
    with Raster(scene) as raster:
        check_same_grid(mask, grid, scene, raster.info.grid)
        suffix = ".png" if raster.info.dtype == "uint8" and raster.info.bands in (1, 3) else ".tif"
        for window in windows_of(height - height % side, width - width % side, side):
            if min(window.height, window.width) < side:  # the image is smaller than a patch
                continue
            name = f"{Path(scene).stem}_{window.row}_{window.column}"
            image = LabelledImage(str(out / "images" / f"{name}{suffix}"), out / "masks" / f"{name}.png")
            if not image.mask.exists():  # written last
                values, valid = raster.read(window)
                if not valid.all():
                    left_out += 1
                    continue
                write_image(image.scene, values)
                write_image(image.mask, labels[window.slices])
            tidy(image.scene)
            tidy(image.mask)
            kept.append(image)
    return kept, left_out


def random_split(
    patches: Sequence[_Patch], seed: int = 0, test_share: float = 0.1
) -> tuple[list[_Patch], list[_Patch]]:
    """Patches to train and map on, and a seeded random share for test, as the study draws its own (10 %)."""
    order = np.random.default_rng(seed).permutation(len(patches))
    test = set(order[: round(len(patches) * test_share)].tolist())
    return (
        [patch for index, patch in enumerate(patches) if index not in test],
        [patch for index, patch in enumerate(patches) if index in test],
    )
