"""Class maps made from cluster maps, one after the other, while the page goes on."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terrasift.data.patches import windows_of
from terrasift.errors import TerrasiftError
from terrasift.legend import Legend
from terrasift.prediction import ClusterWindow, Wanted, predict_scene
from terrasift.progress import Stage, listening
from terrasift.raster import Raster, write_qgis_style
from terrasift.viewer.scenes import Scene

__all__ = ["Export", "Exports", "export_map"]

_logger = logging.getLogger(__name__)


@dataclass
class Export:
    """How far the export of a class map is."""

    path: Path
    done: float = 0.0
    finished: bool = False
    problem: str | None = None

    def describe(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {"done": self.done, "finished": self.finished, "path": str(self.path), "problem": self.problem}


class Exports:
    """Exports in the order in which they were asked for; a failed one leaves no file.

    Parameters
    ----------
    clusters
        K.
    """

    def __init__(self, clusters: int) -> None:
        self._clusters = clusters
        self._exports: list[Export] = []
        self._thread = ThreadPoolExecutor(1, "export")
        self._closing = threading.Event()

    def start(self, scene: Scene, legend: Legend, path: Path) -> int:
        """Write the class map of a scene when those before it are done; the number to ask `get` for."""
        export = Export(path)
        self._exports.append(export)
        number = len(self._exports) - 1
        self._thread.submit(self._run, export, scene, legend)
        return number

    def get(self, number: int) -> Export | None:
        """How far an export is; None if there is none of this number."""
        return self._exports[number] if 0 <= number < len(self._exports) else None

    def close(self) -> None:
        """Stop; an export that is not done is given up."""
        self._closing.set()
        self._thread.shutdown(cancel_futures=True)

    def _run(self, export: Export, scene: Scene, legend: Legend) -> None:
        try:
            with listening(functools.partial(self._listen, export)):
                export_map(scene, legend, self._clusters, export.path)
            export.done = 1.0
        except (TerrasiftError, OSError) as error:
            export.problem = str(error)
        except KeyboardInterrupt:
            export.problem = "given up: the server has stopped"
        except Exception:
            _logger.exception("export of %s", scene.path)
            export.problem = "failed for a reason nobody thought of; the terminal says more"
        export.finished = True

    def _listen(self, export: Export, stage: Stage) -> None:
        if self._closing.is_set():
            raise KeyboardInterrupt
        export.done = _SHARE_OF_WINDOWS * stage.done / stage.total


_SHARE_OF_WINDOWS = 0.25  # then GDAL makes the file and its overviews, which takes three times as long


def export_map(scene: Scene, legend: Legend, clusters: int, path: Path) -> None:
    """Write a scene's class map and its QGIS style, both or neither, by looking its clusters up in a legend.

    Parameters
    ----------
    scene
        With its cluster map.
    legend
        Classes, and the clusters they hold.
    clusters
        K.
    path
        ``.tif`` or ``.png``.

    Raises
    ------
    InputError
        If a file cannot be read or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with Raster(scene.path) as raster:
        predict_scene(_KeptClusters(scene, clusters), legend, raster, path)
    try:
        write_qgis_style(path, legend)
    except BaseException:
        for file in (path, Path(f"{path}.aux.xml")):
            file.unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class _KeptClusters:
    """The clusters that a scene's map holds, those of one classifier: whichever the legend is of."""

    scene: Scene
    clusters: int

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """They are not looked for again."""
        with Raster(self.scene.clusters) as kept:
            for window in windows_of(kept.info.height, kept.info.width, _SIDE):
                labels, valid = kept.read_indices(window)
                yield ClusterWindow(window, (np.where(valid, labels, 0).astype(np.int64),), valid)


_SIDE = 1024
