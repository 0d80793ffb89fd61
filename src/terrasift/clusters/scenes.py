"""Which of a run's scenes are looked at: as many as can be in seconds."""

from __future__ import annotations

from collections.abc import Sequence

from terrasift.data.patches import windows_of
from terrasift.data.sampling import draw_scenes
from terrasift.prediction.context import MOST_WINDOWS
from terrasift.raster import RasterInfo
from terrasift.recipe import Recipe

__all__ = ["draw_shown_scenes"]


def draw_shown_scenes(scenes: Sequence[str], recipe: Recipe, most: int, most_in_contexts: int) -> list[str]:
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
        Windows, over all of them, in which a scene's context is found: they cost as much as those looked at.

    Raises
    ------
    InputError
        As `draw_scenes` does.
    """

    def cost(info: RasterInfo) -> int:
        return min(MOST_WINDOWS, len(windows_of(info.height, info.width, recipe.patch)))

    return draw_scenes(scenes, 0, cost, most_in_contexts, most=most, resolution=recipe.resolution)
