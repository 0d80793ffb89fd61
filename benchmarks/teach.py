"""Clicks against accuracy: a scripted user labels points of real images, and each method learns from them.

The user clicks random pixels of each class, 1, 3, 10 and 30 of them (whoever does that knows where the rare ones are),
or one of each and then random pixels from anywhere, or what `Run.suggest` would ask, as many in all. `teach` learns as
the command does. Beside it: naming the run's clusters by the same points (clusters without one take the name of the
nearest that has one), a random forest on the bands of the clicked pixels, and one on the mean bands of their
superpixels. All are scored on one seeded sample of labelled pixels of the same images, and on one of others that
neither the user nor the run has seen. The last line is what all labels would give: every cluster named by majority.
Classes are those of the classes file; list under `ignore` what is none.

    python benchmarks/teach.py --run runs/dubai --images 'dubai/images/tile[1-4]_*.jpg' --masks dubai/masks \\
        --others 'dubai/images/tile5_*.jpg' --classes dubai.yaml --json benchmarks/results/teach-dubai.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
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
from terrasift.teaching.classifier import FIRST_STRENGTH, LabelledRegions, Metric, learn
from terrasift.teaching.gathering import decided, grid_windows
from terrasift.teaching.regions import RegionTable, cut, join_tables, regions_table
from terrasift.teaching.suggesting import suggest_rows

Rows = NDArray[np.int64]
SAMPLE = 10_000  # superpixels among which places are suggested, about as many as the command looks at


class Pixels(NamedTuple):
    """Pixels of known class: m of them, B bands, F features."""

    classes: Rows
    """(m,): -1 where nobody knows."""
    values: NDArray[np.float32]
    """(m, B)."""
    features: NDArray[np.float32]
    """(m, F)."""
    clusters: Rows
    """(m,)."""
    regions: Rows
    """(m,): rows of the table of superpixels."""

    def __getitem__(self, rows: Any) -> Pixels:  # type: ignore[override]
        return Pixels(*(column[rows] for column in self._columns))

    def and_those(self, others: Pixels) -> Pixels:
        return Pixels(*map(np.concatenate, zip(self._columns, others._columns, strict=True)))

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        return tuple(self)


class Material(NamedTuple):
    """All that the methods may look at: n superpixels."""

    table: RegionTable
    bands: NDArray[np.float32]
    """(n, B): mean values of the superpixels."""
    middles: Pixels
    """What the user says when asked about a superpixel: a pixel in the middle of each."""
    scored: Pixels
    sampled: Rows
    """Rows of the superpixels among which places are suggested, as many as the command looks at."""
    metric: Metric

    @property
    def sample(self) -> RegionTable:
        table, none = self.table, np.zeros((0, 2), np.int64)
        return RegionTable(table.features[self.sampled], table.pixels[self.sampled], table.places[self.sampled], none)


def main() -> None:
    options = _options()
    legend, run = Legend.load(options.classes), Run.open(options.run)
    material = gather(run, options.images, options.masks, legend, options.pixels)
    scored = {"the images": material}
    if options.others:
        scored["other images"] = gather(run, options.others, options.masks, legend, options.pixels)
    classes, clusters = len(legend.classes), run.recipe.clusters
    majority = map_clusters(_counts(material.scored.clusters, material.scored.classes, clusters, classes))
    full = {
        where: _scores(apply_mapping(_counts(part.scored.clusters, part.scored.classes, clusters, classes), majority))
        for where, part in scored.items()
    }
    rows: list[dict[str, Any]] = []
    every = [(repeat, points) for repeat in range(options.repeats) for points in options.points]
    for repeat, points in track(every, len(every), "clicks"):
        for by, click in CLICKS.items():
            clicks = click(material, classes, points, repeat)
            for method, predict in _methods(material, clicks, classes, clusters, repeat).items():
                for where, part in scored.items():
                    scores = _scores(_counts(part.scored.classes, predict(part), classes, classes))
                    row = {"method": method, "clicks": by, "points": points, "repeat": repeat, "scored": where}
                    rows.append(row | scores)
    for where in scored:
        show([row for row in rows if row["scored"] == where], full[where], options.points, where)
    if options.json:
        content = {"machine": describe_machine("cpu"), "run": options.run.name, "classes": legend.names}
        content |= {"pixels": {where: len(part.scored.classes) for where, part in scored.items()}}
        content |= {"all labels, clusters by majority": full, "rows": rows}
        options.json.write_text(json.dumps(content, indent=1) + "\n")


def gather(run: Run, images: list[str], masks: Path, legend: Legend, most: int) -> Material:
    """One pass over the images; of their labelled pixels an even, seeded share."""
    pairs, generator, predictor = labelled_images(images, masks), np.random.default_rng(0), run.predictor
    truths = [read_labels(pair.mask, legend) for pair in pairs]
    share = min(1.0, most / max(1, sum(int((truth < len(legend.classes)).sum()) for truth in truths)))
    tables, bands, middles, scored, first = [], [], [], [], 0
    for number, pair in enumerate(track(pairs, len(pairs), "images")):
        with Raster(pair.scene) as raster:
            for window in grid_windows(raster.info, 256):
                look = predictor.look(raster, window)
                if not look.valid.any():
                    continue
                regions, truth = cut(predictor, look), truths[number][window.slices].astype(np.int64)
                known, values = np.where(truth < len(legend.classes), truth, -1), look.values.astype(np.float32)
                columns = known, values, look.features, look.clusters(1), regions.astype(np.int64) + first
                table = regions_table(look, regions, number)
                rows, places = (table.places[:, 1:] - (window.row, window.column)).T
                chosen = look.valid & (known >= 0) & (generator.random(truth.shape) < share)
                bands.append(region_means(values, regions, look.valid))
                middles.append(Pixels(*(column[rows, places] for column in columns)))
                scored.append(Pixels(*(column[chosen] for column in columns)))
                tables.append(table)
                first += len(table.pixels)
    table = join_tables(tables)
    sampled = generator.choice(first, min(first, SAMPLE), replace=False)
    of_middles, of_scored = (Pixels(*map(np.concatenate, zip(*parts, strict=True))) for parts in (middles, scored))
    return Material(table, np.concatenate(bands), of_middles, of_scored, sampled, Metric.of(table))


def _by_class(material: Material, classes: int, points: int, seed: int) -> Pixels:
    """Random pixels, as many of each class."""
    generator, found = np.random.default_rng(seed), []
    for index in range(classes):
        places = np.flatnonzero(material.scored.classes == index)
        found.append(generator.choice(places, min(points, len(places)), replace=False))
    return material.scored[np.concatenate(found)]


def _anywhere(material: Material, classes: int, points: int, seed: int) -> Pixels:
    """One random pixel of each class, then pixels from anywhere, as many in all."""
    clicks = _by_class(material, classes, 1, seed)
    wanted = max(0, points * classes - len(clicks.classes))
    places = np.random.default_rng(seed).choice(len(material.scored.classes), wanted, replace=False)
    return clicks.and_those(material.scored[places])


def _suggested(material: Material, classes: int, points: int, seed: int) -> Pixels:
    """One random pixel of each class, then suggestions, a batch of as many as there are classes at a time."""
    clicks, sample = _by_class(material, classes, 1, seed), material.sample
    seen = material.table.features[clicks.regions]
    while len(clicks.classes) < points * classes:
        lesson = learn(_labelled(material, clicks, classes), material.metric, sample, (FIRST_STRENGTH,))
        wanted = min(classes, points * classes - len(clicks.classes))
        shares = lesson.classifier.shares(sample.features)
        asked = suggest_rows(sample, material.metric, shares, wanted, labelled=seen, seed=seed)
        if not len(asked):
            break
        seen = np.concatenate([seen, sample.features[asked]])  # also what the user does not know
        answers = material.middles[material.sampled[asked]]
        clicks = clicks.and_those(answers[answers.classes >= 0])
    return clicks


def _labelled(material: Material, clicks: Pixels, classes: int) -> LabelledRegions:
    rows, place = np.unique(clicks.regions, return_inverse=True)
    votes = np.zeros((len(rows), classes), np.int64)
    np.add.at(votes, (place, clicks.classes), 1)
    found, _ = decided(votes)
    kept = found >= 0
    return LabelledRegions(material.table.features[rows[kept]], found[kept], rows[kept])


def _methods(
    material: Material, clicks: Pixels, classes: int, clusters: int, seed: int
) -> dict[str, Callable[[Material], Rows]]:
    """What tells the classes of the pixels that are scored, by method."""
    lesson = learn(_labelled(material, clicks, classes), material.metric, material.sample)
    of_outputs, names = np.array(lesson.classes), _named(material, clicks, classes, clusters)
    pixels, regions = (RandomForestClassifier(100, class_weight="balanced", random_state=seed) for _ in range(2))
    pixels.fit(clicks.values, clicks.classes)
    regions.fit(material.bands[clicks.regions], clicks.classes)
    return {
        "teach": lambda part: of_outputs[lesson.classifier.scores(part.scored.features).argmax(axis=1)],
        "naming clusters": lambda part: names[part.scored.clusters],
        "forest on pixels": lambda part: pixels.predict(part.scored.values),
        "forest on superpixels": lambda part: _by_superpixel(regions, part),
    }


def _by_superpixel(forest: RandomForestClassifier, part: Material) -> Rows:
    seen, place = np.unique(part.scored.regions, return_inverse=True)
    found: Rows = forest.predict(part.bands[seen])[place]
    return found


def _named(material: Material, clicks: Pixels, classes: int, clusters: int) -> Rows:
    """The class of each cluster, (K,)."""
    votes = _counts(clicks.clusters, clicks.classes, clusters, classes)
    means = np.zeros((clusters, material.scored.features.shape[1]))
    for cluster in np.unique(material.scored.clusters).tolist():
        means[cluster] = material.scored.features[material.scored.clusters == cluster].mean(axis=0)
    named = np.flatnonzero(votes.any(axis=1))
    nearest = ((means[:, None] - means[named]) ** 2).sum(axis=2).argmin(axis=1)
    return votes.argmax(axis=1)[named[nearest]]


def _counts(rows: Rows, columns: Rows, height: int, width: int) -> NDArray[np.int64]:
    """(height, width): how often each pair comes."""
    return np.bincount(rows * width + columns, minlength=height * width).reshape(height, width)


def _scores(counts: NDArray[np.int64]) -> dict[str, float]:
    confusion = ConfusionMatrix(counts)
    return {"accuracy": float(confusion.accuracy), "mean_iou": float(confusion.mean_iou)}


def show(rows: list[dict[str, Any]], full: dict[str, float], points: list[int], where: str) -> None:
    title = f"accuracy / mean IoU on {where}, per cent"
    table = Table("method", "clicks", *(f"{count} a class" for count in points), title=title)
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
    parser.add_argument("--others", nargs="+", default=[], help="images that are scored too, and nobody clicks in")
    parser.add_argument("--masks", type=Path, required=True, help="folder of the masks")
    parser.add_argument("--classes", type=Path, required=True, help="names and colours of the classes")
    parser.add_argument("--points", type=int, nargs="+", default=[1, 3, 10, 30], help="clicks for each class")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pixels", type=int, default=60_000, help="labelled pixels that are scored")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


CLICKS = {"as many of each class": _by_class, "anywhere": _anywhere, "suggested": _suggested}

if __name__ == "__main__":
    main()
