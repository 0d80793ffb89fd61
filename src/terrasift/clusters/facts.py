"""Facts about a network's clusters, gathered in a bounded sample of windows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.regions import borders
from terrasift.clusters.moments import Moments
from terrasift.clusters.scenes import draw_shown_scenes
from terrasift.data.patches import Patch
from terrasift.data.sampling import draw_windows
from terrasift.data.scenes import describe_scenes
from terrasift.errors import SettingError
from terrasift.prediction import Look, Predictor
from terrasift.prediction.context import MOST_WINDOWS
from terrasift.progress import track
from terrasift.raster import Bands, Raster, RasterInfo, Window

__all__ = ["ClusterFacts", "Crop", "gather_facts", "sample_facts"]

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
    embedding
        (K, E), float64: where discovery found the clusters, in an embedding in which superpixels are near that show the
        same; NaN for clusters that it did not find. None where the network found its clusters by itself.
    """

    pixels: NDArray[np.int64]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]
    prototypes: NDArray[np.float64]
    adjacency: NDArray[np.int64]
    crops: tuple[tuple[Crop, ...], ...]
    bands: tuple[str, ...]
    embedding: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        there = f"{(self.pixels > 0).sum()} of {len(self.pixels)} clusters"
        return f"ClusterFacts({there} in {self.pixels.sum():,} pixels of {len(self.bands)} bands)"


def gather_facts(
    predictor: Predictor,
    scenes: Sequence[str],
    classifier: int = 1,
    *,
    most_windows: int = 256,
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
    patches = draw_windows(infos, recipe.patch, recipe.bands, most_windows, seed=0, in_context=MOST_WINDOWS)
    sums = _Sums(recipe.clusters)
    for patch, look in _looks(predictor, track(patches, len(patches), "clusters")):
        sums.add(patch, look, look.clusters(classifier))
    return sums.facts(_band_names(infos[0], recipe.bands))


def sample_facts(predictor: Predictor, scenes: Sequence[str], classifier: int = 1) -> ClusterFacts:
    """`gather_facts` within half a minute on two cores: in up to 96 windows, of a few scenes where these are large."""
    recipe = predictor.reader.recipe
    return gather_facts(
        predictor,
        sorted(draw_shown_scenes(scenes, recipe, _FEW_WINDOWS, _FEW_IN_CONTEXTS)),
        classifier,
        most_windows=min(_FEW_WINDOWS, max(1, _FEW_PIXELS // recipe.patch**2)),
    )


_FEW_WINDOWS = 96
_FEW_PIXELS = 3_000_000  # of them together, with the study's network
_FEW_IN_CONTEXTS = 256


def _looks(predictor: Predictor, patches: Iterable[Patch]) -> Iterator[tuple[Patch, Look]]:
    for scene, group in itertools.groupby(patches, lambda patch: patch.scene):
        with Raster(scene, predictor.reader.recipe.resolution) as raster:
            for patch in group:
                yield patch, predictor.look(raster, patch.window)


class _Sums:
    """What has been seen so far, summed over the pixels of each cluster."""

    def __init__(self, clusters: int) -> None:
        self._pixels = np.zeros(clusters, np.int64)
        self._values = Moments()
        self._features = Moments()
        self._adjacency = np.zeros((clusters, clusters), np.int64)
        self._crops: list[list[tuple[float, Crop]]] = [[] for _ in range(clusters)]

    def add(self, patch: Patch, look: Look, clusters: NDArray[np.int64]) -> None:
        valid, found = look.valid, clusters[look.valid]
        self._pixels += np.bincount(found, minlength=len(self._pixels))
        self._values.add(found, look.values[valid], len(self._pixels))
        self._features.add(found, look.features[valid], len(self._pixels))
        np.add.at(self._adjacency, tuple(borders(clusters, valid).T), 1)
        height, width = valid.shape
        for part in itertools.product(_blocks(height), _blocks(width)):
            self._add_crops(patch, part, valid[part], clusters[part])

    def _add_crops(
        self, patch: Patch, part: tuple[slice, slice], valid: NDArray[np.bool_], clusters: NDArray[np.int64]
    ) -> None:
        rows, columns = part
        window = Window(patch.window.row + rows.start, patch.window.column + columns.start, *valid.shape)
        counts = np.bincount(clusters[valid])
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
