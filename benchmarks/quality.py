"""The recipes beside what else a user could do, on real images with labels.

Three splits: `dubai` (a random tenth of the patches for test), `dubai-tile5` (one place held out), `drone` (a random 30
% of the chips). The random ones differ by seed; `dubai-fixed` and `drone-fixed` are those of seed 0 for seeds 1 and 2,
too: what moves there is the method's own chance. A row for each method and seed: trained and mapped on the training
images, scored on the others, all with the same K and majority mapping; with "K = C" as many clusters as classes, found
so or merged, mapped one to one. "with labels" has seen all labels of the training images: what there is to reach.
Dubai's "unlabeled" is no class: its pixels count nowhere. Rows that the JSON has already are kept.

    python benchmarks/quality.py --data ../shared/data --json benchmarks/results/quality.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier

import terrasift
from terrasift.api import labelled_images
from terrasift.baselines import DiscoveryAlone, KMeans, PixelKMeans, SuperpixelKMeans, fit_kmeans
from terrasift.baselines.windows import WindowSegmenter
from terrasift.data.indexing import index_images
from terrasift.discovery import Discovery, EmbeddingParts
from terrasift.evaluation import Evaluation, LabelledImage, evaluate_segmenter
from terrasift.legend import Legend
from terrasift.machine import describe_machine
from terrasift.prediction import ClusterWindow, Segmenter, Wanted
from terrasift.raster import Raster, labels_of
from terrasift.recipe import Recipe
from terrasift.study.patches import cut_patches, random_split

Row = dict[str, Any]
SCORES = ("accuracy", "mean_iou", "weighted_iou", "mean_f1")
SELF = ("width=16", "patch=128", "batch_size=8", "steps=400", "lr=1e-3", "lr_final=1e-4", "predict.context=scene")
"""The study's method at the size of a laptop, for about as many minutes as the recipe `default` takes."""


class Split(NamedTuple):
    train: list[Path]
    test: list[Path]
    masks: Path
    legend: Legend


def main() -> None:
    options = _options()
    folder = Path(options.work or tempfile.mkdtemp(prefix="quality-"))
    rows: list[Row] = json.loads(options.json.read_text())["rows"] if options.json and options.json.exists() else []
    for name in options.splits:
        for seed in options.seeds:
            for method in options.methods:
                if any((row["split"], row["seed"], row["method"]) == (name, seed, method) for row in rows):
                    continue
                rows.append(in_a_process(options.data, folder, name, seed, method))
                if options.json:
                    content = {"machine": describe_machine("cpu"), "rows": rows}
                    options.json.write_text(json.dumps(content, indent=1) + "\n")
    show(rows)


