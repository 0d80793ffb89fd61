"""Label maps against label maps (docs/method.md): the metrics alone, without a run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.data.label_maps import LabelPair, match_label_maps, open_pairs
from terrasift.errors import InputError, SettingError
from terrasift.legend import Legend
from terrasift.metrics import (
    ConfusionMatrix,
    ContingencyTable,
    boundary_displacement_error,
    boundary_displacement_error_by_rows,
    compute_region_scores,
    contingency,
)
from terrasift.metrics.averages import mean_of_defined
from terrasift.metrics.information import compute_variation_of_information
from terrasift.progress import Advance, progress_bar

__all__ = ["ImageScores", "PairScores", "Scores", "parse_classes", "score_label_maps"]

AT_ONCE_PIXELS = 25_000_000
"""Larger maps are read a band of rows at a time."""

BAND_PIXELS = 2**23
"""Of such a band, or 256 rows where that is more: the rows that a tile of a raster usually has."""

READINGS = 3
"""How often the bands are read: once to count, twice for the boundaries."""


def score_label_maps(
    predicted: str | os.PathLike[str],
    truths: Sequence[str | os.PathLike[str]],
    *,
    classes: Sequence[str] | Legend = (),
    ignore: int | None = None,
    base: float = 2,
) -> Scores:
    """Score a label map, or each of a folder, against its truths.

    Parameters
    ----------
    predicted, truths
        Label rasters, MATLAB files of the Berkeley benchmark, or folders of either, matched by name. Several
        truths of one image, named here or held by a file, are averaged over; of several predictions that a file
        holds, each is scored.
    classes
        Names of the classes 0, 1, ... where labels mean the same in both maps, or a legend, by whose colours maps in
        colour are read, and in whose maps 255 counts nowhere; without them labels only tell
        regions apart.
    ignore
        A label. Pixels where either map holds it, or is nodata, count nowhere.
    base
        Of the logarithm in the variation of information.

    Raises
    ------
    InputError
        If a file is no label map, has no partner or one on another grid, if a label is no class, or if no pixel
        counts.
    SettingError
        If `base` is not above 1.
    """
    legend = classes if isinstance(classes, Legend) else None
    names = tuple(classes.names if isinstance(classes, Legend) else classes)
    matches = match_label_maps(predicted, truths)
    steps = 0
    for match in matches:  # so that what is wrong is found before hours of scoring
        with open_pairs(match, ignore, legend) as images:
            steps += sum(READINGS * pair.shape[0] for pairs in images for pair in pairs)
    found = []
    with progress_bar("scoring", steps) as advance:
        for match in matches:
            with open_pairs(match, ignore, legend) as images:
                found += [_score_image(pairs, names, base, advance) for pairs in images]
    if not any(pair.pixels for image in found for pair in image.pairs):
        raise InputError(predicted, "no pixel counts", "all are nodata or ignored here or in the truth")
    return Scores(tuple(found), names, base)


def parse_classes(classes: str) -> tuple[str, ...] | Legend:
    """What the option says: a classes file, or how many classes there are, which are called by their numbers then.

    Raises
    ------
    InputError
        If the file is missing or is no classes file.
    SettingError
        If the number is 0.
    """
    if not classes.isdecimal():
        return Legend.load(classes)
    if int(classes) < 1:
        raise SettingError("classes", f"is {classes}", "there is at least one")
    return tuple(str(number) for number in range(int(classes)))


@dataclass(frozen=True)
class PairScores:
    """A label map against one truth."""

    truth: str
    pixels: int
    """Those that count."""
    regions: dict[str, float]
    """As `terrasift.metrics.segmentation_scores` names them; NaN where no pixel counts."""
    confusion: ConfusionMatrix | None
    """None where labels are not classes."""


@dataclass(frozen=True)
class ImageScores:
    """A label map against all its truths."""

    predicted: str
    pairs: tuple[PairScores, ...]

    @property
    def regions(self) -> dict[str, float]:
        """Region scores averaged over the truths."""
        return _means([pair.regions for pair in self.pairs])

    @property
    def confusion(self) -> ConfusionMatrix | None:
        """Classes counted against every truth, summed."""
        return _summed([pair.confusion for pair in self.pairs])


@dataclass(frozen=True)
class Scores:
    """A set of label maps against their truths."""

    images: tuple[ImageScores, ...]
    classes: tuple[str, ...]
    base: float

    @property
    def regions(self) -> dict[str, float]:
        """Region scores averaged over the images."""
        return _means([image.regions for image in self.images])

    @property
    def pooled_coverings(self) -> dict[str, float]:
        """Both coverings as the Berkeley benchmark pools them: each pixel of each truth counts alike."""
        pairs = [pair for image in self.images for pair in image.pairs if pair.pixels]
        pixels = [pair.pixels for pair in pairs]
        names = ("segmentation_covering", "prediction_covering")
        return {name: float(np.average([pair.regions[name] for pair in pairs], weights=pixels)) for name in names}

    @property
    def confusion(self) -> ConfusionMatrix | None:
        """Classes counted over all images."""
        return _summed([image.confusion for image in self.images])

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON: `regions` always, `class_scores` where labels are classes."""
        images = [
            {"predicted": image.predicted, "truths": [pair.truth for pair in image.pairs]} | _plain(image)
            for image in self.images
        ]
        of_set = {"pooled_coverings": self.pooled_coverings} | _plain(self)
        return {"base": self.base, "classes": list(self.classes), "images": images} | of_set


