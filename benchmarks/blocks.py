"""Every extractor with every loss weight, number of classifiers and refinement, at one budget, on the Dubai images.

3 extractors x {weighted, plain cross-entropy} x {1, 2 classifiers} x {slic, external} = 24 cells. All train for the
same steps on the same patches of a random split of the Dubai images, are mapped on the same training patches, and are
scored on its test patches. Widths: 16 for Kan and DIC; SEEK's is K, as its single classifier demands. Cells run side by
side, one thread each; those whose row is in --json already are skipped.

    python benchmarks/blocks.py --data ../shared/data/dubai --work blocks --json benchmarks/results/blocks.json
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import sys
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch
from context import SCORES
from rich.console import Console
from rich.table import Table

import terrasift
from terrasift.legend import Legend
from terrasift.recipe import Recipe
from terrasift.study.patches import cut_patches, random_split

Row = dict[str, Any]
FACTORS = ("extractor", "class_weights", "classifiers", "refinement")
MAPPED_PATCHES = 240


class Cell(NamedTuple):
    extractor: str
    class_weights: str
    classifiers: int
    refinement: str

    @property
    def name(self) -> str:
        return "-".join(map(str, self))

    def recipe(self, steps: int, seed: int) -> Recipe:
        width = None if self.extractor == "seek" else 16
        return Recipe.from_tree(
            {"extractor": self.extractor, "width": width, "class_weights": self.class_weights, "patch": 128,
             "classifiers": self.classifiers, "refinement": {"method": self.refinement}, "batch_size": 8,
             "steps": steps, "lr": 1e-3, "lr_final": 1e-4, "seed": seed}
        )  # fmt: skip


CELLS = [
    Cell(*values)
    for values in itertools.product(
        ("kan", "seek", "dic"), ("balanced", "none"), (1, 2), ("slic", "external")
    )
]  # fmt: skip


def main() -> None:
    options = _options()
    legend = Legend.load(options.data / "classes.yaml")
    labelled = cut_patches(options.data, legend, options.work / "patches-128", 128)
    patches = [Path(image.scene) for image in labelled]
    done: list[Row] = json.loads(options.json.read_text()) if options.json.exists() else []
    have = {(*(row[name] for name in FACTORS), row["seed"]) for row in done}
    jobs = [(cell, seed) for seed in options.seeds for cell in CELLS if (*cell, seed) not in have]
    work = joblib.Parallel(
        n_jobs=options.jobs, return_as="generator_unordered", batch_size=1, pre_dispatch=options.jobs
    )
    for rows in work(
        joblib.delayed(run)(cell, seed, options.steps, patches, legend, options.work) for cell, seed in jobs
    ):
        done += rows
        options.json.write_text("[\n" + ",\n".join(map(json.dumps, done)) + "\n]\n")
        print(rows[-1], flush=True)
    show(done)


def run(cell: Cell, seed: int, steps: int, patches: list[Path], legend: Legend, work: Path) -> list[Row]:
    """A row for each classifier."""
    torch.set_num_threads(1)
    train, test = random_split(patches, seed)
    folder = work / f"{cell.name}-{seed}"
    trained = terrasift.train(
        train, folder, cell.recipe(steps, seed), resume=True, cache=work / "cache"
    )  # fmt: skip
    evaluation = trained.evaluate(
        test, test[0].parents[1] / "masks", legend, map_images=train[:: len(train) // MAPPED_PATCHES],
        baselines=False,
    )  # fmt: skip
    return [
        {**cell._asdict(), "classifier": scores.classifier, "best": scores is evaluation.best, "seed": seed,
         "steps": steps, **{name: getattr(scores.confusion, name) for name in SCORES}}
        for scores in evaluation.classifiers
    ]  # fmt: skip


def show(rows: list[Row]) -> None:
    """A line for each cell, the mean over its seeds of the classifier that maps best; then the mean of each choice."""
    rows = [row for row in rows if row["best"]]
    seeds = len({row["seed"] for row in rows})
    steps = rows[0]["steps"]
    title = f"Dubai, {steps} steps, {seeds} seeds, per cent, on {platform.platform()}"
    table = Table(*FACTORS, *SCORES, title=title)
    for cell in CELLS:
        _add(table, tuple(map(str, cell)), [row for row in rows if tuple(row[name] for name in FACTORS) == cell])
    table.add_section()
    for factor in FACTORS:
        for value in dict.fromkeys(row[factor] for row in rows):
            cells = tuple(str(value) if name == factor else "" for name in FACTORS)
            _add(table, cells, [row for row in rows if row[factor] == value])
    Console(width=150, file=sys.stdout).print(table)


def _add(table: Table, cells: tuple[str, ...], rows: list[Row]) -> None:
    if rows:
        means = (f"{100 * np.mean([row[name] for row in rows]):.1f}" for name in SCORES)
        table.add_row(*cells, *means)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with images/, masks/ and classes.yaml")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for patches and runs; gone on with if it exists"
    )
    parser.add_argument("--json", type=Path, required=True, help="the rows; those that are there are not made again")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--jobs", type=int, default=joblib.cpu_count())
    return parser.parse_args()


if __name__ == "__main__":
    main()
