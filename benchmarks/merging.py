"""Merging clusters without labels against mapping each one by majority, on runs of the Dubai images.

What a run's clusters are like is found on its training patches, without labels. Labels only score: on a sample of the
training patches they say which class each merged class is (the one most of it is, or one to one where there are as many
as the masks have), and on a sample of the others how good that is. Beside the merging of `terrasift legend`, which goes
by the embedding of a run that has one, stand it by the network's prototypes, both without adjacency, plain Ward on
standardised prototypes, and k-means on the clusters' mean spectra.

    python benchmarks/merging.py WORK/default-tile-* --data WORK/patches-128 --classes ../shared/data/dubai/classes.yaml
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.cluster.hierarchy import cut_tree, linkage
from sklearn.cluster import KMeans

from terrasift import Legend, Run
from terrasift.api import labelled_images
from terrasift.clusters import ClusterFacts, gather_facts, merge_clusters, merge_tree, suggest_classes
from terrasift.evaluation import count_overlaps
from terrasift.mapping import apply_mapping, map_clusters
from terrasift.metrics import ConfusionMatrix

Labels = NDArray[np.int64]
ARRAYS = ("pixels", "means", "deviations", "prototypes", "adjacency")
NUMBERS = range(3, 21)  # what is suggested lies in it


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    legend = Legend.load(options.classes)
    folder = Path(options.work or tempfile.mkdtemp(prefix="merging-"))
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for path in options.runs:
        for classifier in range(1, Run(path).recipe.classifiers + 1):
            kept = folder / f"{path.name}-{classifier}.npz"
            if not kept.exists():
                np.savez(kept, **gather(path, classifier, options.data, legend, options.patches))
            rows += score_all(path.name, classifier, dict(np.load(kept)))
    if options.json:
        options.json.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    show(rows)


def gather(path: Path, classifier: int, data: Path, legend: Legend, most: int) -> dict[str, NDArray[Any]]:
    """Facts about the clusters, and their overlaps with the classes of known patches and of others."""
    run = Run.open(path)
    train = run.trained_on
    others = sorted(str(image) for image in (data / "images").iterdir() if str(image) not in set(train))
    facts = gather_facts(run.predictor, train, classifier)
    chance = np.random.default_rng(0)
    arrays = {name: getattr(facts, name) for name in ARRAYS}
    if run.discovery is not None:
        centres = run.discovery.centres[classifier - 1]
        arrays["embedding"] = np.full((run.recipe.clusters, centres.shape[1]), np.nan)
        arrays["embedding"][: len(centres)] = centres
    for name, images in (("test", others), ("known", train)):
        drawn = labelled_images(sorted(chance.permutation(images)[:most].tolist()), data / "masks")
        counts = count_overlaps(run.predictor, drawn, legend)
        arrays[name] = counts[classifier - 1]
        print(f"{path.name}, classifier {classifier}, {name}: done", file=sys.stderr, flush=True)
    return arrays


def score_all(run: str, classifier: int, arrays: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    facts = ClusterFacts(
        **{name: arrays[name] for name in ARRAYS}, crops=(), bands=(), embedding=arrays.get("embedding")
    )
    known, test = arrays["known"], arrays["test"]
    common = {"run": run, "classifier": classifier}
    in_use = int(np.count_nonzero(facts.pixels))
    rows = [common | {"method": "majority of all clusters", "classes": in_use} | scores(known, test)]
    suggested = suggest_classes(merge_tree(facts))
    for method, merge in METHODS.items():
        for count in (count for count in NUMBERS if count < in_use):
            mapping = merge(facts, count)
            groups = [np.zeros((count, known.shape[1]), np.int64) for _ in range(2)]
            for group, counts in zip(groups, (known, test), strict=True):
                np.add.at(group, mapping, counts)
            row = common | {"method": method, "classes": count} | scores(*groups)
            if count == known.shape[1]:
                confusion = ConfusionMatrix(apply_mapping(groups[1], map_clusters(groups[0], "hungarian")))
                row |= {"one_to_one_accuracy": confusion.accuracy, "one_to_one_mean_iou": confusion.mean_iou}
            if method == "merge_clusters" and count == suggested:
                row["suggested"] = True
            rows.append(row)
    return rows


def scores(known: NDArray[Any], test: NDArray[Any]) -> dict[str, float]:
    """Of clusters or merged classes, each given its majority class."""
    confusion = ConfusionMatrix(apply_mapping(test, map_clusters(known)))
    return {"accuracy": confusion.accuracy, "mean_iou": confusion.mean_iou}


def by_prototypes(facts: ClusterFacts, count: int) -> Labels:
    return merge_clusters(dataclasses.replace(facts, embedding=None), count)


def without_adjacency(facts: ClusterFacts, count: int) -> Labels:
    return merge_clusters(dataclasses.replace(facts, adjacency=np.zeros_like(facts.adjacency)), count)


def prototypes_alone(facts: ClusterFacts, count: int) -> Labels:
    return without_adjacency(dataclasses.replace(facts, embedding=None), count)


def plain_ward(facts: ClusterFacts, count: int) -> Labels:
    used = facts.pixels > 0
    points = facts.prototypes[used]
    tree = linkage((points - points.mean(axis=0)) / np.maximum(points.std(axis=0), 1e-9), "ward")
    return of_all(facts, cut_tree(tree, count)[:, 0])


def spectral_kmeans(facts: ClusterFacts, count: int) -> Labels:
    used = facts.pixels > 0
    model = KMeans(count, n_init=10, random_state=0)
    return of_all(facts, model.fit_predict(facts.means[used], sample_weight=facts.pixels[used]))


def of_all(facts: ClusterFacts, groups: NDArray[Any]) -> Labels:
    """Clusters without pixels go where most pixels are."""
    used = facts.pixels > 0
    mapping = np.full(len(used), np.bincount(groups, weights=facts.pixels[used]).argmax(), np.int64)
    mapping[used] = groups
    return mapping


METHODS: dict[str, Callable[[ClusterFacts, int], Labels]] = {
    "merge_clusters": merge_clusters,
    "without adjacency": without_adjacency,
    "by prototypes": by_prototypes,
    "by prototypes, without adjacency": prototypes_alone,
    "plain Ward on prototypes": plain_ward,
    "k-means on mean spectra": spectral_kmeans,
}


def show(rows: list[dict[str, Any]]) -> None:
    several = len({(row["run"], row["classifier"]) for row in rows})
    title = f"mean IoU / accuracy, per cent, means over {several} classifiers of {len({r['run'] for r in rows})} runs"
    table = Table("method", *map(str, NUMBERS), "one to one", title=f"{title}, on {platform.platform()}")
    for method in METHODS:
        cells = [mean([row for row in rows if (row["method"], row["classes"]) == (method, n)]) for n in NUMBERS]
        table.add_row(method, *cells, mean([row for row in rows if row["method"] == method], "one_to_one_"))
    console = Console(width=230, file=sys.stdout)
    console.print(table)
    console.print("majority of all clusters:", mean([row for row in rows if row["method"].startswith("majority")]))
    suggested = [row for row in rows if row.get("suggested")]
    console.print("at the number suggested,", [row["classes"] for row in suggested], ":", mean(suggested))


def mean(rows: list[dict[str, Any]], prefix: str = "") -> str:
    pairs = [(row[f"{prefix}mean_iou"], row[f"{prefix}accuracy"]) for row in rows if f"{prefix}accuracy" in row]
    return " / ".join(f"{100 * value:.1f}" for value in np.mean(pairs, axis=0))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", help="trained runs")
    parser.add_argument("--data", type=Path, required=True, help="folder with images/ and masks/ of patches")
    parser.add_argument("--classes", type=Path, required=True, help="names and colours of the masks' classes")
    parser.add_argument("--patches", type=int, default=250, help="labelled patches of each kind that are mapped")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder for what is gathered; kept, and gone on with if it exists")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
