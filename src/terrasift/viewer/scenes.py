"""Scenes made ready for the page: their maps, and a preview where a scene cannot be read quickly."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrasift.api import Run
from terrasift.api.many import open_sheets
from terrasift.data.display import Display
from terrasift.data.scenes import find_scenes
from terrasift.errors import RunError
from terrasift.prediction import MapOptions
from terrasift.raster import (
    TILE,
    OtherJobError,
    Raster,
    RasterInfo,
    confidence_path,
    ground_sampling,
    level_count,
    preview_base,
    with_surroundings,
    write_preview,
)
from terrasift.run import absolute_path

__all__ = ["Scene", "make_ready"]


@dataclass(frozen=True)
class Scene:
    """A scene with its maps.

    Attributes
    ----------
    path
        Of the image.
    info
        What the image is.
    bands
        Numbers of the bands that the run reads.
    display
        How it is shown.
    clusters, confidence
        The maps: cluster indices, and per cent.
    preview, base
        Its copy for coarse levels, if it needs one, and the level from which that serves.
    classifier
        Whose clusters the map shows, 1 or 2.
    """

    path: str
    info: RasterInfo
    bands: tuple[int, ...]
    display: Display
    clusters: Path
    confidence: Path
    preview: Path | None = None
    base: int = 0
    classifier: int = 1

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.path).name

    @property
    def shown_bands(self) -> list[int]:
        """Numbers of those that are shown."""
        return [self.bands[place] for place in self.display.places]

    @property
    def levels(self) -> int:
        """How many levels of tiles there are."""
        return level_count(self.info.height, self.info.width)

    def describe(self) -> dict[str, Any]:
        """What the page needs to know of it."""
        info = self.info
        names = [info.descriptions[number - 1] or f"band {number}" for number in self.bands]
        return {
            "name": self.name,
            "width": info.width,
            "height": info.height,
            "levels": self.levels,
            "tile_size": TILE,
            "crs": info.crs,
            "transform": info.transform,
            "ground_sampling": ground_sampling(info),
            "bands": len(names),
            "band_names": names,
        }


def make_ready(run: Run, scenes: Sequence[str | os.PathLike[str]]) -> list[Scene]:
    """Map scenes, unless that is done already, and write previews of those that need one; all under ``RUN/view``.

    Parameters
    ----------
    run
        Trained.
    scenes
        Files, folders, glob patterns, or any path GDAL opens.

    Raises
    ------
    InputError
        If a scene does not fit the run.
    RunError
        If the run's legend turns to another classifier meanwhile.
    """
    # Once: mapping takes its time, and all that follows is about this one's clusters.
    classifier = run.legend.classifier
    paths = find_scenes(scenes)
    sheets = open_sheets(paths, run.prediction_recipe)
    return [_ready(run, path, sheets, classifier, run.path / "view") for path in paths]


def _ready(run: Run, path: str, sheets: Sequence[RasterInfo], classifier: int, folder: Path) -> Scene:
    recipe = run.prediction_recipe
    with Raster(path) as raster:
        info, base = raster.info, preview_base(raster)
        surrounded = with_surroundings(raster, sheets, run.predictor.margin) if sheets else None
    beside = surrounded.others if surrounded else ()
    bands, display = tuple(info.band_numbers(recipe.bands)), Display.of(recipe)
    shown = [bands[place] for place in display.places]
    # Classifier and state of the files are in the name: what was made of others never stands in its way.
    name = f"{Path(path).stem}-{_digest(path, [classifier, *map(_state, beside)] if beside else classifier)}"
    clusters = _mapped(run, path, beside, folder / f"{name}.tif")
    if run.legend.classifier != classifier:
        what = f"its legend has turned to classifier {run.legend.classifier} while scenes were being mapped"
        raise RunError(run.path, what, "start `terrasift view` again")
    preview = None
    if base is not None:
        preview = folder / f"{Path(path).stem}-{_digest(path, shown)}.preview.tif"
        if not preview.exists():
            write_preview(path, preview, shown, display, base)
    return Scene(path, info, bands, display, clusters, confidence_path(clusters), preview, base or 0, classifier)


def _mapped(run: Run, path: str, beside: Sequence[str], out: Path) -> Path:
    options = MapOptions(clusters=True, confidence=True)
    try:
        return run.predict(path, out, dataclasses.replace(options, resume=True), beside=beside)
    except OtherJobError:  # of other settings or of another version: nobody will go on with that here
        return run.predict(path, out, options, beside=beside)


def _digest(path: str, of: object) -> str:
    return hashlib.sha256(json.dumps([*_state(path), of]).encode()).hexdigest()[:8]


def _state(path: str) -> list[object]:
    file = Path(path).stat() if Path(path).exists() else None
    return [absolute_path(path), file and [file.st_size, file.st_mtime_ns]]
