"""Class maps of scenes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from terrasift.data.ahead import ahead
from terrasift.errors import InputError
from terrasift.files import tidy
from terrasift.legend import Legend
from terrasift.prediction.options import MapOptions, Wanted
from terrasift.prediction.windows import ClusterWindow, Segmenter
from terrasift.progress import progress_bar
from terrasift.raster import (
    POLYGON_SUFFIXES,
    ClassMapWriter,
    Raster,
    confidence_path,
    is_half_there,
    job_of_map,
    pixels_of,
    remove_windows,
)

__all__ = ["check_nothing_there", "map_paths", "names_apart", "predict_scene"]


def predict_scene(
    segmenter: Segmenter,
    legend: Legend,
    raster: Raster,
    out: str | os.PathLike[str],
    job: str = "",
    options: MapOptions = MapOptions(),
) -> Path:
    """Write the class map of a scene on the scene's own grid, whole or not at all.

    Parameters
    ----------
    segmenter
        Gives the scene's clusters.
    legend
        Classes and the clusters they hold; clusters of no class become nodata.
    raster
        The open scene.
    out
        ``.tif`` or ``.png``.
    job
        Names all that the map depends on. If it is killed or interrupted, it can be resumed.
    options
        Its `confidence`, `min_area` and `resume` count here.

    Raises
    ------
    InputError
        If the scene does not fit the segmenter, holds no valid pixel, if the map cannot be written, or
        if another job's is to be resumed.
    """
    out = Path(out)
    confidence = options.confidence
    if options.resume and job and job_of_map(out) == job and (not confidence or confidence_path(out).exists()):
        remove_windows(out)
        for path in (out, confidence_path(out)):
            tidy(path)
        return out
    pixels = raster.info.height * raster.info.width
    table = legend.table(segmenter.clusters)
    writer = ClassMapWriter(
        out,
        raster.info,
        legend,
        job,
        resume=options.resume,
        confidence=confidence,
        min_pixels=pixels_of(options.min_area, raster.info) if options.min_area else 0,
    )
    asked = legend.mapping(segmenter.clusters) if confidence else None
    with writer:
        parts = segmenter.segment(raster, Wanted(asked, legend.classifier, writer.done))
        before = sum(window.height * window.width for window in writer.done)

        def write(part: ClusterWindow) -> bool:
            (clusters,) = part.clusters
            classes = np.where(part.valid, table[clusters], legend.nodata)
            writer.write(classes, part.window, part.confidence[0] if confidence else None)
            return bool(part.valid.any())

        def new() -> Iterator[ClusterWindow]:
            for part in parts:
                if part.window not in writer.done:
                    yield part
                    advance(by=part.window.height * part.window.width)

        with (
            progress_bar(Path(raster.path).name, pixels, done=before) as advance,
            contextlib.closing(ahead(write, new())) as written,
        ):
            seen = sum(written)  # to the end, whatever was seen
        if not seen and not writer.holds_data:
            raise InputError(raster.path, "holds no valid pixel: all is nodata", "there is nothing to map")
    return out


def check_nothing_there(targets: Sequence[Path], *, resume: bool = False) -> None:
    """Check that no file stands where something is to be written; when resuming, maps of this program may.

    Raises
    ------
    InputError
        At the first that is there.
    """
    for target in targets:
        ours = target.suffix in POLYGON_SUFFIXES or job_of_map(target) or is_half_there(target)
        if target.exists() and not (resume and ours):
            raise InputError(target, "is there already", "name another place, or replace it: `overwrite=True`")


def names_apart(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """A name without suffix for each file: its own; with the folders below the common one where some share theirs."""
    stems = [Path(path).with_suffix("") for path in paths]
    if len({stem.name for stem in stems}) == len(stems) or len({stem.is_absolute() for stem in stems}) > 1:
        return [Path(stem.name) for stem in stems]
    common = os.path.commonpath([stem.parent for stem in stems])
    return [stem.relative_to(common) if common else stem for stem in stems]


def map_paths(scenes: Sequence[str], out: str | os.PathLike[str]) -> list[Path]:
    """Where the map of each scene goes: `out` itself if it is a file's name, else a .tif of the scene's name in it.

    Scenes of the same name in several folders keep these folders.

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
        names = names_apart([scene.partition("?")[0] for scene in scenes])
        targets = [out / name.with_name(f"{name.name}.tif") for name in names]
    for target, scene in zip(targets, scenes, strict=True):
        if targets.count(target) > 1:
            raise InputError(scene, f"would share the map {target} with another scene", "give them different names")
        if target.exists() and Path(scene).exists() and target.samefile(scene):
            raise InputError(scene, "would be replaced by its own map", "name another folder")
    return targets
