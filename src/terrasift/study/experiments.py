"""The experiments as data: what each cell of a table changes about the study's recipe, and what the study concludes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from terrasift.errors import SettingError
from terrasift.metrics import COMPARED

__all__ = ["EXPERIMENTS", "STUDY_DEFAULTS", "SUPERVISED", "Cell", "Claim", "Experiment", "Method", "find_experiments"]

Method = Literal[
    "network",
    "pixel k-means",
    "superpixel k-means",
    "kanezaki",
    "dic",
    "external",
    "discovery both",
    "discovery contrast",
    "discovery whitened",
]
"""What segments the images: a network trained on all of them, a baseline, or discovered clusters as they are."""


@dataclass(frozen=True)
class Cell:
    """A row of a table (two rows where there are two classifiers), for every data set.

    Attributes
    ----------
    variant
        Its name in the table.
    changes
        Dotted keys of the recipe and their values, on top of `STUDY_DEFAULTS`.
    method
        What is trained.
    clusters_are_classes
        Whether there are as many clusters as classes, however many these are.
    """

    variant: str
    changes: dict[str, Any] = field(default_factory=dict)
    method: Method = "network"
    clusters_are_classes: bool = False


@dataclass(frozen=True)
class Claim:
    """A conclusion of the study: that some cells score higher than others, each than its partner.

    Attributes
    ----------
    text
        In words.
    scores
        Names of `metrics.FACTS` in which the better cells should be better.
    better, worse
        Variants of cells, as many of one as of the other, or one `better` for all of `worse`.
    """

    text: str
    scores: tuple[str, ...]
    better: tuple[str, ...]
    worse: tuple[str, ...]

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(better, worse) variants."""
        better = self.better * len(self.worse) if len(self.better) == 1 else self.better
        return tuple(zip(better, self.worse, strict=True))


@dataclass(frozen=True)
class Experiment:
    """One table of the study, and the figure of its loss curves.

    Attributes
    ----------
    name
        For the command line.
    table, figure
        Their numbers in the study; empty where it has none.
    cells
        The rows.
    claims
        What the study concludes from them.
    shows_best
        Whether a cell with two classifiers has one row, that of the classifier that maps best.
    """

    name: str
    title: str
    table: str
    figure: str
    cells: tuple[Cell, ...]
    claims: tuple[Claim, ...]
    shows_best: bool = False


STUDY_DEFAULTS: dict[str, Any] = {"classifiers": 1, "refinement.method": "external"}
"""What most experiments change about the recipe `paper`, which is the architecture the study arrived at."""

SUPERVISED = tuple(COMPARED)
"""The scores that compare classes; the study prints them in per cent."""

_EXTRACTORS: dict[str, dict[str, Any]] = {
    "SEEK": {"extractor": "seek", "width": None},  # as wide as there are clusters, whatever the others' width
    "DIC": {"extractor": "dic"},
    "Kan": {"extractor": "kan"},
}
_RATES = {"1e-3 to 1e-4": (1e-3, 1e-4), "1e-4 to 1e-5": (1e-4, 1e-5), "1e-5 to 1e-6": (1e-5, 1e-6)}
_TWO: dict[str, Any] = {"classifiers": 2}
_FINAL: dict[str, Any] = {"classifiers": 2, "refinement.method": "slic"}
_ALONE: dict[str, Any] = {"classifiers": 1, "refinement.method": "slic"}
_DISTILLED: dict[str, Any] = {
    **_ALONE,
    "targets": "contrast",
    "extractor": "dictionary",
    "width": None,
    "crop": 96,
    "augmentation": "flips",
    "class_weights": "none",
    "optimizer": "muon",
    "lr": 3e-3,
    "lr_final": 1e-6,
    "lr_schedule": "one_cycle",
}
"""What the recipe `default` changes about the study's."""


