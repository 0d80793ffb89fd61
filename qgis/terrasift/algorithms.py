# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithms: what each takes, and which calls of the command it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputFolder,
    QgsProcessingOutputHtml,
    QgsProcessingOutputNumber,
    QgsProcessingOutputRasterLayer,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
)

from .algorithm import Argument, CommandAlgorithm, Values
from .parameters import (
    choice,
    extent,
    file,
    folder_out,
    lines,
    number,
    raster,
    rasters,
    run,
    run_out,
    scene_map,
    settings,
    tick,
    vector_out,
)
from .translate import tr

__all__ = ["ALGORITHMS"]

Outcomes = list[Mapping[str, Any]]

_MAKE, _NAME, _CHECK = tr("Make maps"), tr("Give clusters names"), tr("Check maps")


class Classify(CommandAlgorithm):
    NAME, TITLE, GROUP = "classify", tr("Classify without labels"), _MAKE
    HELP = tr(
        "Trains a small network on the images themselves, joins what it tells apart into as many classes as you ask "
        "for, and maps the first image. No labels are needed. The run it leaves maps other images of the kind: "
        "see <i>Map a scene</i>. Name the classes with <i>Name and merge classes</i>."
    )

    def arguments(self) -> list[Argument]:
        return [
            rasters("IMAGES", tr("Images; the first is mapped")),
            number("CLASSES", tr("Classes"), "--merge-to", 8, minimum=1),
            *_training(),
            extent(),
            run_out(),
            scene_map(),
        ]

    def calls(self, values: Values) -> list[list[str]]:
        images, folder = values.layers("IMAGES"), values.text("RUN")
        return [
            ["train", *images, *values.options("RUN", "RECIPE", "SETTINGS", "RESUME")],
            ["legend", folder, *values.options("CLASSES")],
            ["predict", folder, images[0], *values.options("MAP")],
        ]


class Train(CommandAlgorithm):
    NAME, TITLE, GROUP = "train", tr("Train"), _MAKE
    HELP = tr(
        "Trains a small network on images that nobody has labelled, and leaves it as a folder, the run, with a report. "
        "Minutes on a laptop. Interrupted? Tick <i>Go on</i>."
    )

    def arguments(self) -> list[Argument]:
        return [rasters("IMAGES", tr("Images")), *_training(), extent(), run_out()]

    def results(self) -> list[Any]:
        return [QgsProcessingOutputHtml("REPORT", tr("Report"))]

    def calls(self, values: Values) -> list[list[str]]:
        return [["train", *values.layers("IMAGES"), *values.options("RUN", "RECIPE", "SETTINGS", "RESUME")]]

    def finished(self, values: Values, outcomes: Outcomes) -> dict[str, Any]:
        return _report(outcomes[-1])


class Map(CommandAlgorithm):
    NAME, TITLE, GROUP = "map", tr("Map a scene"), _MAKE
    HELP = tr(
        "Maps a scene of any size with a trained run, on the scene's own grid: in the run's classes, or in clusters "
        "where nobody has made classes of them. As a batch process it maps many scenes."
    )

    def arguments(self) -> list[Argument]:
        return [
            run(),
            raster("SCENE", tr("Scene")),
            tick("CLUSTERS", tr("Clusters, whatever classes there are"), "--clusters", advanced=True),
            tick("CONFIDENCE", tr("A layer that says how sure the network is, too"), "--confidence"),
            number(
                "MIN_AREA", tr("Smallest region, square metres (pixels without a CRS)"), "--min-area", 0, whole=False
            ),
            extent(),
            settings(),
            tick("RESUME", tr("Go on with a map that was interrupted"), "--resume", advanced=True),
            scene_map(),
            vector_out("POLYGONS", tr("Polygons"), "--vector"),
        ]

    def results(self) -> list[Any]:
        return [QgsProcessingOutputRasterLayer("CONFIDENCE_MAP", tr("Confidence"))]

    def calls(self, values: Values) -> list[list[str]]:
        names = "MAP", "CLUSTERS", "CONFIDENCE", "MIN_AREA", "SETTINGS", "RESUME", "POLYGONS"
        return [["predict", values.text("RUN"), *values.layers("SCENE"), *values.options(*names)]]

    def finished(self, values: Values, outcomes: Outcomes) -> dict[str, Any]:
        if not values.flag("CONFIDENCE"):
            return {}
        path = Path(values.text("MAP"))
        beside = str(path.with_name(f"{path.stem}.confidence{path.suffix}"))
        values.load(beside, tr("Confidence"), "CONFIDENCE_MAP")
        return {"CONFIDENCE_MAP": beside}


