"""Class maps that are computed when they are asked for, window by window, by whatever computes the image itself."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.legend import Legend
from terrasift.network import Network
from terrasift.prediction.deciding import decide
from terrasift.prediction.options import Wanted
from terrasift.prediction.own_grid import on_own_grid
from terrasift.prediction.predictor import Predictor
from terrasift.prediction.tensors import TensorReader
from terrasift.prediction.windows import ClusterWindow, Views
from terrasift.raster import ImageArray, Raster, ResampledGrid, Window

__all__ = ["lazy_labels"]


def lazy_labels(predictor: Predictor, legend: Legend, image: ImageArray, blocks: Any) -> Any:
    """The class map of an image as an array of Dask.

    Its windows are those of the map of a file, each a task that depends on the chunks of the image that it sees, so
    that the two are the same, pixel for pixel. Read at once is a sample of windows for the scene's context, if the
    network has one.

    Parameters
    ----------
    predictor
        The trained network.
    legend
        Of its clusters.
    image
        The image.
    blocks
        Its values, (H, W, bands), of Dask.

    Returns
    -------
    dask.array.Array
        (H, W), in the legend's dtype: class indices, and its nodata.

    Raises
    ------
    InputError, SettingError
        As by `Predictor.segment`.
    """
    from dask import array
    from dask.delayed import delayed

    recipe = predictor.reader.recipe
    with Raster(image) as own, own.at(recipe.resolution) as seen:
        batches = predictor.batches(seen.info)
        network = predictor.ready(predictor.network_of(seen, legend.classifier))
        bands, grid = [number - 1 for number in own.info.band_numbers(recipe.bands)], seen.resampled
    bare = replace(image, values=_Part(image.shape, image.values.dtype, bands))
    task = _Task(bare, predictor.reader, network, legend.table(predictor.clusters), legend.nodata)
    job = delayed(task, name=f"terrasift-{uuid.uuid4().hex}", traverse=False)
    rows: list[list[Any]] = []
    for batch in batches:
        around = _around([_sources(view.read, grid) for view in batch])
        work = delayed(partial(_labels, around=around, batch=batch), nout=len(batch), pure=False)
        for view, labels in zip(batch, work(job, blocks[(*around.slices, bands)]), strict=True):
            if view.write.column == 0:
                rows.append([])
            own_window = _own(view.write, grid)
            rows[-1].append(array.from_delayed(labels, (own_window.height, own_window.width), legend.dtype))
    return array.block(rows)


@dataclass(frozen=True)
class _Part:
    """What is known of an image's values: some bands of a window of them."""

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    bands: list[int]
    window: Window | None = None
    block: NDArray[Any] | None = None

    ndim = 3

    def __getitem__(self, place: tuple[slice, slice, Sequence[int]]) -> NDArray[Any]:
        rows, columns, bands = place
        assert self.window is not None
        assert self.block is not None
        wanted = Window(rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start)
        return self.block[(*wanted.inside(self.window).slices, [self.bands.index(band) for band in bands])]


@dataclass(frozen=True)
class _Task:
    """What the labels of all windows are made with."""

    image: ImageArray
    reader: TensorReader
    network: Network
    table: NDArray[np.int64]
    nodata: int


def _labels(task: _Task, block: NDArray[Any], around: Window, batch: Sequence[Views]) -> list[NDArray[Any]]:
    """The class map of each window of a batch, of the values of a window around all that they see."""
    image = replace(task.image, values=replace(task.image.values, window=around, block=block))

    def segment(seen: Raster, wanted: Wanted) -> list[ClusterWindow]:
        return decide(task.network, task.reader.batch(seen, batch))

    with Raster(image) as raster, raster.at(task.reader.recipe.resolution) as seen:
        grid = seen.resampled
        windows = [_own(view.write, grid) for view in batch]
        whole = _around(windows)
        labels = np.full((whole.height, whole.width), task.nodata, np.min_scalar_type(task.nodata))
        for part in on_own_grid(segment, task.reader.recipe, raster, Wanted()):
            (clusters,) = part.clusters
            labels[part.window.inside(whole).slices] = np.where(part.valid, task.table[clusters], task.nodata)
    return [labels[window.inside(whole).slices] for window in windows]


def _own(window: Window, grid: ResampledGrid | None) -> Window:
    return window if grid is None else grid.own_window(window)


def _sources(window: Window, grid: ResampledGrid | None) -> Window:
    """The raster's pixels that decide a window of the grid that the network sees."""
    return window if grid is None else _around([grid.sources(window), grid.own_window(window)])


def _around(windows: Sequence[Window]) -> Window:
    top, left = min(window.row for window in windows), min(window.column for window in windows)
    bottom = max(window.row + window.height for window in windows)
    right = max(window.column + window.width for window in windows)
    return Window(top, left, bottom - top, right - left)
