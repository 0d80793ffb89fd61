"""A bounded, seeded sample of windows over any number of scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from terrasift.data.patches import Patch, PatchReader, windows_of
from terrasift.errors import InputError
from terrasift.prediction.context import MOST_WINDOWS
from terrasift.raster import Bands, RasterInfo

__all__ = ["draw_windows"]

_READS_PER_WINDOW = 4  # where much of the scenes is nodata
_MOST_IN_CONTEXTS = 1024  # windows that are read to find the contexts of all scenes together


def draw_windows(infos: Sequence[RasterInfo], side: int, bands: Bands | None, most: int, seed: int) -> list[Patch]:
    """Up to `most` windows with data, drawn evenly over all scenes, in the order of the scenes.

    Before a scene's windows can be looked at its context must be found, so that no scene is drawn from any more once
    those of the scenes drawn so far take a bounded number of windows.

    Parameters
    ----------
    infos
        The scenes.
    side
        Of a window, pixels.
    bands
        Numbers from 1, or names, of bands whose pixels must be valid; None means all.
    most
        Windows.
    seed
        Of the drawing.

    Raises
    ------
    InputError
        If no valid pixel is found.
    """
    every = [
        Patch(info.path, window, info.resolution)
        for info in infos
        for window in windows_of(info.height, info.width, side)
    ]
    count = Counter(patch.scene for patch in every)
    doubtful = {info.path for info in infos if info.may_be_invalid}
    drawn: list[int] = []
    scenes: set[str] = set()
    reads = in_contexts = 0
    with PatchReader(bands) as reader:
        for index in np.random.default_rng(seed).permutation(len(every)).tolist():
            if len(drawn) == most or reads == _READS_PER_WINDOW * most:
                break
            scene = every[index].scene
            if scene not in scenes and in_contexts >= _MOST_IN_CONTEXTS:
                continue
            reads += 1
            if scene in doubtful and not reader.raw(every[index])[1].any():
                continue
            drawn.append(index)
            if scene not in scenes:
                scenes.add(scene)
                in_contexts += min(MOST_WINDOWS, count[scene])
    if not drawn:
        where = infos[0].path if len(infos) == 1 else f"{len(infos)} images"
        raise InputError(where, "no valid pixel was found", "check nodata")
    return [every[index] for index in sorted(drawn)]