class Merge(CommandAlgorithm):
    NAME, TITLE, GROUP = "merge", tr("Name and merge classes"), _NAME
    HELP = tr(
        "Joins the clusters of a run into classes, those that look alike and touch; merges, names and recolours "
        "classes. Maps made from then on have them. <i>Take back</i> returns to the classes before; leave all else "
        "empty then."
    )

    def arguments(self) -> list[Argument]:
        return [
            run(),
            lines("MERGE_TO", tr("Join the clusters into this many classes (a number, or auto)"), "--merge-to",
                  several=False, advanced=False),
            lines("NAMES", tr("Names, one CLASS=NAME on each line (0=water)"), "--name", advanced=False),
            lines("COLORS", tr("Colours, one CLASS=#RRGGBB on each line"), "--color"),
            lines("MERGE", tr("Classes to merge, one A,B on each line"), "--merge"),
            lines("SPLIT", tr("Clusters to split off, one on each line"), "--split"),
            rasters("IMAGES", tr("Images to look at; else those of the training"), "--images",
                    optional=True, advanced=True),
            tick("UNDO", tr("Take back the last change"), "--undo", advanced=True),
        ]  # fmt: skip

    def results(self) -> list[Any]:
        return [QgsProcessingOutputFolder("CHANGED_RUN", tr("Run")), QgsProcessingOutputHtml("REPORT", tr("Report"))]

    def calls(self, values: Values) -> list[list[str]]:
        names = "MERGE_TO", "NAMES", "COLORS", "MERGE", "SPLIT", "IMAGES", "UNDO"
        return [["legend", values.text("RUN"), *values.options(*names)]]

    def finished(self, values: Values, outcomes: Outcomes) -> dict[str, Any]:
        return {"CHANGED_RUN": values.text("RUN"), **_report(outcomes[-1])}


class Teach(CommandAlgorithm):
    NAME, TITLE, GROUP = "teach", tr("Teach classes from points"), _NAME
    HELP = tr(
        "Takes a few points or polygons that say which class a place is, and makes them the classes of a run. "
        "Maps made from then on have them. Without labels it takes those that were clicked in the page. "
        "It also suggests where the next points would help most, if you say where these go."
    )

    def arguments(self) -> list[Argument]:
        kinds = [QgsProcessing.SourceType.TypeVectorPoint, QgsProcessing.SourceType.TypeVectorPolygon]
        labels = QgsProcessingParameterFeatureSource("LABELS", tr("Points or polygons"), kinds, optional=True)
        field = QgsProcessingParameterField("FIELD", tr("Field with the class"), "class", "LABELS", optional=True)
        return [
            run(),
            Argument(labels),
            Argument(field),
            rasters("SCENES", tr("Scenes they lie in; else the images of the training"), "--scene",
                    optional=True, advanced=True),
            file("CLASSES", tr("Names and colours of the classes (YAML)"), "--classes", optional=True, advanced=True),
            tick("UNDO", tr("Take back the last change"), "--undo", advanced=True),
            number("SUGGEST", tr("How many points to suggest"), "--suggest", 20, minimum=1, advanced=True),
            vector_out("NEXT", tr("Suggested points"), "--out"),
        ]  # fmt: skip

    def results(self) -> list[Any]:
        return [QgsProcessingOutputFolder("CHANGED_RUN", tr("Run"))]

    def calls(self, values: Values) -> list[list[str]]:
        labels = [values.labels("LABELS", "FIELD")] if values.is_given("LABELS") else []
        suggestions = values.options("SUGGEST", "NEXT") if values.is_given("NEXT") else []
        return [["teach", values.text("RUN"), *labels, *values.options("SCENES", "CLASSES", "UNDO"), *suggestions]]

    def finished(self, values: Values, outcomes: Outcomes) -> dict[str, Any]:
        return {"CHANGED_RUN": values.text("RUN")}


