"""What an evaluation finds: scores of a run's classifiers, and of what stands beside it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from terrasift.blocks.choices import RegionsSeen
from terrasift.errors import RunError
from terrasift.files import read_json, write_text
from terrasift.legend import LandClass, Legend
from terrasift.mapping import NO_CLASS
from terrasift.metrics import COMPARED, FACTS, ConfusionMatrix
from terrasift.metrics.averages import mean_of_defined
from terrasift.notebook import data_frame, html_table, swatch
from terrasift.prediction import Segmenter
from terrasift.run import absolute_path

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = ["BaselineScores", "ClassifierScores", "Evaluation", "LabelledImage", "Seconds", "TruthUsed"]


class LabelledImage(NamedTuple):
    """An image, and the mask that says what it shows."""

    scene: str
    mask: Path


class Seconds(NamedTuple):
    """What it took."""

    training: float | None
    """All steps of a network, or the fitting of a baseline; None where no log says."""
    segmenting: float | None
    """Finding the clusters of the test images and of those that clusters are mapped on."""


class TruthUsed(NamedTuple):
    """What was scored against."""

    legend: Legend
    """The classes of the masks."""
    tested: tuple[LabelledImage, ...]
    flattered: bool
    """Whether clusters were mapped on the test set itself."""
    regions: RegionsSeen
    """What the region metrics saw."""


@dataclass(frozen=True)
class ClassifierScores:
    """How one classifier does: its clusters mapped on one set, scored on another."""

    classifier: int
    mapping: NDArray[np.int64]
    """(K,), class of each cluster; -1 for none."""
    mapping_accuracy: float
    """Overall accuracy on the mapping set; NaN where a legend was the mapping."""
    confusion: ConfusionMatrix
    """Pooled over all test pixels."""
    images: dict[str, dict[str, float]]
    """Region metrics of each test image, by its path and their names."""
    left_out: int = 0
    """Labelled test pixels in clusters without a class: they count nowhere, as the nodata of a class map."""
    unlabelled: tuple[int, ...] = ()
    """Clusters that lie on no labelled pixel of the mapping set: `mapping` takes them for its most frequent class."""
    unlabelled_share: float = 0.0
    """Of the test images' valid pixels, those in such clusters."""

    def __repr__(self) -> str:
        return f"ClassifierScores(classifier {self.classifier}, {len(self.mapping)} clusters: {self.confusion!r})"

    @property
    def known_mapping(self) -> NDArray[np.int64]:
        """`mapping` as a legend takes it: clusters of which no label says anything stay without a class, -1."""
        known = self.mapping.copy()
        known[list(self.unlabelled)] = NO_CLASS
        return known

    @property
    def regions(self) -> dict[str, float]:
        """Region metrics averaged over the test images."""
        names = next(iter(self.images.values()), {})
        return {name: mean_of_defined([scores[name] for scores in self.images.values()]) for name in names}

    @property
    def untaken(self) -> list[int]:
        """Classes that no cluster took, by their indices: a map never shows them."""
        return _untaken(self.mapping, self.confusion)


@dataclass(frozen=True)
class BaselineScores:
    """How a baseline does on the same images, with as many clusters, mapped by the same method."""

    name: str
    mapping: NDArray[np.int64]
    """(K,), class of each cluster."""
    confusion: ConfusionMatrix
    """Pooled over all test pixels."""
    seconds: Seconds
    segmenter: Segmenter | None = field(default=None, repr=False, compare=False)
    """Itself, fitted, for whoever wants its map; None where the scores were read from a file."""

    def __repr__(self) -> str:
        return f"BaselineScores({self.name}, {len(self.mapping)} clusters: {self.confusion!r})"

    @property
    def untaken(self) -> list[int]:
        """Classes that no cluster took, by their indices."""
        return _untaken(self.mapping, self.confusion)


def _untaken(mapping: NDArray[np.int64], confusion: ConfusionMatrix) -> list[int]:
    taken = set(mapping.tolist())
    return [index for index in range(len(confusion.counts)) if index not in taken]


