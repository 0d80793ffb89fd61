"""The superpixels that labels speak of, and a bounded sample of those that none does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.data.sampling import draw_windows
from terrasift.errors import InputError
from terrasift.prediction import Look, Predictor
from terrasift.prediction.context import MOST_WINDOWS
from terrasift.progress import track
from terrasift.raster import Raster, RasterInfo, Window
from terrasift.teaching.classifier import LabelledRegions
from terrasift.teaching.placing import Placement, Votes
from terrasift.teaching.regions import RegionTable, cut, join_tables, regions_table

__all__ = ["Gathered", "Tally", "decided", "gather_labelled", "gather_sample", "grid_windows", "neighbours"]

_MOST_LABELLED = 512  # windows with labels: whole masks need not be read to learn from them
_MOST_SAMPLED = 64  # windows: some ten thousand superpixels
_SIDE = 128  # of a window, pixels, about


class Tally(NamedTuple):
    """What became of labels."""

    outside: int
    """Labels that lie in none of the scenes."""
    without_data: int
    """Labels that hold no pixel with data."""
    contradicting: int
    """Superpixels that labels call different things."""
    windows_left_out: int
    """Windows with labels that were not looked at, there being too many."""


class Gathered(NamedTuple):
    """Labelled superpixels, where they are, and what became of the labels."""

    regions: LabelledRegions
    places: NDArray[np.int64]
    """(n, 3): scene, row and column of a pixel of each."""
    tally: Tally


def gather_labelled(predictor: Predictor, infos: Sequence[RasterInfo], placement: Placement, classes: int) -> Gathered:
    """Look at every superpixel that a label speaks of.

    One that labels call different things is of the class most of them call it, or of none where that is undecided.

    Parameters
    ----------
    predictor
        The trained network.
    infos
        The scenes.
    placement
        Labels on them.
    classes
        How many there are.

    Raises
    ------
    InputError
        If no label is left.
    """
    windows = [
        (number, window)
        for number, labels in sorted(placement.scenes.items())
        for window in grid_windows(infos[number], _SIDE)
        if labels.touch(window)
    ]
    chosen = _drawn(windows, _MOST_LABELLED)
    tables: list[RegionTable] = []
    votes: list[Votes] = []
    heard: set[tuple[int, int]] = set()
    for number, look in _looks(predictor, infos, chosen, "labels"):
        regions = cut(predictor, look)
        found = placement.scenes[number].votes(look.window, regions, look.valid, classes)
        heard |= {(number, label) for label in found.heard}
        if look.valid.any():
            tables.append(regions_table(look, regions, number))
            votes.append(found)
    without = sum(map(len, placement.scenes.values())) - len(heard) if len(chosen) == len(windows) else 0
    if not heard:
        what = f"{placement.outside} lie outside all scenes" + (f", {without} on nodata" if without else "")
        raise InputError("labels", f"none is left: {what}", "check their coordinates and CRS, and name the scenes")
    counts, table = np.concatenate([found.counts for found in votes]), join_tables(tables)
    classes_of, contradicting = decided(counts)
    tally = Tally(placement.outside, without, contradicting, len(windows) - len(chosen))
    rows = np.flatnonzero(classes_of >= 0)
    if not len(rows):
        raise InputError("labels", "contradict each other wherever they lie", "give each place one class")
    places = table.places[rows]
    labelled = LabelledRegions(table.features[rows], classes_of[rows], neighbours(places, table.pixels[rows]))
    return Gathered(labelled, places, tally)


def gather_sample(predictor: Predictor, infos: Sequence[RasterInfo]) -> RegionTable:
    """A bounded, seeded sample of the scenes' superpixels, those of windows drawn evenly over all of them.

    Raises
    ------
    InputError
        If no valid pixel is found.
    """
    recipe = predictor.reader.recipe
    patches = draw_windows(infos, _SIDE, recipe.bands, _MOST_SAMPLED, seed=0, in_context=MOST_WINDOWS)
    numbers = {info.path: number for number, info in enumerate(infos)}
    windows = [(numbers[patch.scene], patch.window) for patch in patches]
    looks = _looks(predictor, infos, windows, "superpixels")
    return join_tables([regions_table(look, cut(predictor, look), number) for number, look in looks])


def decided(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The class of each superpixel by its votes (n, C), -1 for none or a tie; how many have votes for several."""
    most = counts.max(axis=1)
    is_tied = (counts == most[:, None]).sum(axis=1) > 1
    several = int(((counts > 0).sum(axis=1) > 1).sum())
    return np.where((most > 0) & ~is_tied, counts.argmax(axis=1), -1), several


def _looks(
    predictor: Predictor, infos: Sequence[RasterInfo], windows: Sequence[tuple[int, Window]], what: str
) -> Iterator[tuple[int, Look]]:
    resolution, opened, raster = predictor.reader.recipe.resolution, -1, None
    try:
        for number, window in track(windows, len(windows), what):
            if number != opened:
                if raster is not None:
                    raster.close()
                raster, opened = Raster(infos[number].path, resolution), number
            assert raster is not None
            yield number, predictor.look(raster, window)
    finally:
        if raster is not None:
            raster.close()


def grid_windows(info: RasterInfo, side: int) -> list[Window]:
    """Windows of about `side` that cover a scene without overlap."""
    (tops, heights), (lefts, widths) = _parts(info.height, side), _parts(info.width, side)
    return [
        Window(top, left, height, width)
        for top, height in zip(tops, heights, strict=True)
        for left, width in zip(lefts, widths, strict=True)
    ]


def _parts(length: int, side: int) -> tuple[list[int], list[int]]:
    count = max(1, round(length / side))
    edges = np.linspace(0, length, count + 1).round().astype(int)
    return edges[:-1].tolist(), np.diff(edges).tolist()


def _drawn(windows: list[tuple[int, Window]], most: int) -> list[tuple[int, Window]]:
    if len(windows) <= most:
        return windows
    kept = np.random.default_rng(0).choice(len(windows), most, replace=False)
    return [windows[index] for index in sorted(kept.tolist())]


def neighbours(places: NDArray[np.int64], pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each superpixel, the same for those that lie beside one another, directly or through others."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    # By distance: superpixels of two windows do not know that they touch. Scenes are put far apart.
    beside = _BESIDE * float(np.sqrt(np.median(pixels)))
    apart = places * (1e9, 1.0, 1.0)
    ends = KDTree(apart).query_pairs(beside, output_type="ndarray")
    graph = csr_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(len(places),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


_BESIDE = 2.0  # sides of a superpixel, between the middles of two that are taken to touch
