"""Clicks against accuracy: a scripted user labels points of real images, and each method learns from them.

The user clicks random pixels of each class, 1, 3, 10 and 30 of them, or answers what `Run.suggest` would ask, as many
in all after one random click for each class. `teach` learns as the command does. Beside it: naming the run's clusters
by the same points (clusters without one take the name of the nearest that has one), a random forest on the bands of the
clicked pixels, and one on the mean bands of their superpixels. All are scored on one seeded sample of labelled pixels.
The last line is what all labels would give: every cluster named by majority. Classes are those of the classes file;
list under `ignore` what is none.

    python benchmarks/teach.py --run runs/dubai --images 'dubai/images/tile[1-4]_*.jpg' --masks dubai/masks \\
        --classes dubai.yaml --json benchmarks/results/teach-dubai.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import RandomForestClassifier

from terrasift import Legend, Run
from terrasift.api import labelled_images
from terrasift.blocks.regions import region_means
from terrasift.machine import describe_machine
from terrasift.mapping import apply_mapping, map_clusters
from terrasift.metrics import ConfusionMatrix
from terrasift.progress import track
from terrasift.raster import Raster, read_labels
from terrasift.teaching.classifier import LabelledRegions, Metric, learn
from terrasift.teaching.gathering import decided, grid_windows
from terrasift.teaching.regions import RegionTable, cut, describe, join_tables
from terrasift.teaching.suggesting import suggest_rows

Rows = NDArray[np.int64]


class Material(NamedTuple):
    """All that the methods may look at: n superpixels, m sampled pixels."""

    table: RegionTable
    bands: NDArray[np.float32]
    """(n, B): mean values of the superpixels."""
    answers: Rows
    """(n,): what the user says when asked about a superpixel: the class of its middle, -1 for none."""
    truth: Rows
    """(m,): classes of the pixels."""
    values: NDArray[np.float32]
    """(m, B)."""
    features: NDArray[np.float32]
    """(m, F)."""
    clusters: Rows
    """(m,)."""
    regions: Rows
    """(m,): rows of the table."""


def main() -> None:
    options = _options()
    legend, run = Legend.load(options.classes), Run.open(options.run)
    material = gather(run, options.images, options.masks, legend, options.pixels)
    classes = len(legend.classes)
    counts = np.zeros((run.recipe.clusters, classes), np.int64)
    np.add.at(counts, (material.clusters, material.truth), 1)
    full = _scores(apply_mapping(counts, map_clusters(counts)))
    rows: list[dict[str, Any]] = []
    for repeat in track(range(options.repeats), options.repeats, "repeats"):
        for points in options.points:
            random = _random_clicks(material, classes, points, repeat)
            for name, predicted in _methods(material, random, classes, repeat).items():
                rows.append(_row(name, "random", points, repeat, material, predicted, classes))
            asked = _suggested_clicks(material, classes, points, repeat)
            for name, predicted in _methods(material, asked, classes, repeat).items():
                rows.append(_row(name, "suggested", points, repeat, material, predicted, classes))
    show(rows, full, options.points)
    if options.json:
        content = {"machine": describe_machine("cpu"), "run": options.run.name, "classes": legend.names}
        content |= {"pixels": len(material.truth), "all labels, clusters by majority": full, "rows": rows}
        options.json.write_text(json.dumps(content, indent=1) + "\n")


def gather(run: Run, images: list[str], masks: Path, legend: Legend, most: int) -> Material:
    """One pass over the images; of their labelled pixels an even, seeded share."""
    pairs, generator, predictor = labelled_images(images, masks), np.random.default_rng(0), run.predictor
    truths = [read_labels(pair.mask, legend) for pair in pairs]
    share = min(1.0, most / max(1, sum(int((truth < len(legend.classes)).sum()) for truth in truths)))
    tables: list[RegionTable] = []
    parts: list[tuple[NDArray[Any], ...]] = []
    first = 0
    for number, pair in enumerate(track(pairs, len(pairs), "images")):
        with Raster(pair.scene) as raster:
            for window in grid_windows(raster.info, 256):
                look = predictor.look(raster, window)
                if not look.valid.any():
                    continue
                regions, truth = cut(predictor, look), truths[number][window.slices].astype(np.int64)
                table = describe(look, regions, number)
                values = look.values.astype(np.float32)
                middles = table.places[:, 1:] - (window.row, window.column)
                known = np.where(truth < len(legend.classes), truth, -1)
                chosen = look.valid & (known >= 0) & (generator.random(truth.shape) < share)
                parts.append(
                    (
                        region_means(values, regions, look.valid),
                        known[middles[:, 0], middles[:, 1]],
                        known[chosen],
                        values[chosen],
                        look.features[chosen],
                        look.clusters(1)[chosen],
                        regions[chosen].astype(np.int64) + first,
                    )
                )
                tables.append(table)
                first += len(table.pixels)
    return Material(join_tables(tables), *(np.concatenate(column) for column in zip(*parts, strict=True)))


class Clicks(NamedTuple):
    """Sampled pixels that the user clicked."""

    pixels: Rows
    classes: Rows


def _random_clicks(material: Material, classes: int, points: int, seed: int) -> Clicks:
    generator, found = np.random.default_rng(seed), []
    for index in range(classes):
        places = np.flatnonzero(material.truth == index)
        found.append(generator.choice(places, min(points, len(places)), replace=False))
    pixels = np.concatenate(found)
    return Clicks(pixels, material.truth[pixels])


def _suggested_clicks(material: Material, classes: int, points: int, seed: int) -> Clicks:
    """One random click for each class, then suggestions, a batch of as many as there are classes at a time."""
    clicks = _random_clicks(material, classes, 1, seed)
    metric, taken = Metric.of(material.table), np.zeros(len(material.answers), np.bool_)
    first_pixel = _pixel_of_region(material)
    while len(clicks.pixels) < points * classes:
        taken[material.regions[clicks.pixels]] = True
        lesson = learn(_labelled(material, clicks, classes), metric)
        wanted = min(classes, points * classes - len(clicks.pixels))
        asked = suggest_rows(
            material.table, metric, lesson.classifier.shares(material.table.features), wanted, taken=taken
        )
        taken[asked] = True  # also what the user does not know
        known = asked[(material.answers[asked] >= 0) & (first_pixel[asked] >= 0)]
        if not len(asked):
            break
        pixels = np.concatenate([clicks.pixels, first_pixel[known]])
        clicks = Clicks(pixels, np.concatenate([clicks.classes, material.answers[known]]))
    return clicks


def _pixel_of_region(material: Material) -> Rows:
    """A sampled pixel of each superpixel, -1 where none was sampled: forests on pixels need one."""
    found = np.full(len(material.answers), -1, np.int64)
    found[material.regions[::-1]] = np.arange(len(material.regions))[::-1]
    return found


def _labelled(material: Material, clicks: Clicks, classes: int) -> LabelledRegions:
    rows, place = np.unique(material.regions[clicks.pixels], return_inverse=True)
    votes = np.zeros((len(rows), classes), np.int64)
    np.add.at(votes, (place, clicks.classes), 1)
    found, _ = decided(votes)
    kept = found >= 0
    return LabelledRegions(material.table.features[rows[kept]], found[kept], rows[kept])


def _methods(material: Material, clicks: Clicks, classes: int, seed: int) -> dict[str, Rows]:
    """Classes of the sampled pixels, by method."""
    labelled = _labelled(material, clicks, classes)
    lesson = learn(labelled, Metric.of(material.table))
    taught = np.array(lesson.classes)[lesson.classifier.scores(material.features).argmax(axis=1)]
    pixels, regions = (RandomForestClassifier(100, class_weight="balanced", random_state=seed) for _ in range(2))
    pixels.fit(material.values[clicks.pixels], clicks.classes)
    regions.fit(material.bands[material.regions[clicks.pixels]], clicks.classes)
    return {
        "teach": taught,
        "naming clusters": _named(material, clicks, classes),
        "forest on pixels": pixels.predict(material.values),
        "forest on superpixels": regions.predict(material.bands)[material.regions],
    }


def _named(material: Material, clicks: Clicks, classes: int) -> Rows:
    count = int(material.clusters.max()) + 1
    votes = np.zeros((count, classes), np.int64)
    np.add.at(votes, (material.clusters[clicks.pixels], clicks.classes), 1)
    present, inverse = np.unique(material.clusters, return_inverse=True)
    sums = np.zeros((len(present), material.features.shape[1]))
    np.add.at(sums, inverse, material.features)
    means = np.full((count, sums.shape[1]), np.inf)
    means[present] = sums / np.bincount(inverse)[:, None]
    named = np.flatnonzero(votes.any(axis=1))
    nearest = {k: named[((means[named] - means[k]) ** 2).sum(axis=1).argmin()] for k in present.tolist()}
    table = np.zeros(count, np.int64)
    for cluster, holder in nearest.items():
        table[cluster] = votes[holder].argmax()
    return table[material.clusters]


def _row(
    method: str, by: str, points: int, repeat: int, material: Material, predicted: Rows, classes: int
) -> dict[str, Any]:
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (material.truth, predicted), 1)
    return {"method": method, "clicks": by, "points": points, "repeat": repeat} | _scores(counts)


def _scores(counts: NDArray[np.int64]) -> dict[str, float]:
    confusion = ConfusionMatrix(counts)
    return {"accuracy": float(confusion.accuracy), "mean_iou": float(confusion.mean_iou)}


def show(rows: list[dict[str, Any]], full: dict[str, float], points: list[int]) -> None:
    table = Table("method", "clicks", *(f"{count} a class" for count in points), title="accuracy / mean IoU, per cent")
    for method, by in dict.fromkeys((row["method"], row["clicks"]) for row in rows):
        cells = []
        for count in points:
            mine = [row for row in rows if (row["method"], row["clicks"], row["points"]) == (method, by, count)]
            means = [100 * np.mean([row[key] for row in mine]) for key in ("accuracy", "mean_iou")]
            spread = 100 * np.std([row["mean_iou"] for row in mine])
            cells.append(f"{means[0]:.1f} / {means[1]:.1f} ± {spread:.1f}")
        table.add_row(method, by, *cells)
    table.add_row(
        "all labels, clusters by majority", "", f"{100 * full['accuracy']:.1f} / {100 * full['mean_iou']:.1f}"
    )
    Console(width=150, file=sys.stdout).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="a trained run")
    parser.add_argument("--images", nargs="+", required=True, help="images whose masks are known")
    parser.add_argument("--masks", type=Path, required=True, help="folder of the masks")
    parser.add_argument("--classes", type=Path, required=True, help="names and colours of the classes")
    parser.add_argument("--points", type=int, nargs="+", default=[1, 3, 10, 30], help="clicks for each class")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pixels", type=int, default=200_000, help="labelled pixels that are scored")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
