"""Which of a run's scenes a report looks at: as many as can be looked at in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from terrasift.data.patches import windows_of
from terrasift.data.scenes import describe_scenes
from terrasift.prediction.context import MOST_WINDOWS
from terrasift.recipe import Recipe

__all__ = ["draw_scenes"]


def draw_scenes(scenes: Sequence[str], recipe: Recipe, most: int, most_in_contexts: int) -> list[str]:
    """Scenes drawn by seed, one at least.

    Parameters
    ----------
    scenes
        Paths.
    recipe
        Of the run.
    most
        Scenes.
    most_in_contexts
        Windows, over all of them, in which a scene's context is found: they cost as much as those looked at. No scene
        is drawn any more once there are so many.

    Raises
    ------
    InputError
        If one that is drawn cannot be read.
    """
    drawn: list[str] = []
    windows = 0
    for index in np.random.default_rng(0).permutation(len(scenes)).tolist():
        if len(drawn) == most or windows >= most_in_contexts:
            break
        (info,) = describe_scenes([scenes[index]], recipe.resolution)
        windows += min(MOST_WINDOWS, len(windows_of(info.height, info.width, recipe.patch)))
        drawn.append(scenes[index])
    return drawn