class Evaluate(CommandAlgorithm):
    NAME, TITLE, GROUP = "evaluate", tr("Evaluate against masks"), _CHECK
    HELP = tr(
        "Scores a run against labelled images, beside k-means, and learns from them which class each cluster is. "
        "A mask is an image of the same name, in the classes' colours or with class indices."
    )

    def arguments(self) -> list[Argument]:
        return [
            run(),
            rasters("IMAGES", tr("Images to score on")),
            file("MASKS", tr("Folder of their masks"), "--masks", is_folder=True),
            file("CLASSES", tr("Names and colours of the classes (YAML)"), "--classes"),
            rasters("MAP_IMAGES", tr("Images that decide which class a cluster is"), "--map-images",
                    optional=True, advanced=True),
            file("MAP_MASKS", tr("Folder of their masks"), "--map-masks", is_folder=True, optional=True, advanced=True),
            choice("MAPPING", tr("How clusters become classes"), "--mapping", ["majority", "hungarian", "legend"],
                   advanced=True),
            tick("KEEP_LEGEND", tr("Leave the run's classes as they are"), "--keep-legend", advanced=True),
            tick("NO_BASELINES", tr("Leave out k-means"), "--no-baselines", advanced=True),
        ]  # fmt: skip

    def results(self) -> list[Any]:
        return [QgsProcessingOutputHtml("REPORT", tr("Report"))]

    def calls(self, values: Values) -> list[list[str]]:
        names = "MASKS", "CLASSES", "MAP_IMAGES", "MAP_MASKS", "MAPPING", "KEEP_LEGEND", "NO_BASELINES"
        return [["evaluate", values.text("RUN"), *values.layers("IMAGES"), *values.options(*names)]]

    def finished(self, values: Values, outcomes: Outcomes) -> dict[str, Any]:
        return _report(outcomes[-1])


class Sample(CommandAlgorithm):
    NAME, TITLE, GROUP = "sample", tr("Draw a sample to check"), _CHECK
    HELP = tr(
        "Draws random points of a map, and with its image a picture of each and a page to label them on. Fill in the "
        "column <i>reference</i>, there or here; then <i>Accuracy and areas</i> has what may be published."
    )

    def arguments(self) -> list[Argument]:
        return [
            raster("MAP", tr("Class map")),
            raster("SCENE", tr("Image to look at"), "--scene", optional=True),
            number("TOTAL", tr("Points in all"), "--total", None, minimum=1),
            number("PER_CLASS", tr("Points of each class, instead"), "--per-class", None, minimum=1),
            choice("ALLOCATION", tr("How points in all are shared out"), "--allocation",
                   ["proportional", "equal", "neyman"], advanced=True),
            tick("CLUSTERS", tr("The map shows clusters: take groups of them"), "--clusters", advanced=True),
            file("CLASSES", tr("Names of the map's values, or to label with (YAML)"), "--classes",
                 optional=True, advanced=True),
            number("SEED", tr("Seed of the draw"), "--seed", 0, advanced=True),
            folder_out("SAMPLE", tr("Sample (a folder)")),
        ]  # fmt: skip

    def results(self) -> list[Any]:
        return [
            QgsProcessingOutputVectorLayer("POINTS", tr("Points to check")),
            QgsProcessingOutputHtml("REPORT", tr("Page to label them on")),
        ]

    def calls(self, values: Values) -> list[list[str]]:
        names = "SCENE", "TOTAL", "PER_CLASS", "ALLOCATION", "CLUSTERS", "CLASSES", "SEED", "SAMPLE"
        return [["assess", "sample", *values.layers("MAP"), *values.options(*names)]]

    def finished(self, values: Values, outcomes: Outcomes) -> dict[str, Any]:
        points = next((path for path in outcomes[-1]["written"] if path.endswith(".gpkg")), None)
        if points is None:  # the command lacks the extra `vector`, and has said so in the log
            return _report(outcomes[-1])
        values.load(points, tr("Points to check"), "POINTS")
        return {"POINTS": points, **_report(outcomes[-1])}