def in_a_process(data: Path, folder: Path, split: str, seed: int, method: str) -> Row:
    """One row from a process of its own: its peak memory is the method's."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(row_of, data, folder, split, seed, method).result()


def row_of(data: Path, folder: Path, split: str, seed: int, method: str) -> Row:
    images = SPLITS[split](data, folder, seed)
    out = folder / f"{method}-{split}-{seed}".replace(" ", "-")
    fitted = METHODS[method](images, out, seed)
    confusion = fitted.evaluation.best.confusion
    children, own = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    row = {"split": split, "seed": seed, "method": method, "seconds": round(fitted.seconds, 1)}
    row |= {"own_peak_mb": own // 1024, "worker_peak_mb": children // 1024}
    row |= {name: float(getattr(confusion, name)) for name in SCORES}
    ious = [None if np.isnan(iou) else iou for iou in confusion.iou.tolist()]  # of a class that no test image shows
    return row | {"iou": dict(zip(fitted.evaluation.classes, ious, strict=True))}


def dubai(data: Path, folder: Path, seed: int) -> Split:
    patches, masks, legend = _dubai_patches(data, folder)
    train, test = random_split(patches, seed)
    return Split(train, test, masks, legend)


def dubai_tile5(data: Path, folder: Path, seed: int) -> Split:
    patches, masks, legend = _dubai_patches(data, folder)
    test = [patch for patch in patches if patch.name.startswith("tile5")]
    return Split([patch for patch in patches if patch not in test], test, masks, legend)


def drone(data: Path, folder: Path, seed: int) -> Split:
    root = data / "dronedeploy"
    train, test = random_split(sorted((root / "images").glob("*.png")), seed, 0.3)
    return Split(train, test, root / "masks", Legend.load(root / "classes.yaml"))


def fixed(split: Callable[[Path, Path, int], Split]) -> Callable[[Path, Path, int], Split]:
    return lambda data, folder, seed: split(data, folder, 0)


SPLITS: dict[str, Callable[[Path, Path, int], Split]] = {
    "dubai": dubai,
    "dubai-tile5": dubai_tile5,
    "drone": drone,
    "dubai-fixed": fixed(dubai),
    "drone-fixed": fixed(drone),
}


def _dubai_patches(data: Path, folder: Path) -> tuple[list[Path], Path, Legend]:
    whole = Legend.load(data / "dubai" / "classes.yaml")
    unlabelled = whole.classes[-1].color
    legend = Legend(whole.classes[:-1], (*whole.ignore, unlabelled))
    patches = cut_patches(data / "dubai", legend, folder / "dubai-patches", 128)
    return [Path(patch.scene) for patch in patches], patches[0].mask.parent, legend


class Fitted(NamedTuple):
    evaluation: Evaluation
    seconds: float


def network(recipe: str, *changes: str, one_to_one: bool = False) -> Callable[[Split, Path, int], Fitted]:
    def fit(images: Split, out: Path, seed: int) -> Fitted:
        settings = Recipe.load(recipe, [*changes, *_clusters(images, one_to_one), f"seed={seed}"])
        start = time.monotonic()
        run = terrasift.train(images.train, out, settings, resume=True, use_cache=False)
        assert run.log is not None
        seconds = max(time.monotonic() - start, float(run.log.seconds.sum()))  # of one gone on with: at least
        return Fitted(_evaluate(run.predictor, images, one_to_one), seconds)

    return fit


def merged(images: Split, out: Path, seed: int) -> Fitted:
    """The run of `default`, its clusters joined into as many as there are classes, without labels."""
    of_default = out.with_name(out.name.replace("default,-K-=-C-merged", "default"))
    start = time.monotonic()
    recipe = Recipe.load("default", [f"seed={seed}"])
    run = terrasift.train(images.train, of_default, recipe, resume=True, use_cache=False)
    classes = len(images.legend.classes)
    mapping = run.merged_legend(classes).mapping(recipe.clusters)
    seconds = time.monotonic() - start
    return Fitted(_evaluate(Joined(run.predictor, mapping, classes), images, one_to_one=True), seconds)


class Joined(NamedTuple):
    """A segmenter whose clusters are those of another, joined."""

    segmenter: Segmenter
    mapping: NDArray[np.int64]
    clusters: int

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        for part in self.segmenter.segment(raster, wanted):
            yield part._replace(clusters=tuple(self.mapping[found] for found in part.clusters))


def kmeans(kind: type[KMeans], *, one_to_one: bool = False) -> Callable[[Split, Path, int], Fitted]:
    def fit(images: Split, out: Path, seed: int) -> Fitted:
        start = time.monotonic()
        recipe = Recipe.load("default", [*_clusters(images, one_to_one), f"seed={seed}"])
        _, patches, scaling = index_images([str(path) for path in images.train], recipe)
        segmenter = fit_kmeans(kind, patches, scaling, recipe)
        seconds = time.monotonic() - start
        return Fitted(_evaluate(segmenter, images, one_to_one), seconds)

    return fit


def discovery(parts: EmbeddingParts, *, one_to_one: bool = False) -> Callable[[Split, Path, int], Fitted]:
    def fit(images: Split, out: Path, seed: int) -> Fitted:
        start = time.monotonic()
        recipe = Recipe.load("default", [*_clusters(images, one_to_one), f"seed={seed}"])
        found = terrasift.discover(images.train, recipe, parts=parts, cache=out.parent / "cache")
        seconds = time.monotonic() - start
        return Fitted(_evaluate(DiscoveryAlone(found), images, one_to_one), seconds)

    return fit


def with_labels(images: Split, out: Path, seed: int) -> Fitted:
    start = time.monotonic()
    found = terrasift.discover(images.train, Recipe.load("default", [f"seed={seed}"]), cache=out.parent / "cache")
    segmenter = Boosted(found, labelled_images(images.train, images.masks), images.legend)
    seconds = time.monotonic() - start
    return Fitted(_evaluate(segmenter, images, one_to_one=False), seconds)


class Boosted(WindowSegmenter):
    """Boosted trees that tell classes, learned from labels, by the numbers that discovery clusters."""

    def __init__(self, discovery: Discovery, labelled: Sequence[LabelledImage], legend: Legend) -> None:
        super().__init__(discovery.recipe.measured_scaling)
        self._discovery = discovery
        self.clusters = len(legend.classes)
        points, classes = zip(*(self._learnable(image, legend) for image in labelled), strict=True)
        self._trees = HistGradientBoostingClassifier(max_iter=150, random_state=0)
        self._trees.fit(np.concatenate(points), np.concatenate(classes))

    def _learnable(self, image: LabelledImage, legend: Legend) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The numbers of each superpixel of an image, (n, E), and the class that most of it has, (n,)."""
        with Raster(image.scene) as raster, Raster(image.mask) as mask:
            values, valid = raster.read()
            truth = labels_of(mask, legend)
        regions, points = self._discovery.points_of(self._scaling.to_unit(values, valid), valid)
        known = valid & (truth < self.clusters)
        counts = np.zeros((len(points), self.clusters), np.int64)
        np.add.at(counts, (regions[known], truth[known]), 1)
        some = counts.any(axis=1)
        return points[some], counts[some].argmax(axis=1)

    def _clusters(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        regions, points = self._discovery.points_of(image, valid)
        classes: NDArray[np.int64] = self._trees.predict(points)
        return classes[regions]


def _clusters(images: Split, one_to_one: bool) -> list[str]:
    return [f"clusters={len(images.legend.classes)}"] if one_to_one else []


def _evaluate(segmenter: Segmenter, images: Split, one_to_one: bool) -> Evaluation:
    tested, mapped = (labelled_images(paths, images.masks) for paths in (images.test, images.train))
    method = "hungarian" if one_to_one else "majority"
    return evaluate_segmenter(segmenter, images.legend, tested, mapped, method=method)


METHODS: dict[str, Callable[[Split, Path, int], Fitted]] = {
    "k-means on pixels": kmeans(PixelKMeans),
    "k-means on superpixels": kmeans(SuperpixelKMeans),
    "discovery, whitened alone": discovery("whitened"),
    "discovery, contrast alone": discovery("contrast"),
    "discovery": discovery("both"),
    "default": network("default"),
    "thorough": network("thorough"),
    "self-training": network("paper", *SELF),
    "with labels": with_labels,
    "k-means on pixels, K = C": kmeans(PixelKMeans, one_to_one=True),
    "k-means on superpixels, K = C": kmeans(SuperpixelKMeans, one_to_one=True),
    "discovery, K = C": discovery("both", one_to_one=True),
    "default, K = C": network("default", one_to_one=True),
    "default, K = C merged": merged,
}


def show(rows: Sequence[Row]) -> None:
    table = Table("split", "method", "seeds", "seconds", "peak MB", *SCORES, title=describe_machine("cpu"))
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["split"], row["method"]), []).append(row)
    for (split, method), group in sorted(groups.items()):
        cells = []
        for name in SCORES:
            values = 100 * np.array([row[name] for row in group])
            cells.append(f"{values.mean():.1f} ± {values.std():.1f}")
        seconds, peak = (np.mean([row[key] for row in group]) for key in ("seconds", "own_peak_mb"))
        table.add_row(split, method, str(len(group)), f"{seconds:.0f}", f"{peak:.0f}", *cells)
    Console(width=170, file=sys.stdout).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with dubai/ and dronedeploy/")
    parser.add_argument("--splits", nargs="+", default=list(SPLITS)[:3], choices=list(SPLITS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--work", type=Path, help="folder for patches and runs; kept, and gone on with if it exists")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
