"""Class maps, written window by window on a scene's own grid."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.files import empty, locked, saying
from terrasift.legend import Legend
from terrasift.raster.gdal_errors import gdal_errors
from terrasift.raster.info import RasterInfo, Window
from terrasift.raster.map_file import MapFile, check_map_path, sidecar_of
from terrasift.raster.window_log import WindowLog

__all__ = ["CONFIDENCE_NODATA", "ClassMapWriter", "OtherJobError", "confidence_path", "is_half_there", "remove_windows"]

CONFIDENCE_NODATA = 255
"""What a confidence map stores where the class map has no class; else it stores per cent."""


class OtherJobError(InputError):
    """What another job has left of a map cannot be resumed."""


class ClassMapWriter:
    """Writes a class map window by window on a scene's own grid; the file appears when it is whole.

    A GeoTIFF is a Cloud Optimized one, with overviews by majority, and carries the scene's CRS and transform, a colour
    table, class names and the nodata value; a PNG (`.png`) carries what PNG can. Windows are kept in a hidden folder
    beside the file until all are there; one that overlaps an earlier one replaces it there.

    Parameters
    ----------
    path
        ``.tif``, ``.tiff`` or ``.png``.
    like
        The scene whose grid it takes.
    legend
        Names and colours of the classes.
    job
        Names what makes this map, in one line without spaces. A named job that is killed, interrupted or fails keeps
        its windows, unless the scene itself is damaged; without a name, nothing is left but what a kill leaves.
    resume
        Go on with the windows that the same job has left, if it has left any.
    confidence
        Write a second raster beside the map (`confidence_path`): uint8, per cent, `CONFIDENCE_NODATA` where the map has
        no class.
    min_pixels
        Regions of fewer pixels go to the largest region beside them (`sieve`); the whole map is held in memory then.

    Attributes
    ----------
    done
        Windows that the job had written before.
    holds_data
        Whether any pixel of those has a class.

    Raises
    ------
    InputError
        If the file cannot be written, is being written by another process, or cannot hold so many classes.
    OtherJobError
        If another job has left windows to resume.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        like: RasterInfo,
        legend: Legend,
        job: str = "",
        *,
        resume: bool = False,
        confidence: bool = False,
        min_pixels: int = 0,
    ) -> None:
        self.path = Path(path)
        if check_map_path(self.path) == "PNG" and legend.dtype != np.uint8:
            raise InputError(path, f"cannot hold {len(legend.classes)} classes in colour", "end the name in .tif")
        self._legend = legend
        self._job = job
        self._scene = like.path
        self._folder = _folder_of(self.path)
        self._files = [MapFile(self.path, like, legend.dtype, legend.nodata, "class", legend, min_pixels)]
        if confidence:
            beside = confidence_path(self.path)
            self._files.append(MapFile(beside, like, np.dtype(np.uint8), CONFIDENCE_NODATA, "confidence, per cent"))
        with gdal_errors(self.path, "cannot be written", "choose another folder"), contextlib.ExitStack() as claim:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                claim.enter_context(locked(self._folder))
            except BlockingIOError as error:
                raise InputError(path, "is being written by another process", "wait for it, or name another") from error
            log = self._folder / "windows"
            begun = WindowLog.job_of(log) if resume else ""
            if begun and begun != job:
                raise OtherJobError(
                    path, "was begun with another run, scene or setting", "leave out `resume=True` to begin it anew"
                )
            if not begun:
                empty(self._folder)
            self._log = WindowLog(log, job, [file.dtype for file in self._files])
            earlier = [(window, bool((labels != legend.nodata).any())) for window, (labels, *_) in self._log.windows()]
            self._claim = claim.pop_all()
        self.done = frozenset(window for window, _ in earlier)
        self.holds_data = any(holds for _, holds in earlier)

    def write(self, labels: NDArray[Any], window: Window, confidence: NDArray[np.floating[Any]] | None = None) -> None:
        """Write a window; a thread other than the one that made the writer may.

        Parameters
        ----------
        labels
            (H, W): class indices, and the legend's nodata value.
        window
            Where.
        confidence
            (H, W), in [0, 1]; to be given if, and only if, the writer was made with `confidence`.
        """
        layers = [labels]
        if confidence is not None:
            layers.append(np.where(labels == self._legend.nodata, CONFIDENCE_NODATA, np.rint(100 * confidence)))
        with saying(self.path, mend="check the disk"):
            self._log.append(layers, window)

    def __enter__(self) -> ClassMapWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        finished = False
        try:
            if kind is None:
                with gdal_errors(self.path, "cannot be written", "check the disk"):
                    self._finish()
                finished = True
        finally:
            nothing = not any(True for _ in self._log.windows())
            self._log.close()
            with self._claim, contextlib.suppress(OSError):
                if finished or nothing or not self._job or self._is_hopeless(error):
                    empty(self._folder)

    def _is_hopeless(self, error: BaseException | None) -> bool:
        """Whether resuming would end the same way: something is wrong with the scene itself, and it is at hand."""
        return isinstance(error, InputError) and error.where == self._scene and Path(self._scene).exists()

    def _finish(self) -> None:
        for layer, file in enumerate(self._files):
            file.fill(self._folder, self._layer(layer), self._job)
        for file in reversed(self._files):  # the class map last: once it is there, all are
            file.publish(self._folder)

    def _layer(self, index: int) -> Iterator[tuple[Window, NDArray[Any]]]:
        return ((window, layers[index]) for window, layers in self._log.windows())


def remove_windows(path: str | os.PathLike[str]) -> None:
    """Remove the windows of a class map that is there, as a process leaves them that is killed at the very end."""
    folder = _folder_of(Path(path))
    if folder.exists():
        with contextlib.suppress(OSError), locked(folder):  # another process may be at work on a new one
            empty(folder)


def is_half_there(path: str | os.PathLike[str]) -> bool:
    """Whether a process was killed as it put a class map in its place: it is there, but not what says whose it is."""
    path = Path(path)
    return sidecar_of(_folder_of(path) / path.name).exists() and not (_folder_of(path) / path.name).exists()


def _folder_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def confidence_path(path: str | os.PathLike[str]) -> Path:
    """Where the confidence of a class map lies: ``map.confidence.tif`` beside ``map.tif``."""
    path = Path(path)
    return path.with_name(f"{path.stem}.confidence{path.suffix}")