class Areas(CommandAlgorithm):
    NAME, TITLE, GROUP = "areas", tr("Accuracy and areas"), _CHECK
    HELP = tr(
        "From a sample whose points have been checked: the accuracy of the map, and how many hectares each class is, "
        "with 95 % intervals, by the practice of Olofsson and others (2014)."
    )

    def arguments(self) -> list[Argument]:
        return [
            file("SAMPLE", tr("Sample (its folder)"), is_folder=True),
            raster("MAP", tr("Another map of the same grid to assess"), "--map", optional=True, advanced=True),
        ]

    def results(self) -> list[Any]:
        return [QgsProcessingOutputHtml("REPORT", tr("Report"))]

    def calls(self, values: Values) -> list[list[str]]:
        return [["assess", "report", values.text("SAMPLE"), *values.options("MAP")]]

    def finished(self, values: Values, outcomes: Outcomes) -> dict[str, Any]:
        return _report(outcomes[-1])


class Score(CommandAlgorithm):
    NAME, TITLE, GROUP = "score", tr("Score two maps"), _CHECK
    HELP = tr("Scores a label map against the truth, whoever made it: class by class, and region by region.")

    def arguments(self) -> list[Argument]:
        return [
            raster("PREDICTED", tr("Map")),
            raster("TRUTH", tr("Truth, on the same grid")),
            lines("CLASSES", tr("How many classes, or a file of them (YAML)"), "--classes",
                  several=False, advanced=False),
            number("IGNORE", tr("Label that counts nowhere"), "--ignore", None),
        ]  # fmt: skip

    def results(self) -> list[Any]:
        return [
            QgsProcessingOutputNumber("ACCURACY", tr("Overall accuracy, where labels are classes")),
            QgsProcessingOutputNumber("MEAN_IOU", tr("Mean IoU, where labels are classes")),
            QgsProcessingOutputNumber("COVERING", tr("Segmentation covering")),
        ]

    def calls(self, values: Values) -> list[list[str]]:
        words = [*values.layers("PREDICTED"), *values.layers("TRUTH"), *values.options("CLASSES", "IGNORE")]
        return [["score", *words]]

    def finished(self, values: Values, outcomes: Outcomes) -> dict[str, Any]:
        classes = outcomes[-1].get("class_scores") or {}
        covering = outcomes[-1]["regions"]["segmentation_covering"]
        return {"ACCURACY": classes.get("accuracy"), "MEAN_IOU": classes.get("mean_iou"), "COVERING": covering}


class Page(CommandAlgorithm):
    NAME, TITLE, GROUP = "page", tr("Open the page"), _NAME
    HELP = tr(
        "Opens a run and scenes in the browser, on this machine, to look at the clusters, name and merge them. "
        "<i>Cancel</i> closes the page."
    )

    def arguments(self) -> list[Argument]:
        return [run(), rasters("SCENES", tr("Scenes"))]

    def calls(self, values: Values) -> list[list[str]]:
        return [["view", values.text("RUN"), *values.layers("SCENES")]]


ALGORITHMS = (Classify, Train, Map, Merge, Teach, Page, Evaluate, Sample, Areas, Score)


def _training() -> list[Argument]:
    return [
        lines("RECIPE", tr("Recipe: default, paper, demo, or a file (YAML)"), "--recipe", several=False),
        settings(),
        tick("RESUME", tr("Go on with a training that was interrupted"), "--resume", advanced=True),
    ]


def _report(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The page that a call has written, for the viewer of results."""
    page = next((path for path in outcome["written"] if path.endswith(".html")), None)
    return {"REPORT": page} if page else {}
