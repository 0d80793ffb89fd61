"""Which of a run's scenes a report looks at: as many as can be looked at in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from terrasift.data.patches import windows_of
from terrasift.data.scenes import describe_scenes
from terrasift.errors import InputError
from terrasift.prediction.context import MOST_WINDOWS
from terrasift.raster import is_elsewhere
from terrasift.recipe import Recipe

__all__ = ["draw_scenes"]


def draw_scenes(scenes: Sequence[str], recipe: Recipe, most: int, most_in_contexts: int) -> list[str]:
    """Scenes drawn by seed, one at least; those elsewhere (URLs, ``/vsi...``) that do not open are passed over.

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
        If one that is drawn cannot be read, or none of those elsewhere.
    """
    drawn: list[str] = []
    windows = 0
    failure: InputError | None = None
    for index in np.random.default_rng(0).permutation(len(scenes)).tolist():
        if len(drawn) == most or windows >= most_in_contexts:
            break
        try:
            (info,) = describe_scenes([scenes[index]], recipe.resolution)
        except InputError as error:
            if not is_elsewhere(scenes[index]):
                raise
            failure = failure or error
            continue
        windows += min(MOST_WINDOWS, len(windows_of(info.height, info.width, recipe.patch)))
        drawn.append(scenes[index])
    if failure is not None and not drawn:
        raise failure
    return drawn
