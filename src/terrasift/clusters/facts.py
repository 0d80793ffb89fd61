"""Facts about a network's clusters, gathered in a bounded sample of windows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.clusters.moments import Moments
from terrasift.clusters.sampling import draw_windows
from terrasift.data.patches import Patch
from terrasift.data.scenes import describe_scenes
from terrasift.errors import SettingError
from terrasift.network import Network
from terrasift.prediction import Predictor
from terrasift.prediction.windows import window_views
from terrasift.raster import Bands, Raster, RasterInfo, Window

__all__ = ["ClusterFacts", "Crop", "gather_facts"]

_CROPS = 4
_CROP_SIDE = 64  # about, pixels


@dataclass(frozen=True)
class Crop:
    """A small window in which a cluster is dense."""

    scene: str
    window: Window
    share: float
    """Of the window's valid pixels, those in the cluster."""


@dataclass(frozen=True)
class ClusterFacts:
    """What the clusters of one classifier are like: K clusters, B bands, F features.

    Attributes
    ----------
    pixels
        (K,), int64: valid pixels of each cluster in the sample.
    means, deviations
        (K, B), float64: mean and standard deviation of the band values, in the scenes' units. The means are the
        clusters' spectra. NaN where a cluster has no pixel.
    prototypes
        (K, F), float64: mean of the extractor's features. NaN where a cluster has no pixel.
    adjacency
        (K, K), int64, symmetric: pairs of neighbouring pixels (above, below, left, right) that lie in two clusters. The
        diagonal is zero.
    crops
        For each cluster up to four windows of about 64 px, those it fills most, best first.
    bands
        Names of the B bands: the scenes' own descriptions, or ``band 1``, ``band 2``...
    """

    pixels: NDArray[np.int64]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]
    prototypes: NDArray[np.float64]
    adjacency: NDArray[np.int64]
    crops: tuple[tuple[Crop, ...], ...]
    bands: tuple[str, ...]


def gather_facts(
    predictor: Predictor,
    scenes: Sequence[str],
    classifier: int = 1,
    *,
    most_windows: int = 256,
    seed: int = 0,
    track: Callable[[Iterable[Patch], int], Iterable[Patch]] = lambda patches, _: patches,
) -> ClusterFacts:
    """Find out what the clusters of one classifier are like.

    Time and memory do not grow with the scenes: windows of the recipe's patch size are drawn evenly over all of them,
    and those without data passed over. Where scenes are large and many, some of them are drawn. What a window shows is
    what the scene's map would: it is seen with its margin.

    Parameters
    ----------
    predictor
        The trained network.
    scenes
        Paths of images that it can read.
    classifier
        Whose clusters: 1 or 2.
    most_windows
        That are looked at.
    seed
        Of the drawing.
    track
        Wraps the windows, for a progress bar: (windows, how many).

    Raises
    ------
    SettingError
        If the network has no such classifier.
    InputError
        If a scene does not fit the network, or if no valid pixel is found.
    """
    recipe = predictor.reader.recipe
    if not 1 <= classifier <= recipe.classifiers:
        raise SettingError("classifier", f"is {classifier}", f"allowed is from 1 to {recipe.classifiers}")
    infos = describe_scenes(scenes, recipe.resolution)
    for info in infos:
        predictor.check(info)
    patches = draw_windows(infos, recipe.patch, recipe.bands, most_windows, seed)
    sums = _Sums(recipe.clusters)
    for patch, view in _views(predictor, track(patches, len(patches)), classifier):
        sums.add(patch, view)
    return sums.facts(_band_names(infos[0], recipe.bands))


class _View(NamedTuple):
    """A window as the network sees it, without the margin."""

    values: NDArray[Any]
    """(H, W, B), in the scene's units."""
    valid: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    features: NDArray[np.float32]
    """(H, W, F)."""


def _views(predictor: Predictor, patches: Iterable[Patch], classifier: int) -> Iterator[tuple[Patch, _View]]:
    for scene, group in itertools.groupby(patches, lambda patch: patch.scene):
        with Raster(scene, predictor.reader.recipe.resolution) as raster:
            network = predictor.network_of(raster)
            for patch in group:
                yield patch, _look(predictor, network, raster, patch.window, classifier)


def _look(predictor: Predictor, network: Network, raster: Raster, window: Window, classifier: int) -> _View:
    info = raster.info
    read = window_views(window, info.height, info.width, predictor.margin, network.alignment).read
    values, valid = raster.read(read, predictor.reader.recipe.bands)
    with torch.inference_mode():
        features = network.extractor(predictor.reader.tensor(values, valid))
        clusters = network.classifiers[classifier - 1](features).argmax(dim=1)
    row, column = window.row - read.row, window.column - read.column
    core = np.s_[row : row + window.height, column : column + window.width]
    found, seen = clusters[0].cpu().numpy(), features[0].movedim(0, 2).cpu().numpy()
    return _View(values[core], valid[core], found[core], seen[core])


class _Sums:
    """What has been seen so far, summed over the pixels of each cluster."""

    def __init__(self, clusters: int) -> None:
        self._pixels = np.zeros(clusters, np.int64)
        self._values = Moments()
        self._features = Moments()
        self._adjacency = np.zeros((clusters, clusters), np.int64)
        self._crops: list[list[tuple[float, Crop]]] = [[] for _ in range(clusters)]

    def add(self, patch: Patch, view: _View) -> None:
        found = view.clusters[view.valid]
        self._pixels += np.bincount(found, minlength=len(self._pixels))
        self._values.add(found, view.values[view.valid], len(self._pixels))
        self._features.add(found, view.features[view.valid], len(self._pixels))
        for here, there in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
            both = view.valid[here] & view.valid[there] & (view.clusters[here] != view.clusters[there])
            np.add.at(self._adjacency, (view.clusters[here][both], view.clusters[there][both]), 1)
        for rows, columns in itertools.product(*(_blocks(side) for side in view.valid.shape)):
            self._add_crops(patch, view, rows, columns)

    def _add_crops(self, patch: Patch, view: _View, rows: slice, columns: slice) -> None:
        valid = view.valid[rows, columns]
        window = Window(patch.window.row + rows.start, patch.window.column + columns.start, *valid.shape)
        counts = np.bincount(view.clusters[rows, columns][valid])
        for cluster in np.flatnonzero(counts).tolist():
            # Ranked over all its pixels: a few at the edge of the data are easily filled.
            ranked = self._crops[cluster]
            count = int(counts[cluster])
            ranked.append((count / valid.size, Crop(patch.scene, window, count / int(valid.sum()))))
            ranked.sort(key=lambda entry: -entry[0])
            del ranked[_CROPS:]

    def facts(self, bands: tuple[str, ...]) -> ClusterFacts:
        means, deviations = self._values.statistics(self._pixels)
        return ClusterFacts(
            pixels=self._pixels,
            means=means,
            deviations=deviations,
            prototypes=self._features.statistics(self._pixels)[0],
            adjacency=self._adjacency + self._adjacency.T,
            crops=tuple(tuple(crop for _, crop in ranked) for ranked in self._crops),
            bands=bands,
        )


def _blocks(length: int) -> list[slice]:
    """Parts of about the size of a crop."""
    count = max(1, round(length / _CROP_SIDE))
    edges = [length * index // count for index in range(count + 1)]
    return [slice(*pair) for pair in itertools.pairwise(edges)]


def _band_names(info: RasterInfo, bands: Bands | None) -> tuple[str, ...]:
    numbers = info.band_numbers(bands)
    return tuple(info.descriptions[number - 1] or f"band {number}" for number in numbers)
