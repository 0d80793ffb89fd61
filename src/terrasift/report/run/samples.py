"""A few patches: the image, its superpixels, the clusters found, their classes, and the truth where there is any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.data.material import regions_of_patch
from terrasift.data.patches import Patch
from terrasift.errors import InputError
from terrasift.evaluation import TruthUsed
from terrasift.evaluation.shown import ShownPatch, choose_patches, read_truth
from terrasift.legend import LandClass, Legend
from terrasift.opened import OpenedRun
from terrasift.prediction import Look, Predictor
from terrasift.raster import Raster, RasterInfo, ground_sampling
from terrasift.report.drawing import draw_scale_bar, enlarge, outline, paint, photo
from terrasift.report.pictures import Picture, embed_array, embed_photo

__all__ = ["SampleRow", "SampleTable", "sample_table"]

_SIDE = 384  # pixels of a picture, about: whole multiples of a patch's


class SampleRow(NamedTuple):
    """One patch."""

    name: str
    place: str
    pictures: list[Picture]


class SampleTable(NamedTuple):
    """A row for each patch."""

    columns: list[str]
    rows: list[SampleRow]
    legends: list[tuple[str, tuple[LandClass, ...]]]
    """The classes, and those of the truth where they are others: (of what, classes)."""
    has_bars: bool
    has_gaps: bool
    """Whether any pixel shown is nodata."""


def sample_table(run: OpenedRun, predictor: Predictor, scenes: Sequence[str], truth: TruthUsed | None) -> SampleTable:
    """Four patches in pictures; errors as for `choose_patches`.

    Parameters
    ----------
    run
        Finished.
    predictor
        Of its network.
    scenes
        Images that are there, one or more.
    truth
        Of some of them; None if there is none.
    """
    chosen = choose_patches(scenes, run.prediction_recipe, truth)
    writer = _Writer(run, predictor, truth.legend if truth and any(entry.mask for entry in chosen) else None)
    rows = [writer.row(entry) for entry in chosen]
    return SampleTable(writer.columns, rows, writer.legends, writer.has_bars, writer.has_gaps)


class _Writer:
    """Makes the pictures of a patch."""

    def __init__(self, run: OpenedRun, predictor: Predictor, truth: Legend | None) -> None:
        self._predictor, self._recipe, self._legend = predictor, run.prediction_recipe, run.legend
        self._taught = run.load_taught(self._legend.taught) if self._legend.taught else None
        self._clusters = Legend.of_clusters(self._recipe.clusters)
        self._truth = truth
        self.has_bars = self.has_gaps = False
        has_regions, has_classes = self._recipe.refinement.method != "none", run.is_mapped
        shown = {"image": True, "superpixels": has_regions, "clusters": True, "classes": has_classes, "truth": truth}
        self.columns = [name for name, is_shown in shown.items() if is_shown]
        self.legends = [("classes", self._legend.classes)] if has_classes else []
        if truth and not (has_classes and _looks(truth) == _looks(self._legend)):
            self.legends.append(("truth", truth.classes))

    def row(self, entry: ShownPatch) -> SampleRow:
        window = entry.patch.window
        with Raster(entry.patch.scene, self._recipe.resolution) as raster:
            values, valid = raster.read(window, self._recipe.bands)
            seen, info = self._predictor.look(raster, window), raster.info
        clusters = seen.clusters(self._legend.classifier)
        times = max(1, round(_SIDE / max(valid.shape)))
        image = enlarge(np.where(valid[:, :, None], photo(values, self._recipe), np.uint8(255)), times)
        metres = ground_sampling(info)
        self.has_bars |= metres is not None
        self.has_gaps |= not valid.all()
        pictures = {"image": embed_photo(draw_scale_bar(image, metres / times) if metres else image)}
        regions = self._superpixels(entry.patch, info, valid) if "superpixels" in self.columns else None
        if regions is not None:
            pictures["superpixels"] = embed_photo(outline(image, enlarge(regions, times)))
        maps = {"clusters": (np.where(valid, clusters, self._clusters.nodata), self._clusters)}
        if "classes" in self.columns:
            maps["classes"] = np.where(valid, self._classes(seen, clusters), self._legend.nodata), self._legend
        if self._truth and entry.mask:
            maps["truth"] = read_truth(entry.mask, window, self._truth).astype(np.int64), self._truth
        for column, (labels, legend) in maps.items():
            pictures[column] = embed_array(enlarge(paint(labels, legend), times))
        name, place = Path(entry.patch.scene).stem, f"row {window.row}, column {window.column}"
        if (window.height, window.width) == (info.height, info.width):
            place = "the whole image"
        shown = [Picture(pictures.get(column, ""), f"{column} of {name}, {place}") for column in self.columns]
        return SampleRow(name, place, shown)

    def _classes(self, seen: Look, clusters: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._taught is None:
            return self._legend.table(self._recipe.clusters)[clusters]
        outputs: NDArray[np.int64] = self._taught.scores(seen.features).argmax(axis=2)
        return self._legend.table(self._taught.outputs)[outputs]

    def _superpixels(self, patch: Patch, info: RasterInfo, valid: NDArray[np.bool_]) -> NDArray[np.int32] | None:
        """(H, W), -1 without data; None where those of a folder have gone."""
        try:
            regions = regions_of_patch(patch, self._recipe, info)
        except InputError:
            return None
        return np.where(valid, regions[: valid.shape[0], : valid.shape[1]], -1)


def _looks(legend: Legend) -> list[tuple[str, str]]:
    return [(entry.name, entry.color) for entry in legend.classes]
