"""The page's Teach mode: labels clicked in scenes, and what has been learned from them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.api import Run
from terrasift.errors import InputError, RunError, TerrasiftError
from terrasift.files import read_bytes, read_json, write_text
from terrasift.legend import LandClass, Legend
from terrasift.progress import quiet
from terrasift.teaching import MapPoint, read_labels_of_run, suggest_points
from terrasift.teaching.classifier import (
    FIRST_STRENGTH,
    LabelledRegions,
    Lesson,
    Metric,
    learn,
    pixels_of_outputs,
)
from terrasift.teaching.gathering import decided, neighbours
from terrasift.teaching.regions import RegionTable, join_tables
from terrasift.teaching.writing import points_as_geojson
from terrasift.viewer.scenes import Scene
from terrasift.viewer.superpixels import SceneSuperpixels, read_superpixels

__all__ = ["Clicked", "Lessons"]

_logger = logging.getLogger(__name__)
_MOST_LABELS = 20_000


@dataclass(frozen=True)
class Clicked:
    """Classes, and pixels of the page's scenes that somebody has given one.

    Attributes
    ----------
    classes
        Names and colours.
    labels
        Scene, row, column, and the class's name.
    """

    classes: tuple[LandClass, ...] = ()
    labels: tuple[tuple[int, int, int, str], ...] = ()

    def describe(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        classes = [{"name": entry.name, "color": entry.color} for entry in self.classes]
        labels = [dict(zip((*_PLACE, "name"), label, strict=True)) for label in self.labels]
        return {"classes": classes, "labels": labels}


@dataclass
class _State:
    """What is known of a scene."""

    done: float = 0.0
    begun: bool = False
    problem: str | None = None
    superpixels: SceneSuperpixels | None = None
    classes: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class _Learned:
    """What the labels of all scenes at hand have taught; replaced as a whole, since many requests read it."""

    version: int = 0
    lesson: Lesson | None = None
    labelled: LabelledRegions | None = None
    names: tuple[str, ...] = ()


class _Seen(NamedTuple):
    """The superpixels of all scenes at hand, and the metric in which they are compared."""

    metric: Metric
    table: RegionTable


class Lessons:
    """Labels kept in the run, and a classifier that follows every click.

    A scene is cut into superpixels once, when the page asks for it; from then on a click is answered by looking up what
    the network saw in them.

    Parameters
    ----------
    run
        That is taught.
    scenes
        In the order of their numbers.
    """

    def __init__(self, run: Run, scenes: Sequence[Scene]) -> None:
        self._run = run
        self._scenes = scenes
        self._states = [_State() for _ in scenes]
        self._learned = _Learned()
        self._seen: _Seen | None = None
        self._strength = FIRST_STRENGTH
        self._changing = threading.RLock()
        self._thread = ThreadPoolExecutor(1, "lessons")
        self._closing = threading.Event()

    def close(self) -> None:
        """Stop what is being prepared."""
        self._closing.set()
        self._thread.shutdown(cancel_futures=True)

    def read(self) -> tuple[Clicked, str]:
        """The labels as the run keeps them, and what tells their file from another.

        Raises
        ------
        InputError
            If the file is not one of labels.
        """
        content = self.content()
        return self._clicked(content), hashlib.sha256(content).hexdigest()

    def content(self) -> bytes:
        """The file of labels as it is; nothing where there is none."""
        path = self._run.labels_file
        return read_bytes(path) if path.exists() else b""

    def write(self, content: Any, seen: str) -> str | None:
        """Keep other labels, and learn from them; None if the file has changed since `read` gave `seen`.

        Parameters
        ----------
        content
            {classes: [{name, color}], labels: [{scene, row, column, name}]}, as it came.
        seen
            The digest.

        Raises
        ------
        InputError
            If they are no labels; the file is as it was then.
        """
        clicked = self._checked(content)
        with self._changing:
            _, digest = self.read()
            if digest != seen:
                return None
            write_text(self._run.labels_file, self._as_text(clicked))
            self._learn(clicked)
            return self.read()[1]

    def prepare(self, number: int) -> None:
        """Cut a scene into superpixels, unless that is done or under way."""
        state = self._states[number]
        with self._changing:
            if state.begun:
                return
            state.begun, state.problem = True, None
        self._thread.submit(self._prepare, number)

    def describe(self, number: int) -> dict[str, Any]:
        """How far a scene is, and what has been learned, ready for JSON."""
        state, learned = self._states[number], self._learned
        lesson = learned.lesson
        counts = {} if lesson is None else dict(zip(learned.names, lesson.regions.tolist(), strict=True))
        return {
            "done": state.done,
            "ready": state.superpixels is not None,
            "problem": state.problem,
            "version": learned.version if state.classes is not None else 0,
            "superpixels": counts,
        }

    def expect(self) -> dict[str, Any]:
        """The accuracy to expect, by cross-validation, ready for JSON; its best strength is taken from now on."""
        labelled, seen = self._learned.labelled, self._seen
        if labelled is None or seen is None:
            return {"accuracy": None, "interval": None}
        lesson = learn(labelled, seen.metric, seen.table)
        self._strength = lesson.strength
        return {"accuracy": lesson.accuracy, "interval": lesson.interval}

    def suggest(self, number: int, count: int) -> list[dict[str, int]]:
        """Pixels of a scene to label next."""
        state, learned = self._states[number], self._learned
        if state.superpixels is None:
            return []
        table = state.superpixels.table
        metric = self._seen.metric if self._seen else Metric.of(table)
        lesson = learned.lesson
        known = (lesson.classifier, learned.names, learned.labelled.features) if lesson and learned.labelled else ()
        infos = [scene.info for scene in self._scenes]
        points = suggest_points(table, metric, infos, count, *known)
        scale = _scale(state.superpixels)
        return [{"row": int(point.row * scale[0]), "column": int(point.column * scale[1])} for point in points]

    def tile(self, number: int, level: int, row: int, column: int) -> bytes:
        """A tile of a scene's classes: indices of the page's classes; 65535 where there is none."""
        state = self._states[number]
        if state.superpixels is None or state.classes is None:
            raise RunError(self._scenes[number].path, "is not taught yet", "label a place of it first")
        return state.superpixels.tile(state.classes, level, row, column)

    def use(self) -> Legend:
        """Put what has been learned in force: the run's maps show it from now on.

        Raises
        ------
        RunError
            If nothing has been learned.
        """
        with self._changing:
            clicked, _ = self.read()
            lesson = self._learned.lesson
            if lesson is None or self._seen is None:
                raise RunError(self._run.path, "has no labels in a scene that is ready", "click some first")
            output = {index: (place,) for place, index in enumerate(lesson.classes)}
            classes = tuple(
                dataclasses.replace(entry, clusters=output.get(index, ()))
                for index, entry in enumerate(clicked.classes)
            )
            pixels = pixels_of_outputs(lesson.classifier, self._seen.table)
            name = self._run.save_taught(lesson.classifier, pixels)
            legend = Legend(classes, taught=name)
            self._run.save_legend(legend)
            return legend

    def _prepare(self, number: int) -> None:
        state, scene = self._states[number], self._scenes[number]

        def heard(done: float) -> None:
            state.done = done
            if self._closing.is_set():
                raise _StoppedError

        try:
            with quiet():
                state.superpixels = read_superpixels(self._run.predictor, scene.path, number, scene.info, heard)
            with self._changing:
                self._seen = None  # there is more to compare
                self._learn(self.read()[0])
        except _StoppedError:
            pass
        except TerrasiftError as error:
            state.problem, state.begun = str(error), False
        except Exception:
            _logger.exception("superpixels of %s", scene.path)
            state.problem, state.begun = "failed for a reason nobody thought of; the terminal says more", False

    def _learn(self, clicked: Clicked) -> None:
        ready = [state.superpixels for state in self._states if state.superpixels is not None]
        version, labelled = self._learned.version + 1, self._labelled(clicked)
        if not ready or labelled is None:
            self._learned = _Learned(version)
            for state in self._states:
                state.classes = None
            return
        if self._seen is None:
            table = join_tables([each.table for each in ready])
            self._seen = _Seen(Metric.of(table), table)
        lesson = learn(labelled, self._seen.metric, self._seen.table, (self._strength,))
        indices = np.array(lesson.classes)
        for state in self._states:
            if state.superpixels is not None:
                scores = lesson.classifier.scores(state.superpixels.table.features)
                state.classes = indices[scores.argmax(axis=1)]
        self._learned = _Learned(
            version, lesson, labelled, tuple(clicked.classes[index].name for index in lesson.classes)
        )

    def _labelled(self, clicked: Clicked) -> LabelledRegions | None:
        """The superpixels that were clicked, of the scenes that are ready."""
        names = [entry.name for entry in clicked.classes]
        votes: dict[tuple[int, int], NDArray[np.int64]] = {}
        for scene, row, column, name in clicked.labels:
            superpixels = self._states[scene].superpixels
            region = superpixels.at(row, column) if superpixels is not None else -1
            if region >= 0:
                votes.setdefault((scene, region), np.zeros(len(names), np.int64))[names.index(name)] += 1
        if not votes:
            return None
        classes, _ = decided(np.stack(list(votes.values())))
        kept = [(place, found) for place, found in zip(votes, classes.tolist(), strict=True) if found >= 0]
        if not kept:
            return None
        tables = {scene: self._table(scene) for scene, _ in votes}
        features = np.stack([tables[scene].features[region] for (scene, region), _ in kept])
        places = np.stack([tables[scene].places[region] for (scene, region), _ in kept])
        pixels = np.array([tables[scene].pixels[region] for (scene, region), _ in kept])
        return LabelledRegions(features, np.array([found for _, found in kept]), neighbours(places, pixels))

    def _table(self, scene: int) -> Any:
        superpixels = self._states[scene].superpixels
        assert superpixels is not None
        return superpixels.table

    def _checked(self, content: Any) -> Clicked:
        listed = content.get("classes") if isinstance(content, dict) else None
        labels = content.get("labels") if isinstance(content, dict) else None
        if not isinstance(listed, list) or not isinstance(labels, list):
            raise InputError("labels", "are not lists of classes and labels", "reload the page")
        if len(labels) > _MOST_LABELS:
            raise InputError("labels", f"are {len(labels)}", f"allowed are {_MOST_LABELS}")
        classes = Legend.from_content("labels", {"classes": listed}).classes if listed else ()
        names, found = {entry.name for entry in classes}, []
        for label in labels:
            place: list[Any] = [label.get(key) if isinstance(label, dict) else None for key in _PLACE]
            if not all(type(value) is int and value >= 0 for value in place) or label.get("name") not in names:
                raise InputError("labels", "hold one that is no pixel of a class", "reload the page")
            scene, row, column = place
            if scene >= len(self._scenes) or not _inside(self._scenes[scene], row, column):
                raise InputError("labels", f"hold one outside the scenes: {place}", "reload the page")
            found.append((scene, row, column, label["name"]))
        return Clicked(tuple(classes), tuple(found))

    def _clicked(self, content: bytes) -> Clicked:
        if not content:
            return Clicked()
        classes, labels = read_labels_of_run(self._run.labels_file, content, [scene.info for scene in self._scenes])
        return Clicked(classes, tuple(labels))

    def _as_text(self, clicked: Clicked) -> str:
        """GeoJSON with the classes beside; labels of scenes that the page does not show stay as they are."""
        points = [MapPoint(self._scenes[scene].info, row, column, name) for scene, row, column, name in clicked.labels]
        collection = points_as_geojson(points)
        path, shown = self._run.labels_file, {scene.name for scene in self._scenes}
        before = read_json(path)["features"] if path.exists() else []
        collection["features"] += [entry for entry in before if (entry["properties"] or {}).get("scene") not in shown]
        classes = [{"name": entry.name, "color": entry.color} for entry in clicked.classes]
        return json.dumps(collection | {"classes": classes}, indent=1, ensure_ascii=False) + "\n"


_PLACE = ("scene", "row", "column")


class _StoppedError(Exception):
    pass


def _inside(scene: Scene, row: int, column: int) -> bool:
    return row < scene.info.height and column < scene.info.width


def _scale(superpixels: SceneSuperpixels) -> tuple[float, float]:
    height, width = superpixels.regions.shape
    return superpixels.shape[0] / height, superpixels.shape[1] / width