_TARGETS: tuple[tuple[str, dict[str, Any], Method], ...] = (
    ("self", _FINAL, "network"),
    ("superpixel colour", {}, "superpixel k-means"),
    ("whitened", _ALONE, "discovery whitened"),
    ("contrast", _ALONE, "discovery contrast"),
    ("discovered", _ALONE, "discovery both"),
    ("distilled", _DISTILLED, "network"),
)


def _by_extractor(suffix: str, changes: dict[str, Any]) -> tuple[Cell, ...]:
    return tuple(Cell(f"{name}{suffix}", {**extractor, **changes}) for name, extractor in _EXTRACTORS.items())


def _variants(suffix: str) -> tuple[str, ...]:
    return tuple(f"{name}{suffix}" for name in _EXTRACTORS)


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "learning-rate",
        "Learning rate",
        "II",
        "4 and 5",
        tuple(
            cell
            for name, (first, last) in _RATES.items()
            for cell in _by_extractor(f"; lr {name}", {"lr": first, "lr_final": last})
        ),
        (
            Claim(
                "A learning rate of 1e-4 to 1e-5 is the best overall",
                SUPERVISED,
                (*_variants("; lr 1e-4 to 1e-5"), *_variants("; lr 1e-4 to 1e-5")),
                (*_variants("; lr 1e-3 to 1e-4"), *_variants("; lr 1e-5 to 1e-6")),
            ),
        ),
    ),
    Experiment(
        "number-of-classes",
        "Number of clusters K",
        "III",
        "6",
        (*_by_extractor("; K=100", {"clusters": 100}), *_by_extractor("; K=10", {"clusters": 10})),
        (
            Claim(
                "100 clusters beat 10 in IoU, weighted IoU and F1",
                ("mean_iou", "weighted_iou", "mean_f1"),
                _variants("; K=100"),
                _variants("; K=10"),
            ),
            Claim(
                "10 clusters beat 100 in many segmentation metrics",
                ("variation_of_information", "global_consistency_error", "segmentation_covering"),
                _variants("; K=10"),
                _variants("; K=100"),
            ),
        ),
    ),
    Experiment(
        "cross-entropy",
        "Weighted or plain cross-entropy",
        "IV",
        "7",
        (
            *_by_extractor("; WCE", {"class_weights": "balanced"}),
            *_by_extractor("; CE", {"class_weights": "none"}),
        ),
        (
            Claim(
                "The weighted cross-entropy beats the plain one in IoU",
                ("mean_iou",),
                _variants("; WCE"),
                _variants("; CE"),
            ),
            Claim(
                "and in the other supervised scores",
                ("accuracy", "weighted_iou", "mean_f1"),
                _variants("; WCE"),
                _variants("; CE"),
            ),
        ),
    ),
    Experiment(
        "feature-extractor",
        "Feature extractor",
        "V",
        "",
        _by_extractor("", {}),
        (
            Claim("DIC has the best supervised scores", SUPERVISED, ("DIC",), ("SEEK", "Kan")),
            Claim(
                "SEEK is better than DIC in VoI, GCE and SC",
                ("variation_of_information", "global_consistency_error", "segmentation_covering"),
                ("SEEK",),
                ("DIC",),
            ),
        ),
    ),
    Experiment(
        "classifiers",
        "One or two classifiers",
        "VI",
        "8",
        (Cell("1 classifier(s)", {"classifiers": 1}), Cell("2 classifier(s)", _TWO)),
        (Claim("Two classifiers beat one", SUPERVISED, ("2 classifier(s)",), ("1 classifier(s)",)),),
    ),
    Experiment(
        "loss",
        "Losses added to the weighted cross-entropy",
        "VII",
        "9",
        (
            Cell("WCE", _TWO),
            Cell("WCE+L1", {**_TWO, "losses.continuity": 1.0}),
            Cell("WCE+MS", {**_TWO, "losses.mumford_shah": 1.0}),
        ),
        (
            Claim(
                "No added loss is needed: the weighted cross-entropy alone has the best IoU and F1",
                ("mean_iou", "mean_f1"),
                ("WCE",),
                ("WCE+L1", "WCE+MS"),
            ),
            Claim(
                "The spatial continuity loss improves the segmentation metrics a bit",
                ("variation_of_information", "probabilistic_rand_index", "global_consistency_error"),
                ("WCE+L1",),
                ("WCE",),
            ),
        ),
    ),
    Experiment(
        "class-refinement",
        "Class refinement",
        "VIII",
        "10",
        (Cell("external algorithm", _TWO), Cell("superpixels", _FINAL)),
        (Claim("Superpixels beat the external algorithm", SUPERVISED, ("superpixels",), ("external algorithm",)),),
    ),
    Experiment(
        "augmentation",
        "Data augmentation, 100 epochs",
        "IX",
        "",
        tuple(
            Cell(variant, {**_FINAL, "epochs": 100, "augmentation": choice})
            for variant, choice in (
                ("none", "none"),
                ("geometric", "geometric"),
                ("colour", "colour"),
                ("geometric and colour", "both"),
            )
        ),
        (Claim("No augmentation is best", SUPERVISED, ("none",), ("geometric", "colour", "geometric and colour")),),
        shows_best=True,
    ),
    Experiment(
        "baselines",
        "What a user would pick instead",
        "",
        "",
        (
            Cell("study's architecture", _FINAL),
            Cell("k-means on pixels; K=100", {"clusters": 100}, "pixel k-means"),
            Cell("k-means on pixels; K=C", {}, "pixel k-means", clusters_are_classes=True),
            Cell("k-means on superpixels; K=100", {"clusters": 100}, "superpixel k-means"),
            Cell("k-means on superpixels; K=C", {}, "superpixel k-means", clusters_are_classes=True),
            Cell("Kanezaki's, per image", {}, "kanezaki"),
            Cell("DIC's, per image", {}, "dic"),
            Cell("external algorithm alone", {}, "external"),
        ),
        (
            Claim(
                "(ours) One network for all images beats k-means on their pixels",
                SUPERVISED,
                ("study's architecture",),
                ("k-means on pixels; K=100",),
            ),
            Claim(
                "(ours) and k-means on their superpixels",
                SUPERVISED,
                ("study's architecture",),
                ("k-means on superpixels; K=100",),
            ),
            Claim(
                "(ours) and what treats each image alone",
                SUPERVISED,
                ("study's architecture",),
                ("Kanezaki's, per image", "DIC's, per image", "external algorithm alone"),
            ),
        ),
        shows_best=True,
    ),
    Experiment(
        "targets",
        "What a network learns: its own labels, or discovered clusters",
        "",
        "",
        tuple(
            Cell(f"{name}; K={clusters}", {**changes, "clusters": clusters}, method)
            for clusters in (100, 10)
            for name, changes, method in _TARGETS
        ),
        (
            Claim(
                "(ours) Discovered clusters beat k-means on the colours of superpixels",
                SUPERVISED,
                ("discovered; K=100", "discovered; K=10"),
                ("superpixel colour; K=100", "superpixel colour; K=10"),
            ),
            Claim(
                "(ours) and what a network learns from them beats what it learns from itself",
                SUPERVISED,
                ("distilled; K=100", "distilled; K=10"),
                ("self; K=100", "self; K=10"),
            ),
        ),
        shows_best=True,
    ),
)
"""The study's eight, in the order of its tables, and two of ours."""


def find_experiments(names: list[str]) -> tuple[Experiment, ...]:
    """The experiments of some names, in the order of the tables; ``all`` means every one.

    Raises
    ------
    SettingError
        If there is none of a name.
    """
    known = [experiment.name for experiment in EXPERIMENTS]
    for name in names:
        if name not in (*known, "all"):
            raise SettingError(name, "is no experiment", f"use {', '.join(known)}, or all")
    return tuple(experiment for experiment in EXPERIMENTS if "all" in names or experiment.name in names)
