"""Label maps to compare: rasters, MATLAB files of the Berkeley benchmark, and which of them belong together."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from terrasift.data.scenes import RASTER_SUFFIXES
from terrasift.errors import InputError
from terrasift.legend import IGNORE, Legend
from terrasift.raster import Grid, Raster, Window, check_same_grid, labels_of

__all__ = ["LabelMap", "LabelPair", "Match", "match_label_maps", "open_pairs"]

ReadLabels: TypeAlias = Callable[[int, int], tuple[NDArray[np.integer[Any]], NDArray[np.bool_]]]


class Match(NamedTuple):
    """The file of a prediction and those of its truths."""

    predicted: str
    truths: tuple[str, ...]


@dataclass(frozen=True)
class LabelMap:
    """One label map of a file.

    Parameters
    ----------
    name
        The file, with the number of the map where the file holds several.
    grid
        Where its pixels lie.
    read
        ``read(start, stop)`` gives rows start..stop-1: labels of any integer dtype, and which pixels are valid.
    """

    name: str
    grid: Grid
    read: ReadLabels

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.grid.height, self.grid.width


@dataclass(frozen=True)
class LabelPair:
    """A label map and one truth of it, open for reading.

    Parameters
    ----------
    predicted, truth
        On one grid.
    ignore
        A label that counts nowhere.
    """

    predicted: LabelMap
    truth: LabelMap
    ignore: int | None

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.truth.shape

    def read(self, start: int, stop: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
        """Rows start..stop-1 of both maps, and where pixels count nowhere: nodata or ignored in either."""
        predicted, predicted_valid = self.predicted.read(start, stop)
        truth, truth_valid = self.truth.read(start, stop)
        left_out = ~(predicted_valid & truth_valid)
        if self.ignore is not None:
            left_out |= (predicted == self.ignore) | (truth == self.ignore)
        return predicted, truth, left_out


def match_label_maps(predicted: str | os.PathLike[str], truths: Sequence[str | os.PathLike[str]]) -> list[Match]:
    """Predictions with their truths: files as they are named, those of folders by their names without suffix.

    Raises
    ------
    InputError
        If a prediction of a folder has no truth, or the other way round, or if one folder holds two of a name.
    """
    if not Path(predicted).is_dir():
        stem = Path(predicted).stem
        return [Match(str(predicted), tuple(_truth_of(stem, str(predicted), str(truth)) for truth in truths))]
    predictions, folders = _files(predicted), [_files(truth) for truth in truths]
    for truth, files in zip(truths, folders, strict=True):
        for stem in sorted(predictions.keys() ^ files.keys()):
            alone, other = (predictions[stem], truth) if stem in predictions else (files[stem], predicted)
            raise InputError(alone, f"has no partner in {other}", "put one of that name there, or take this one away")
    return [Match(path, tuple(files[stem] for files in folders)) for stem, path in predictions.items()]


@contextmanager
def open_pairs(
    match: Match, ignore: int | None = None, legend: Legend | None = None
) -> Iterator[list[list[LabelPair]]]:
    """For each label map of a prediction's file, its pairs with all label maps of the truths' files.

    With a legend rasters are read as masks are, by its colours where they have colours; without, labels are numbers,
    a palette's too.

    Raises
    ------
    InputError
        If a file holds no label map, more than one band or no whole numbers, or if two are on different grids.
    """
    with ExitStack() as stack:
        predictions = stack.enter_context(_opened(match.predicted, legend))
        truths = [truth for path in match.truths for truth in stack.enter_context(_opened(path, legend))]
        for predicted in predictions:
            for truth in truths:
                check_same_grid(truth.name, truth.grid, predicted.name, predicted.grid)
        yield [[LabelPair(predicted, truth, ignore) for truth in truths] for predicted in predictions]


def _truth_of(stem: str, predicted: str, truth: str) -> str:
    if not Path(truth).is_dir():
        return truth
    files = _files(truth)
    if stem not in files:
        raise InputError(predicted, f"has no partner in {truth}", f"put one there named {stem}.png, .tif or .mat")
    return files[stem]


def _files(folder: str | os.PathLike[str]) -> dict[str, str]:
    """The label maps of a folder by their names without suffix."""
    if not Path(folder).is_dir():
        raise InputError(folder, "is not a folder, but PREDICTED is one", "name a folder with files of the same names")
    files: dict[str, str] = {}
    for path in sorted(Path(folder).iterdir()):
        if path.suffix.lower() not in RASTER_SUFFIXES | {".mat"} or path.name.startswith("."):
            continue
        if path.stem in files:
            raise InputError(path, f"has the name of {files[path.stem]}", "keep one")
        files[path.stem] = str(path)
    if not files:
        raise InputError(folder, "is a folder without label maps", "rasters and .mat files are looked for")
    return files


@contextmanager
def _opened(path: str, legend: Legend | None) -> Iterator[list[LabelMap]]:
    """All label maps of a file: a raster is one, a MATLAB file holds one or several."""
    if Path(path).suffix.lower() == ".mat":
        yield _matlab(path)
        return
    with Raster(path) as raster:
        info = raster.info
        if legend is not None:
            yield [LabelMap(path, info.grid, _mask_reader(raster, legend))]
            return
        if info.bands > 1 and not raster.has_palette:
            raise InputError(path, f"has {info.bands} bands", "a label raster has one band, of whole numbers")
        _check_whole_numbers(path, np.dtype(info.dtype))

        def read(start: int, stop: int) -> tuple[NDArray[np.integer[Any]], NDArray[np.bool_]]:
            return raster.read_indices(Window(start, 0, stop - start, info.width))

        yield [LabelMap(path, info.grid, read)]


def _mask_reader(raster: Raster, legend: Legend) -> ReadLabels:
    def read(start: int, stop: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        labels = labels_of(raster, legend, Window(start, 0, stop - start, raster.info.width))
        return labels, labels != IGNORE

    return read


def _matlab(path: str) -> list[LabelMap]:
    maps = _matlab_arrays(path)
    if not maps:
        raise InputError(path, "holds no label map", "its groundTruth or segs is empty")
    for labels in maps:
        if labels.ndim != 2:
            raise InputError(path, f"holds an array of shape {labels.shape}", "a label map is H x W")
        _check_whole_numbers(path, labels.dtype)
    names = [f"{path} #{number}" for number in range(1, len(maps) + 1)] if len(maps) > 1 else [path]
    return [LabelMap(name, Grid(*labels.shape), _reader(labels)) for name, labels in zip(names, maps, strict=True)]


def _matlab_arrays(path: str) -> list[NDArray[Any]]:
    """``groundTruth{i}.Segmentation``, one of each annotator, or ``segs{j}``."""
    try:
        content = loadmat(path)
        if "groundTruth" in content:
            return [np.asarray(cell["Segmentation"][0, 0]) for cell in content["groundTruth"].ravel()]
        if "segs" in content:
            return [np.asarray(cell) for cell in content["segs"].ravel()]
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "check the path") from error
    except (MatReadError, NotImplementedError, zlib.error, IndexError, OSError, TypeError, ValueError) as error:
        raise InputError(
            path, f"is no file of the Berkeley benchmark ({error})", "save label maps as rasters"
        ) from error
    found = ", ".join(name for name in content if not name.startswith("__")) or "nothing"
    raise InputError(path, f"holds {found}", "label maps are in groundTruth or segs, as in the Berkeley benchmark")


def _reader(labels: NDArray[Any]) -> ReadLabels:
    return lambda start, stop: (labels[start:stop], np.ones((stop - start, labels.shape[1]), np.bool_))


def _check_whole_numbers(path: str, dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "iu":
        raise InputError(path, f"holds {dtype}", "labels are whole numbers: save them as integers")