@dataclass(frozen=True)
class Evaluation:
    """Scores of every classifier of a run, and of the baselines beside it."""

    classes: tuple[str, ...]
    classifiers: tuple[ClassifierScores, ...]
    baselines: tuple[BaselineScores, ...] = ()
    seconds: Seconds | None = None
    """Of the run; None where nobody looked at the clock."""
    truth: TruthUsed | None = None
    """None where only scores are wanted, as by the study."""
    weights: str = ""
    """Digest of the weights that were evaluated; "" where nobody says."""

    def __repr__(self) -> str:
        matrix = self.best.confusion
        beside = "".join(f"; {found.name}: {found.confusion.summary}" for found in self.baselines)
        return f"Evaluation({len(self.classes)} classes, {matrix.total:,} pixels: {matrix.summary}{beside})"

    def _repr_html_(self) -> str:
        methods = [
            (name, *(FACTS[score].text_with_unit(getattr(found.confusion, score)) for score in COMPARED))
            for name, found, _ in self._methods
        ]
        matrix = self.best.confusion
        known = self.truth.legend.classes if self.truth else ()
        swatches = [swatch(entry.color) for entry in known] or [Markup("")] * len(self.classes)
        each = {name: FACTS[f"mean_{name}"] for name in ("precision", "recall", "f1", "iou")}
        classes = [
            (
                swatches[index],
                name,
                *(facts.text_with_unit(getattr(matrix, score)[index]) for score, facts in each.items()),
                f"{matrix.support[index]:,}",
            )
            for index, name in enumerate(self.classes)
        ]
        compared = html_table("Evaluation", methods, ("", *(FACTS[score].symbol for score in COMPARED)))
        return compared + html_table("Classes", classes, ("", "class", "precision", "recall", "F1", "IoU", "pixels"))

    def to_frame(self) -> pandas.DataFrame:
        """Scores of each class by the best classifier, as `ConfusionMatrix.to_frame`."""
        return self.best.confusion.to_frame(self.classes)

    def comparison_to_frame(self) -> pandas.DataFrame:
        """Scores over all classes, and seconds: a row for the run's best classifier, and one for each baseline."""
        columns: dict[str, list[Any]] = {"method": [name for name, _, _ in self._methods]}
        for score in COMPARED:
            columns[score] = [getattr(found.confusion, score) for _, found, _ in self._methods]
        for part in Seconds._fields:
            columns[f"{part}_seconds"] = [_number(getattr(seconds, part, None)) for _, _, seconds in self._methods]
        return data_frame(columns, "method")

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the best classifier's confusion of classes, as `ConfusionMatrix.plot`."""
        return self.best.confusion.plot(self.classes, axes)

    @property
    def _methods(self) -> list[tuple[str, ClassifierScores | BaselineScores, Seconds | None]]:
        return [
            ("this run", self.best, self.seconds),
            *((found.name, found, found.seconds) for found in self.baselines),
        ]

    @property
    def best(self) -> ClassifierScores:
        """The classifier that is most accurate on the mapping set: chosen without looking at the test set."""
        return max(self.classifiers, key=lambda scores: scores.mapping_accuracy)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `to_dict` as JSON, whole or not at all."""
        return write_text(path, json.dumps(self.to_dict(), indent=2) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Evaluation:
        """What `save` wrote, by this version or an earlier one.

        Raises
        ------
        RunError
            If the file is something else, or damaged.
        """
        content = read_json(path, RunError, _MEND)
        try:
            return cls.from_dict(content)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
            raise RunError(path, "does not hold an evaluation", _MEND) from error

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; images and masks by their absolute paths."""
        content = {
            **({"weights": self.weights} if self.weights else {}),
            "classes": list(self.classes),
            "best_classifier": self.best.classifier,
            "seconds": _seconds(self.seconds),
            "classifiers": [
                {
                    "classifier": scores.classifier,
                    "mapping": scores.mapping.tolist(),
                    "untaken": self._names(scores.untaken),
                    **_plain({"mapping_accuracy": scores.mapping_accuracy}),
                    "left_out": scores.left_out,
                    "unlabelled_clusters": list(scores.unlabelled),
                    "unlabelled_share": scores.unlabelled_share,
                    **scores.confusion.scores(),
                    "regions": _plain(scores.regions),
                    "images": {absolute_path(path): _plain(regions) for path, regions in scores.images.items()},
                }
                for scores in self.classifiers
            ],
            "baselines": [
                {
                    "name": scores.name,
                    "mapping": scores.mapping.tolist(),
                    "untaken": self._names(scores.untaken),
                    "seconds": _seconds(scores.seconds),
                    **scores.confusion.scores(),
                }
                for scores in self.baselines
            ],
        }
        return content if self.truth is None else content | _truth_content(self.truth)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Evaluation:
        """The inverse of `to_dict`; ValueError and its like where the content is something else."""
        classes = tuple(map(str, content["classes"]))
        return cls(
            classes,
            tuple(
                ClassifierScores(
                    int(scores["classifier"]),
                    _mapping(scores, len(classes)),
                    _number(scores["mapping_accuracy"]),
                    _confusion(scores, len(classes)),
                    {path: _numbers(regions) for path, regions in scores["images"].items()},
                    scores.get("left_out", 0),
                    tuple(scores.get("unlabelled_clusters", ())),
                    scores.get("unlabelled_share", 0.0),
                )
                for scores in content["classifiers"]
            ),
            tuple(
                BaselineScores(
                    str(scores["name"]),
                    _mapping(scores, len(classes)),
                    _confusion(scores, len(classes)),
                    Seconds(**scores["seconds"]),
                )
                for scores in content.get("baselines", ())
            ),
            Seconds(**content["seconds"]) if content.get("seconds") else None,
            _truth_of(classes, content) if "masks" in content else None,
            str(content.get("weights", "")),
        )

    def _names(self, classes: list[int]) -> list[str]:
        return [self.classes[index] for index in classes]