def _score_image(pairs: Sequence[LabelPair], classes: Sequence[str], base: float, advance: Advance) -> ImageScores:
    return ImageScores(pairs[0].predicted.name, tuple(_score_pair(pair, classes, base, advance) for pair in pairs))


def _score_pair(pair: LabelPair, classes: Sequence[str], base: float, advance: Advance) -> PairScores:
    height, width = pair.shape
    measure = _measure_at_once if height * width <= AT_ONCE_PIXELS else _measure_by_rows
    table, displacement = measure(pair, advance)
    regions = compute_region_scores(table) | {
        "variation_of_information": compute_variation_of_information(table, base),
        "boundary_displacement_error": displacement,
    }
    return PairScores(pair.truth.name, table.total, regions, _confusion(pair, table, classes))


def _measure_at_once(pair: LabelPair, advance: Advance) -> tuple[ContingencyTable, float]:
    maps = pair.read(0, pair.shape[0])
    measured = contingency(*maps), boundary_displacement_error(*maps)
    advance(by=READINGS * pair.shape[0])
    return measured


def _measure_by_rows(pair: LabelPair, advance: Advance) -> tuple[ContingencyTable, float]:
    """The same as at once, in memory that does not grow with the height of the maps."""
    height, width = pair.shape
    rows = 256 * max(1, BAND_PIXELS // (256 * width))
    bands = [(top, min(top + rows, height)) for top in range(0, height, rows)]

    def read(start: int, stop: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
        advance(by=stop - start)
        return pair.read(start, stop)

    table = ContingencyTable.merged(contingency(*read(*band)) for band in bands)
    labels = np.union1d(table.predicted, table.truth)
    unused = int(np.setdiff1d(np.arange(labels.size + 1), labels)[0])
    mark = np.array(unused, np.min_scalar_type(unused))

    def read_rows(start: int, stop: int) -> tuple[NDArray[Any], NDArray[Any]]:
        predicted, truth, left_out = read(start, stop)
        return np.where(left_out, mark, predicted), truth

    return table, boundary_displacement_error_by_rows(read_rows, (height, width), unused, rows)


def _confusion(pair: LabelPair, table: ContingencyTable, classes: Sequence[str]) -> ConfusionMatrix | None:
    if not classes:
        return None
    try:
        return ConfusionMatrix.from_contingency(table, len(classes))
    except InputError as error:
        wrong = {"predicted": pair.predicted, "truth": pair.truth}[error.where]
        raise InputError(wrong.name, error.what, "map it, or leave it out by `ignore`") from error


def _means(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: mean_of_defined([one[name] for one in scores]) for name in scores[0]}


def _summed(matrices: Sequence[ConfusionMatrix | None]) -> ConfusionMatrix | None:
    counts = [matrix.counts for matrix in matrices if matrix is not None]
    return ConfusionMatrix(np.sum(counts, axis=0)) if counts else None


def _plain(scores: ImageScores | Scores) -> dict[str, Any]:
    """JSON has no NaN: None stands for a score that is not defined."""
    regions = {name: None if np.isnan(score) else score for name, score in scores.regions.items()}
    confusion = scores.confusion
    return {"regions": regions} | ({"class_scores": confusion.scores()} if confusion is not None else {})
