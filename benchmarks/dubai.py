"""The default recipe against k-means on pixels, on the Dubai images.

Two splits: `random` (the study's kind: a seeded random 10 % of the patches for test, the rest for training and
mapping) and `tile` (trained and mapped on tiles 1-4, tested on tile 5). Prints a row for each seed and the means.

    python benchmarks/dubai.py --data ../shared/data/dubai --json dubai.json
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import terrasift
from terrasift.api import labelled_images
from terrasift.baselines import PixelKMeans
from terrasift.data.patches import index_patches
from terrasift.data.scenes import describe_scenes
from terrasift.evaluation import evaluate_segmenter
from terrasift.legend import Legend
from terrasift.recipe import Recipe
from terrasift.study.patches import cut_patches, random_split

Row = dict[str, Any]
SCORES = ("accuracy", "mean_iou", "weighted_iou", "mean_f1")


def main() -> None:
    options = _options()
    folder = Path(options.work or tempfile.mkdtemp(prefix="dubai-"))
    legend = Legend.load(options.data / "classes.yaml")
    recipe = Recipe.load(options.recipe, options.set)
    labelled = cut_patches(options.data, legend, folder / f"patches-{recipe.patch}", recipe.patch)
    patches = [Path(image.scene) for image in labelled]
    rows = []
    for split in options.splits:
        for seed in options.seeds:
            train, test = random_split(patches, seed) if split == "random" else tile_split(patches)
            seeded = recipe.model_copy(update={"seed": seed})
            rows += kmeans_row(train, test, legend, split, seed, seeded) if options.kmeans else []
            rows += network_rows(train, test, legend, split, seed, seeded, folder / f"{options.name}-{split}-{seed}")
            _save(options.json, rows)
    show(rows)


def tile_split(patches: list[Path]) -> tuple[list[Path], list[Path]]:
    test = [path for path in patches if path.name.startswith("tile5")]
    return [path for path in patches if path not in test], test


def network_rows(
    train: list[Path], test: list[Path], legend: Legend, split: str, seed: int, recipe: Recipe, out: Path
) -> list[Row]:
    start = time.monotonic()
    run = terrasift.train(train, out, recipe, resume=True)
    seconds = time.monotonic() - start
    masks = test[0].parents[1] / "masks"
    evaluation = run.evaluate(test, masks, legend, map_images=train, baselines=False)
    return [
        {"split": split, "method": f"terrasift, classifier {scores.classifier}", "seed": seed, "seconds": seconds,
         "best": scores is evaluation.best, **{name: getattr(scores.confusion, name) for name in SCORES}}
        for scores in evaluation.classifiers
    ]  # fmt: skip


def kmeans_row(train: list[Path], test: list[Path], legend: Legend, split: str, seed: int, recipe: Recipe) -> list[Row]:
    start = time.monotonic()
    infos = describe_scenes([str(path) for path in train])
    windows = index_patches(infos, recipe.patch, recipe.min_valid)
    scaling = terrasift.Scaling(dtype="uint8", low=(0,) * 3, high=(255,) * 3, fill=(0,) * 3)
    model = PixelKMeans(recipe.clusters, scaling, seed=seed).fit(windows)
    seconds = time.monotonic() - start
    masks = test[0].parents[1] / "masks"
    tested, mapped = labelled_images(test, masks), labelled_images(train, masks)
    scores = evaluate_segmenter(model.scene, legend, recipe.clusters, tested, mapped).best
    row = {"split": split, "method": f"MiniBatchKMeans({recipe.clusters}) on pixels", "seed": seed, "seconds": seconds}
    return [row | {name: getattr(scores.confusion, name) for name in SCORES}]


def show(rows: list[Row]) -> None:
    table = Table("split", "method", "seed", "seconds", *SCORES, title=f"Dubai on {platform.platform()}")
    for row in rows:
        method = f"{row['method']}{' (best on mapping set)' if row.get('best') else ''}"
        scores = (f"{100 * row[name]:.1f}" for name in SCORES)
        table.add_row(row["split"], method, str(row["seed"]), f"{row['seconds']:.0f}", *scores)
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["split"], row["method"]), []).append(row)
        if row.get("best"):
            groups.setdefault((row["split"], "terrasift, best on mapping set"), []).append(row)
    table.add_section()
    for (split, method), group in groups.items():
        mean = {name: 100 * np.mean([row[name] for row in group]) for name in SCORES}
        spread = {name: 100 * np.std([row[name] for row in group]) for name in SCORES}
        table.add_row(split, method, f"mean of {len(group)}", f"{np.mean([row['seconds'] for row in group]):.0f}",
                      *(f"{mean[name]:.1f} ± {spread[name]:.1f}" for name in SCORES))  # fmt: skip
    Console(width=160, file=sys.stdout).print(table)


def _save(path: Path | None, rows: list[Row]) -> None:
    if path is not None:
        path.write_text(json.dumps(rows, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with images/, masks/ and classes.yaml")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--splits", nargs="+", default=["random", "tile"], choices=["random", "tile"])
    parser.add_argument("--no-kmeans", dest="kmeans", action="store_false")
    parser.add_argument("--name", default="default", help="of the run folders in --work")
    parser.add_argument("--work", type=Path, help="folder for patches and runs; kept, and gone on with if it exists")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
