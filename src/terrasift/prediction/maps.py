"""Class maps of scenes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from terrasift.errors import InputError
from terrasift.legend import Legend
from terrasift.prediction.windows import ClusterWindow, Segmenter
from terrasift.raster import ClassMapWriter, Raster

__all__ = ["map_paths", "predict_scene"]


def predict_scene(
    segmenter: Segmenter,
    legend: Legend,
    clusters: int,
    scene: str | os.PathLike[str],
    out: str | os.PathLike[str],
    track: Callable[[Iterable[ClusterWindow], int], Iterable[ClusterWindow]] = lambda windows, _: windows,
) -> Path:
    """Write the class map of a scene on the scene's own grid, whole or not at all.

    Parameters
    ----------
    segmenter
        Gives the scene's clusters: `Predictor.scene`, or a baseline.
    legend
        Classes and the clusters they hold; clusters of no class become nodata.
    clusters
        K.
    scene
        Any path GDAL opens.
    out
        ``.tif`` or ``.png``.
    track
        Wraps the windows, for a progress bar: (windows, pixels of the scene).

    Raises
    ------
    InputError
        If the scene does not fit the segmenter, holds no valid pixel, or if the map cannot be written.
    """
    with Raster(scene) as raster:
        pixels = raster.info.height * raster.info.width
        table = legend.table(clusters)
        with ClassMapWriter(out, raster.info, legend) as writer:
            seen = False
            for part in track(segmenter(raster), pixels):
                seen = seen or bool(part.valid.any())
                classes = table[part.clusters[legend.classifier - 1]]
                writer.write(np.where(part.valid, classes, legend.nodata), part.window)
            if not seen:
                raise InputError(scene, "holds no valid pixel: all is nodata", "there is nothing to map")
    return Path(out)


def map_paths(scenes: Sequence[str], out: str | os.PathLike[str]) -> list[Path]:
    """Where the map of each scene goes: `out` itself if it is a file's name, else a .tif of the scene's name in it.

    Raises
    ------
    InputError
        If many scenes would go to one file, or if a map would replace its own scene.
    """
    out = Path(out)
    if out.suffix and not out.is_dir():
        if len(scenes) > 1:
            raise InputError(out, f"is one file for {len(scenes)} scenes", "name a folder")
        targets = [out]
    else:
        targets = [out / f"{Path(scene).stem}.tif" for scene in scenes]
    for target, scene in zip(targets, scenes, strict=True):
        if targets.count(target) > 1:
            raise InputError(scene, f"would share the map {target} with another scene", "give them different names")
        if target.exists() and Path(scene).exists() and target.samefile(scene):
            raise InputError(scene, "would be replaced by its own map", "name another folder")
    return targets
