"""Labels to a classifier and its legend: the whole of teaching but for the run's folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrasift.data.scenes import describe_scenes
from terrasift.errors import InputError, some_of
from terrasift.legend import LandClass, Legend
from terrasift.legend.colours import class_colors
from terrasift.metrics import FACTS
from terrasift.prediction import Predictor
from terrasift.raster import RasterInfo
from terrasift.teaching.classifier import Lesson, Metric, learn
from terrasift.teaching.gathering import Gathered, gather_labelled, gather_sample
from terrasift.teaching.labels import Labels
from terrasift.teaching.masks import find_sparse_masks, place_masks
from terrasift.teaching.placing import Placement, place_labels
from terrasift.teaching.reading import read_label_file
from terrasift.teaching.regions import RegionTable
from terrasift.teaching.suggesting import suggest_points
from terrasift.teaching.writing import MapPoint

__all__ = ["FEW_REGIONS", "Taught", "taught_legend", "teach"]

FEW_REGIONS = 10
"""Labelled superpixels of a class below which they are said to be few."""


@dataclass(frozen=True)
class Taught:
    """What labels have taught.

    Attributes
    ----------
    lesson
        The classifier, and how it did on labels it had not seen.
    legend
        The classes, each with the output of the classifier that is it; none for classes without a label.
    gathered
        The labelled superpixels, and what became of the labels.
    infos
        The scenes in which labels were sought.
    sample
        Superpixels of theirs, against which features were scaled.
    metric
        The scaling.
    """

    lesson: Lesson
    legend: Legend
    gathered: Gathered
    infos: tuple[RasterInfo, ...]
    sample: RegionTable
    metric: Metric

    def __repr__(self) -> str:
        share = FACTS["mean_recall"].text_with_unit(self.lesson.accuracy)
        accuracy = "" if self.lesson.accuracy is None else f", {share} recognised unseen"
        return f"Taught({', '.join(self.names)}: {self.lesson.regions.sum():,} labelled superpixels{accuracy})"

    @property
    def remarks(self) -> list[str]:
        """What a user should know of the labels, a line each."""
        tally, lesson = self.gathered.tally, self.lesson
        names = self.names
        few = [
            f"{name} {count}" for name, count in zip(names, lesson.regions.tolist(), strict=True) if count < FEW_REGIONS
        ]
        unlabelled = [name for index, name in enumerate(self.legend.names) if index not in lesson.classes]
        said = [
            (tally.outside, f"{_count(tally.outside, 'label')} outside all scenes"),
            (tally.without_data, f"{_count(tally.without_data, 'label')} where there is no data"),
            (
                tally.contradicting,
                f"{_count(tally.contradicting, 'superpixel')} called different things: the most frequent counts",
            ),
            (
                tally.windows_left_out,
                f"{_count(tally.windows_left_out, 'window')} with labels not looked at: the others are enough",
            ),
            (len(names) == 1, f"all labels are {names[0]}: so will be the whole map"),
            (few, f"few labelled superpixels: {', '.join(few)}"),
            (unlabelled, f"without a label, and so nowhere on the map: {', '.join(unlabelled)}"),
        ]
        return [line for holds, line in said if holds]

    @property
    def names(self) -> list[str]:
        """Of the classes that the classifier knows, in the order of its outputs."""
        return [self.legend.names[index] for index in self.lesson.classes]

    def suggest(self, count: int) -> list[MapPoint]:
        """Where labels would help most now, the most helpful first."""
        lesson = self.lesson
        known = lesson.classifier, self.names, self.gathered.regions.features
        return suggest_points(self.sample, self.metric, self.infos, count, *known)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        lesson = self.lesson
        return {
            "classes": self.names,
            "superpixels": lesson.regions.tolist(),
            "accuracy": lesson.accuracy,
            "interval": lesson.interval,
            "confusion": None if lesson.confusion is None else lesson.confusion.tolist(),
            "strength": lesson.strength,
            "frequencies": None if lesson.frequencies is None else lesson.frequencies.tolist(),
            "labels": self.gathered.tally._asdict(),
            "remarks": self.remarks,
        }


def teach(
    predictor: Predictor,
    labels: Labels | str | os.PathLike[str],
    scenes: Sequence[str],
    before: Legend,
    classes: Legend | None = None,
) -> Taught:
    """Learn classes from a few labels.

    Parameters
    ----------
    predictor
        Of the run.
    labels
        Labels, a file of them (`read_label_file`), a sparse mask with the name of its scene, or a folder of such.
    scenes
        Where they are sought.
    before
        The run's legend: classes of the same name keep their colours.
    classes
        Names and colours of the classes; None: the labels' own names, in the order in which they come.

    Raises
    ------
    InputError
        If the labels cannot be read, if one's class is none of `classes`, or if none is left.
    """
    recipe = predictor.reader.recipe
    infos = describe_scenes(scenes, recipe.resolution)
    for info in infos:
        predictor.check(info)
    placement, names = _placed(labels, infos, classes)
    gathered = gather_labelled(predictor, infos, placement, len(names))
    sample = gather_sample(predictor, infos)
    metric = Metric.of(sample)
    lesson = learn(gathered.regions, metric, sample)
    return Taught(lesson, taught_legend(names, lesson.classes, before, classes), gathered, tuple(infos), sample, metric)


def taught_legend(names: Sequence[str], labelled: Sequence[int], before: Legend, classes: Legend | None) -> Legend:
    """The legend of a taught classifier: class `labelled[j]` holds its output j."""
    known = {entry.name: entry.color for entry in (classes or before).classes}
    kept = [known.get(name) for name in names]
    ignore = classes.ignore if classes else before.ignore
    fresh = iter(class_colors(kept.count(None), [color for color in (*kept, *ignore) if color]))
    output = {index: (place,) for place, index in enumerate(labelled)}
    entries = [
        LandClass(name, color or next(fresh), output.get(index, ()))
        for index, (name, color) in enumerate(zip(names, kept, strict=True))
    ]
    return Legend(tuple(entries), ignore)


def _placed(
    labels: Labels | str | os.PathLike[str], infos: Sequence[RasterInfo], classes: Legend | None
) -> tuple[Placement, list[str]]:
    if not isinstance(labels, Labels):
        path = Path(labels)
        masks = find_sparse_masks(path)
        if masks:
            return place_masks(masks, infos, classes)
        if path.is_dir():
            raise InputError(path, "is a folder without masks", "name a file of points or polygons, or put masks in it")
        labels = read_label_file(path)
    names = labels.names if classes is None else classes.names
    unknown = next((label for label in labels if label.name not in names), None)
    if unknown is not None:
        listed = some_of(names)
        raise InputError(unknown.where or "labels", f"is {unknown.name!r}", f"the classes are {listed}")
    if len(names) > _MOST_CLASSES:
        raise InputError("labels", f"name {len(names)} classes", "is `class` the column of classes, not of numbers?")
    return place_labels(labels, names, infos), names


_MOST_CLASSES = 255


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
