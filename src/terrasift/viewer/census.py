"""What clusters a map holds: how much of each, where it is densest, and what it looks like there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.raster import TILE, Raster, Window, level_shape
from terrasift.viewer.pictures import png
from terrasift.viewer.readers import OpenRasters, Readers
from terrasift.viewer.scenes import Scene
from terrasift.viewer.tiles import shown

__all__ = ["CROP", "Census", "Censuses", "census", "thumbnail"]

CROP = 64
"""Rows and columns of a cluster's thumbnail."""


@dataclass(frozen=True)
class Census:
    """The clusters of a scene's map.

    Attributes
    ----------
    counts
        (K,), int64: pixels of each.
    densest
        (K, 2), int64: row and column of the upper left corner of the square of `CROP` pixels, in a grid of such, that
        holds most of it.
    colors
        (K, 3), uint8: mean colour of the image as it is shown.
    """

    counts: NDArray[np.int64]
    densest: NDArray[np.int64]
    colors: NDArray[np.uint8]

    def describe(self, scene: int) -> list[dict[str, Any]]:
        """Clusters that are there, the largest first, ready for JSON."""
        present = np.argsort(-self.counts, kind="stable")[: np.count_nonzero(self.counts)]
        total = int(self.counts.sum())
        return [
            {
                "cluster": cluster,
                "share": int(self.counts[cluster]) / total,
                "color": "#{:02X}{:02X}{:02X}".format(*self.colors[cluster].tolist()),
                "thumbnail": f"/api/scenes/{scene}/clusters/{cluster}.png",
            }
            for cluster in present.tolist()
        ]


class Censuses:
    """The census of each scene, taken once, when it is first asked for.

    Parameters
    ----------
    readers
        To take it in.
    scenes
        In the order of their numbers.
    clusters
        K.
    """

    def __init__(self, readers: Readers, scenes: Sequence[Scene], clusters: int) -> None:
        self._readers = readers
        self._scenes = scenes
        self._clusters = clusters
        self._taken: dict[int, Census] = {}
        self._locks = [asyncio.Lock() for _ in scenes]

    async def of(self, number: int) -> Census:
        """The census of a scene; InputError if it cannot be read."""
        async with self._locks[number]:
            if number not in self._taken:
                self._taken[number] = await self._readers.run(census, self._scenes[number], self._clusters)
            return self._taken[number]


def census(rasters: OpenRasters, scene: Scene, clusters: int) -> Census:
    """Count a scene's map to the last pixel; colours come from a level of some thousand pixels a side.

    A cluster that is too rare to be seen at that level has the colour it has where it is densest.
    """
    counts, densest = _count(rasters.get(scene.clusters).raster, clusters)
    level = max(0, scene.levels - 3)  # at most 4 x 4 tiles
    sums = np.zeros((clusters, 4))
    rows, columns = (-(-size // TILE) for size in level_shape(scene.info.height, scene.info.width, level))
    for row in range(rows):
        for column in range(columns):
            sums += _color_sums(rasters, scene, clusters, level, row, column)
    for cluster in np.flatnonzero((sums[:, 3] == 0) & (counts > 0)).tolist():
        colors, labels = _crop(rasters, scene, densest[cluster])
        sums[cluster, :3], sums[cluster, 3] = colors[labels == cluster].sum(axis=0), (labels == cluster).sum()
    means = sums[:, :3] / np.maximum(sums[:, 3:], 1)
    return Census(counts, densest, np.rint(means).astype(np.uint8))


def thumbnail(rasters: OpenRasters, scene: Scene, found: Census, cluster: int) -> bytes:
    """A PNG of `CROP` x `CROP` pixels where a cluster is densest; what is not of it is grey.

    That grey is dark around a light cluster and light around a dark one, so that both stand out; and where the whole
    square is dark, it is lit up.
    """
    colors, labels = _crop(rasters, scene, found.densest[cluster])
    inside = (labels == cluster)[:, :, None]
    grey = colors.mean(axis=2, keepdims=True)
    lit = np.minimum(colors * min(_MOST_LIGHT, 255 / max(1.0, float(np.percentile(colors, 99)))), 255)
    is_dark = grey[inside].mean() < _DARK
    around = 160 + 0.35 * grey if is_dark else 0.35 * grey
    return png(np.where(inside, lit if is_dark else colors, around).astype(np.uint8), labels >= 0, CROP)


_DARK = 70  # mean of the grey values, of 255, below which a cluster is hard to see on black
_MOST_LIGHT = 3.0


def _count(raster: Raster, clusters: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    counts, most = np.zeros(clusters, np.int64), np.zeros(clusters, np.int64)
    densest = np.zeros((clusters, 2), np.int64)
    for row in range(0, raster.info.height, _STRIP):
        for column in range(0, raster.info.width, _STRIP):
            height, width = min(_STRIP, raster.info.height - row), min(_STRIP, raster.info.width - column)
            labels, valid = raster.read_indices(Window(row, column, height, width))
            table = _table(labels, valid, clusters)
            counts += table.sum(axis=0)
            here = table.argmax(axis=0)
            held = table[here, np.arange(clusters)]
            better = held > most
            most[better] = held[better]
            places = np.stack([row + CROP * (here // _ACROSS), column + CROP * (here % _ACROSS)], axis=1)
            densest[better] = places[better]
    return counts, densest


_STRIP = 1024
_ACROSS = _STRIP // CROP


def _table(labels: NDArray[Any], valid: NDArray[np.bool_], clusters: int) -> NDArray[np.int64]:
    """Pixels of each cluster in each square of a strip: (squares, K)."""
    rows = np.arange(labels.shape[0]) // CROP * _ACROSS
    squares = (rows[:, None] + np.arange(labels.shape[1]) // CROP) * clusters
    keys = (squares + labels)[valid]
    return np.bincount(keys, minlength=_ACROSS * _ACROSS * clusters).reshape(-1, clusters)


def _crop(rasters: OpenRasters, scene: Scene, corner: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Colours (h, w, 3 or 1) and clusters (h, w), -1 where there are none, of a square of `CROP` pixels."""
    row, column = corner.tolist()
    window = Window(row, column, min(CROP, scene.info.height - row), min(CROP, scene.info.width - column))
    if scene.preview is not None and scene.base == 0:
        colors, _ = rasters.get(scene.preview).raster.read(window)
    else:
        colors = scene.display(rasters.get(scene.path).raster.read(window, scene.shown_bands)[0])
    labels, valid = rasters.get(scene.clusters).raster.read_indices(window)
    return colors, np.where(valid, labels.astype(np.int64), -1)


def _color_sums(
    rasters: OpenRasters, scene: Scene, clusters: int, level: int, row: int, column: int
) -> NDArray[np.float64]:
    """Sums of red, green, blue and 1 over each cluster's pixels in a tile: (K, 4)."""
    colors, seen = shown(rasters, scene, level, row, column)
    labels, valid = rasters.get(scene.clusters).labels(level, row, column)
    here = valid & seen
    keys = labels[here].astype(np.int64)
    rgb = np.broadcast_to(colors, (*labels.shape, 3))
    weights = [*np.moveaxis(rgb, 2, 0), np.ones_like(labels)]
    return np.stack([np.bincount(keys, each[here], minlength=clusters) for each in weights], axis=1)
