"""Which patches a report shows: a bounded, seeded draw over all scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.clusters.scenes import draw_shown_scenes
from terrasift.data.patches import Patch, RawReader, windows_of
from terrasift.evaluation import TruthUsed
from terrasift.legend import IGNORE, Legend
from terrasift.raster import Raster, Window, labels_of
from terrasift.recipe import Recipe

__all__ = ["ShownPatch", "choose_patches", "read_truth"]

_SHOWN = 4
_DRAWN = 16
_MOST_IN_CONTEXTS = 128


class ShownPatch(NamedTuple):
    """A patch, and its mask where there is one."""

    patch: Patch
    mask: Path | None


def choose_patches(scenes: Sequence[str], recipe: Recipe, truth: TruthUsed | None) -> list[ShownPatch]:
    """Four patches, always the same: of sixteen drawn from as many scenes, those whose truth, if any, has most classes.

    Parameters
    ----------
    scenes
        Images that are there, one or more.
    recipe
        Of the run.
    truth
        Of some of them; None if there is none.

    Raises
    ------
    InputError
        If an image or a mask cannot be read.
    """
    masks = {} if truth is None else {image.scene: image.mask for image in truth.tested if image.mask.exists()}
    drawn = _draw(scenes, recipe, masks)
    return sorted(drawn, key=lambda entry: -_class_count(entry, truth))[:_SHOWN]


def read_truth(mask: Path, window: Window, legend: Legend) -> NDArray[np.uint8]:
    """Class indices (H, W) of a window of a mask; `IGNORE` where they count nowhere."""
    with Raster(mask) as raster:
        return labels_of(raster, legend, window)


def _draw(scenes: Sequence[str], recipe: Recipe, masks: dict[str, Path]) -> list[ShownPatch]:
    chance = np.random.default_rng(0)
    order = draw_shown_scenes(scenes, recipe, _DRAWN, _MOST_IN_CONTEXTS)
    drawn: dict[ShownPatch, float] = {}
    with RawReader(recipe.bands) as reader:
        for number in range(_DRAWN):
            scene = order[number % len(order)]
            with Raster(scene, recipe.resolution) as raster:
                windows = windows_of(raster.info.height, raster.info.width, recipe.patch)
                on_own_grid = raster.resampled is None
            patch = Patch(scene, windows[int(chance.integers(len(windows)))], recipe.resolution)
            mask = masks.get(scene) if on_own_grid else None  # masks are not resampled
            drawn[ShownPatch(patch, mask)] = float(reader.raw(patch)[1].mean())
    enough = [entry for entry, valid in drawn.items() if valid >= recipe.min_valid]
    return enough or sorted(drawn, key=lambda entry: -drawn[entry])


def _class_count(entry: ShownPatch, truth: TruthUsed | None) -> int:
    if entry.mask is None or truth is None:
        return 0
    return len(np.setdiff1d(read_truth(entry.mask, entry.patch.window, truth.legend), [IGNORE]))