_MEND = "evaluate the run again"


def _truth_content(truth: TruthUsed) -> dict[str, Any]:
    return {
        "colors": [entry.color for entry in truth.legend.classes],
        "ignore": list(truth.legend.ignore),
        "masks": {absolute_path(image.scene): absolute_path(image.mask) for image in truth.tested},
        "mapped_on_test_set": truth.flattered,
        "regions_of": truth.regions,
    }


def _truth_of(classes: tuple[str, ...], content: dict[str, Any]) -> TruthUsed:
    named = zip(classes, content["colors"], strict=True)
    return TruthUsed(
        Legend(tuple(LandClass(name, color) for name, color in named), tuple(content["ignore"])),
        tuple(LabelledImage(scene, Path(mask)) for scene, mask in content["masks"].items()),
        content["mapped_on_test_set"],
        content["regions_of"],
    )


def _mapping(scores: dict[str, Any], classes: int) -> NDArray[np.int64]:
    mapping = np.array(scores["mapping"], np.int64)
    if mapping.ndim != 1 or not ((mapping >= NO_CLASS) & (mapping < classes)).all():
        raise ValueError("clusters are mapped to classes that there are not")
    if not all(0 <= cluster < len(mapping) for cluster in scores.get("unlabelled_clusters", ())):
        raise ValueError("there are no such clusters")
    return mapping


def _confusion(scores: dict[str, Any], classes: int) -> ConfusionMatrix:
    counts = np.array(scores["counts"], np.int64)
    if counts.shape != (classes, classes) or (counts < 0).any():
        raise ValueError("counts of other classes")
    return ConfusionMatrix(counts)


def _number(score: float | None) -> float:
    return float("nan") if score is None else float(score)


def _numbers(scores: dict[str, float | None]) -> dict[str, float]:
    return {name: _number(score) for name, score in scores.items()}


def _plain(scores: dict[str, float]) -> dict[str, float | None]:
    """JSON has no NaN: None stands for a score that is not defined."""
    return {name: None if np.isnan(score) else score for name, score in scores.items()}


def _seconds(seconds: Seconds | None) -> dict[str, float | None] | None:
    if seconds is None:
        return None
    return {name: None if value is None else round(value, 3) for name, value in seconds._asdict().items()}
