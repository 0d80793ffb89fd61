"""What segments images, against labels (docs/method.md)."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.choices import MappingMethod, RegionsSeen
from terrasift.errors import InputError
from terrasift.evaluation.scores import ClassifierScores, Evaluation, LabelledImage
from terrasift.legend import IGNORE, Legend
from terrasift.mapping import NO_CLASS, apply_mapping, map_by_name, map_clusters
from terrasift.metrics import ConfusionMatrix, segmentation_scores_by_rows
from terrasift.prediction import ClusterWindow, Segmenter
from terrasift.progress import track
from terrasift.raster import Raster, check_same_grid, labels_of

__all__ = [
    "LabelView",
    "count_overlaps",
    "evaluate_legend",
    "evaluate_segmenter",
    "evaluate_views",
]


class LabelView(NamedTuple):
    """Masks seen with fewer classes than they were painted with."""

    names: tuple[str, ...]
    """Of the classes seen."""
    table: tuple[int, ...]
    """The class seen for each class of the masks."""

    @classmethod
    def whole(cls, legend: Legend) -> LabelView:
        """With all of their classes."""
        return cls(tuple(legend.names), tuple(range(len(legend.classes))))


def evaluate_segmenter(
    segmenter: Segmenter,
    legend: Legend,
    tested: Sequence[LabelledImage],
    mapped: Sequence[LabelledImage] | None = None,
    *,
    method: MappingMethod = "majority",
    regions: RegionsSeen = "classes",
) -> Evaluation:
    """Find which class each cluster is on one set of labelled images, and score that on another.

    Parameters
    ----------
    segmenter
        Gives the clusters of a scene: `Predictor`, a baseline.
    legend
        Names the classes of the masks.
    tested
        The test set.
    mapped
        The set on which clusters are mapped to classes; None: the test set itself, which flatters the scores.
    method
        ``majority`` or ``hungarian``.
    regions
        What the region metrics see. Clusters do not depend on the mapping, but then regions are smaller.

    Returns
    -------
    Evaluation
        Class scores from one confusion matrix over all test pixels; region metrics of each image.

    Raises
    ------
    InputError
        If a mask does not lie on its image's grid, or if no pixel has a label.
    """
    return evaluate_views(segmenter, legend, [LabelView.whole(legend)], tested, mapped, method=method, regions=regions)[
        0
    ]


def evaluate_legend(
    segmenter: Segmenter,
    own: Legend,
    legend: Legend,
    tested: Sequence[LabelledImage],
    *,
    regions: RegionsSeen = "classes",
) -> Evaluation:
    """Score the classes that a legend gives to clusters: what `terrasift score` says of the class map it makes.

    Parameters
    ----------
    segmenter, tested, regions
        As for `evaluate_segmenter`.
    own
        Holds the clusters; only its classifier is scored. Clusters without a class count nowhere.
    legend
        Names the classes of the masks, by the names that `own` has for them.

    Raises
    ------
    InputError
        If a class of `own` is none of the masks', if a mask's size is not its image's, or if no pixel with a label has
        a class.
    """
    view = LabelView.whole(legend)
    mapping = map_by_name(own, legend, segmenter.clusters, "legend.yaml")
    with tempfile.TemporaryDirectory(prefix="terrasift-") as folder:
        counts, kept = _segment(segmenter, legend, tested, Path(folder))
        index = own.classifier - 1
        scores = _score_mapping(index, mapping, float("nan"), counts[index], view, kept, regions)
    if not scores.confusion.total:
        raise InputError("legend.yaml", "holds no cluster that lies on a labelled pixel", "name those that do")
    return Evaluation(view.names, (scores,))


def evaluate_views(
    segmenter: Segmenter,
    legend: Legend,
    views: Sequence[LabelView],
    tested: Sequence[LabelledImage],
    mapped: Sequence[LabelledImage] | None = None,
    *,
    method: MappingMethod = "majority",
    regions: RegionsSeen = "classes",
) -> list[Evaluation]:
    """`evaluate_segmenter` under several views of the same masks, segmenting each image once."""
    with tempfile.TemporaryDirectory(prefix="terrasift-") as folder:
        test_counts, kept = _segment(segmenter, legend, tested, Path(folder))
        found = test_counts
        if mapped is not None:
            found = _count(segmenter, track(mapped, len(mapped), "mapping images"), legend)
        return [_score_view(view, test_counts, found, kept, method, regions) for view in views]


def _segment(
    segmenter: Segmenter,
    legend: Legend,
    tested: Sequence[LabelledImage],
    folder: Path,
) -> tuple[list[NDArray[np.int64]], list[_KeptMaps]]:
    """`_overlaps` over all test images, and the cluster maps of each, kept in a folder."""
    overlaps: list[list[NDArray[np.int64]]] = []
    kept: list[_KeptMaps] = []
    for number, image in enumerate(track(tested, len(tested), "test images")):
        maps = _KeptMaps(folder / f"{number}.npy", image, legend)
        overlaps.append(_overlaps(maps.fill(segmenter), maps.truth, legend, segmenter.clusters))
        kept.append(maps)
    return _total(overlaps, tested), kept


def _score_view(
    view: LabelView,
    test_counts: Sequence[NDArray[np.int64]],
    found: Sequence[NDArray[np.int64]],
    kept: Sequence[_KeptMaps],
    method: MappingMethod,
    regions: RegionsSeen,
) -> Evaluation:
    scores = []
    for index, (counts, known) in enumerate(zip(test_counts, found, strict=True)):
        known = _as_seen(known, view)
        mapping = map_clusters(known, method)
        accuracy = ConfusionMatrix(apply_mapping(known, mapping)).accuracy
        unlabelled = np.flatnonzero(known.sum(axis=1) == 0)
        found_here = _score_mapping(index, mapping, accuracy, counts, view, kept, regions)
        share = float(counts[unlabelled].sum() / counts.sum())
        scores.append(dataclasses.replace(found_here, unlabelled=tuple(unlabelled.tolist()), unlabelled_share=share))
    return Evaluation(view.names, tuple(scores))


def _score_mapping(
    index: int,
    mapping: NDArray[np.int64],
    mapping_accuracy: float,
    counts: NDArray[np.int64],
    view: LabelView,
    kept: Sequence[_KeptMaps],
    regions: RegionsSeen,
) -> ClassifierScores:
    """One classifier, by its index, with its clusters (K,) taken for their classes."""
    truth_table = np.full(IGNORE + 1, IGNORE, np.int64)
    truth_table[: len(view.table)] = view.table
    seen = _as_seen(counts, view)
    classes = np.where(mapping == NO_CLASS, IGNORE, mapping)
    table = classes if regions == "classes" else np.arange(len(mapping)) + _CLUSTER_NAMES
    return ClassifierScores(
        classifier=index + 1,
        mapping=mapping,
        mapping_accuracy=mapping_accuracy,
        confusion=ConfusionMatrix(apply_mapping(seen, mapping)),
        images={maps.scene: maps.region_scores(index, table, truth_table) for maps in kept},
        left_out=int(seen[mapping == NO_CLASS].sum()),
    )


def _as_seen(counts: NDArray[np.int64], view: LabelView) -> NDArray[np.int64]:
    """`_overlaps` summed into those (K, C) with the classes seen."""
    seen = np.zeros((len(counts), len(view.names)), np.int64)
    np.add.at(seen.T, list(view.table), counts[:, :-1].T)
    return seen


def count_overlaps(segmenter: Segmenter, images: Iterable[LabelledImage], legend: Legend) -> list[NDArray[np.int64]]:
    """How many pixels of each cluster lie on each class over all images: (K, C) for each classifier.

    Raises
    ------
    InputError
        If a mask does not lie on its image's grid, or if no pixel has a label.
    """
    return [counts[:, :-1] for counts in _count(segmenter, images, legend)]


def _count(segmenter: Segmenter, images: Iterable[LabelledImage], legend: Legend) -> list[NDArray[np.int64]]:
    """`_overlaps` over all images."""
    overlaps, seen = [], []
    for image in images:
        with Raster(image.scene) as raster:
            truth = _read_truth(image, raster, legend)
            overlaps.append(_overlaps(segmenter.segment(raster), truth, legend, segmenter.clusters))
        seen.append(image)
    return _total(overlaps, seen)


class _KeptMaps:
    """The cluster maps of one image on disk, until the mapping is known; memory holds the mask and a window."""

    def __init__(self, path: Path, image: LabelledImage, legend: Legend) -> None:
        self.scene = image.scene
        self._path = path
        with Raster(image.scene) as raster:
            self.truth = _read_truth(image, raster, legend)

    def fill(self, segmenter: Segmenter) -> Iterator[ClusterWindow]:
        """Pass the windows of the image through, writing them down."""
        maps: NDArray[np.uint16] | None = None
        with Raster(self.scene) as raster:
            for part in segmenter.segment(raster):
                if maps is None:
                    shape = (len(part.clusters), *self.truth.shape)
                    maps = np.lib.format.open_memmap(self._path, "w+", np.uint16, shape)
                    _reserve(self._path)
                for kept, found in zip(maps, part.clusters, strict=True):
                    kept[part.window.slices] = found
                self.truth[part.window.slices][~part.valid] = IGNORE
                yield part

    def region_scores(
        self, classifier: int, table: NDArray[np.int64], truth_table: NDArray[np.int64]
    ) -> dict[str, float]:
        """Region metrics of one classifier, its clusters renamed by a table (K,), the truth by one of (256,)."""
        clusters = np.load(self._path, mmap_mode="r")[classifier]

        def read_rows(start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
            return table[clusters[start:stop]], truth_table[self.truth[start:stop]]

        return segmentation_scores_by_rows(
            read_rows, (int(self.truth.shape[0]), int(self.truth.shape[1])), ignore=IGNORE
        )


def _reserve(path: Path) -> None:
    """Take the room on the disk now, where the system can: a mapped page that finds none later kills the process."""
    if not hasattr(os, "posix_fallocate"):
        return
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error


_CLUSTER_NAMES = 1000  # clusters are only names to the region metrics, but none may be called IGNORE


def _overlaps(
    parts: Iterable[ClusterWindow], truth: NDArray[np.uint8], legend: Legend, clusters: int
) -> list[NDArray[np.int64]]:
    """Pixels (K, C + 1) of each cluster on each class, and last on none, for each classifier."""
    columns = len(legend.classes) + 1
    counts: list[NDArray[np.int64]] = []
    for part in parts:
        labels = truth[part.window.slices][part.valid].astype(np.int64)
        labels[labels == IGNORE] = columns - 1
        counts = counts or [np.zeros((clusters, columns), np.int64) for _ in part.clusters]
        for table, found in zip(counts, part.clusters, strict=True):
            pairs = found[part.valid].astype(np.int64) * columns + labels
            table += np.bincount(pairs, minlength=table.size).reshape(table.shape)
    return counts


def _total(overlaps: Sequence[list[NDArray[np.int64]]], images: Sequence[LabelledImage]) -> list[NDArray[np.int64]]:
    total = [np.sum(tables, axis=0) for tables in zip(*overlaps, strict=True)]
    if not total or not total[0][:, :-1].any():
        where = images[0].mask.parent if images else "images"
        raise InputError(where, "no pixel of the masks counts", "check the masks and the classes file's ignore")
    return total


def _read_truth(image: LabelledImage, raster: Raster, legend: Legend) -> NDArray[np.uint8]:
    with Raster(image.mask) as mask:
        check_same_grid(image.mask, mask.info.grid, raster.info.path, raster.info.grid)
        return labels_of(mask, legend)
