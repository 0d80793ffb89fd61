"""A few test images: what they show, the clusters found, and the classes these were mapped to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.api import Run
from terrasift.evaluation import LabelledImage
from terrasift.legend import Legend
from terrasift.progress import track
from terrasift.raster import Raster, read_labels
from terrasift.report.drawing import paint, photo
from terrasift.report.pictures import Picture, embed_array, embed_photo
from terrasift.study.folder import Study
from terrasift.study.samples import choose_images, predict_samples
from terrasift.study.states import CellState

__all__ = ["Samples", "StudySamples"]

_LONGEST_SIDE = 256  # pixels; more only makes the page heavy


class StudySamples(NamedTuple):
    """A row for each image."""

    columns: list[str]
    rows: list[tuple[str, list[Picture]]]


class Samples:
    """The same test images for every experiment; what several of them show is predicted once.

    Parameters
    ----------
    study
        With cells that are done.
    cells
        Those whose maps will be shown; seed 0 of networks counts.
    """

    def __init__(self, study: Study, cells: Sequence[CellState]) -> None:
        self._legend = study.data.legend
        self._images = choose_images(study.data)
        self._truths = [read_labels(image.mask, self._legend) for image in self._images]
        self._view = next(iter(study.data.views))
        folders = list(dict.fromkeys(found.folder for found in cells if _has_map(found)))
        self._maps = {
            folder: predict_samples(folder, self._view, self._images)
            for folder in track(folders, len(folders), "sample images")
        }

    def table(self, cells: Sequence[CellState]) -> StudySamples | None:
        """The images, their truth, the clusters of the first cell, and the classes of every cell; None without any."""
        shown = [found for found in cells if found.folder in self._maps and _has_map(found)]
        if not shown:
            return None
        columns = ["image", "truth", f"{shown[0].cell.variant}: clusters"]
        columns += [f"{found.cell.variant}: classes" for found in shown]
        rows = []
        for number, image in enumerate(self._images):
            name = Path(image.scene).stem
            pictures = [_photo(image, shown[0].folder), self._painted(self._truths[number], self._legend)]
            pictures.append(self._clusters(shown[0].folder, number))
            pictures += [self._painted(self._maps[found.folder][number].classes, self._legend) for found in shown]
            alts = [f"{column} of {name}" for column in columns]
            rows.append((name, [Picture(uri, alt) for uri, alt in zip(pictures, alts, strict=True)]))
        return StudySamples(columns, rows)

    def _clusters(self, folder: Path, number: int) -> str:
        return self._painted(self._maps[folder][number].clusters, Legend.of_clusters(Run(folder).recipe.clusters))

    @staticmethod
    def _painted(labels: NDArray[np.integer[Any]], legend: Legend) -> str:
        return embed_array(paint(_thinned(labels), legend))


def _has_map(found: CellState) -> bool:
    return (
        found.state == "done" and found.seed == 0 and found.cell.method == "network" and Run(found.folder).is_finished
    )


def _photo(image: LabelledImage, folder: Path) -> str:
    recipe = Run(folder).recipe
    with Raster(image.scene) as raster:
        values, _ = raster.read(bands=recipe.bands)
    return embed_photo(photo(_thinned(values), recipe))


def _thinned(pixels: NDArray[Any]) -> NDArray[Any]:
    step = -(-max(pixels.shape[:2]) // _LONGEST_SIDE)
    return pixels[::step, ::step]
