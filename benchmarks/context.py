"""What the scene's context does to maps and scores, against the context of single patches, on the Dubai images.

The nine parts of each tile make one scene. A trained run maps every scene with several windows and both contexts. Each
scene is scored with the mapping found on the others (a single one with its own); maps of other windows are compared
with that of the largest.

    python benchmarks/context.py RUN --data ../shared/data/dubai --tiles 1 2 --json benchmarks/results/context.json
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from terrasift import Run
from terrasift.legend import IGNORE, Legend
from terrasift.mapping import apply_mapping, map_clusters
from terrasift.metrics import ConfusionMatrix
from terrasift.prediction import cluster_maps
from terrasift.raster import Raster, read_labels, write_image

SCORES = ("accuracy", "mean_iou", "weighted_iou", "mean_f1")
Labels = NDArray[np.int64]


class Way(NamedTuple):
    """A way to predict: a context, the side of the windows, and for patches their margin."""

    context: str
    window: int
    margin: int = 0

    @property
    def changes(self) -> list[str]:
        return [f"predict.context={self.context}", f"predict.window={self.window}", f"predict.margin={self.margin}"]


WAYS = (
    Way("scene", 1024), Way("scene", 333), Way("scene", 200), Way("scene", 128),
    Way("patch", 1024, 32), Way("patch", 512, 32), Way("patch", 128, 32), Way("patch", 128),
)  # fmt: skip


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    legend = Legend.load(options.data / "classes.yaml")
    recipe = Run(options.run).recipe
    ways = (WAYS[0], WAYS[3], WAYS[5]) if options.quick else WAYS
    counts: dict[tuple[Way, int], list[NDArray[np.int64]]] = defaultdict(list)
    same: dict[tuple[Way, int], list[float]] = defaultdict(list)
    seconds: dict[Way, float] = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder:
        for tile in options.tiles:
            scene, truth = mosaic(options.data, tile, legend, Path(folder))
            largest: list[Labels] = []
            for way in ways:
                start = time.monotonic()
                maps = whole_maps(options.run, scene, way)
                seconds[way] += time.monotonic() - start
                largest = largest or maps
                for index, (found, whole) in enumerate(zip(maps, largest, strict=True)):
                    counted = truth != IGNORE
                    pairs = found[counted] * len(legend.classes) + truth[counted]
                    table = np.bincount(pairs, minlength=recipe.clusters * len(legend.classes))
                    counts[way, index].append(table.reshape(recipe.clusters, -1))
                    same[way, index].append(float((found == whole).mean()))
                print(f"tile {tile}, {way}: done", file=sys.stderr, flush=True)
    rows = [
        {**way._asdict(), "classifier": index + 1, "seconds": round(seconds[way], 1),
         "equal_to_scene_1024": float(np.mean(same[way, index])), **scores(counts[way, index])}
        for way in ways for index in range(recipe.classifiers)
    ]  # fmt: skip
    if options.json:
        options.json.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    show(rows, options.tiles)


def mosaic(data: Path, tile: int, legend: Legend, folder: Path) -> tuple[Path, NDArray[np.uint8]]:
    """A tile's nine parts, row by row, as one scene and its mask; what sticks out is cut off."""
    images, masks = [], []
    for row in range(3):
        parts = [f"tile{tile}_part{3 * row + column + 1}" for column in range(3)]
        images.append(_joined([_read(next((data / "images").glob(f"{part}.*"))) for part in parts], axis=1))
        masks.append(_joined([read_labels(next((data / "masks").glob(f"{part}.*")), legend) for part in parts], axis=1))
    scene = folder / f"tile{tile}.tif"
    write_image(scene, _joined(images, axis=0))
    return scene, _joined(masks, axis=0)


def whole_maps(run: Path, scene: Path, way: Way) -> list[Labels]:
    with Raster(scene) as raster:
        return cluster_maps(Run(run, way.changes).predictor.segment(raster), raster.info.height, raster.info.width)


def scores(tables: list[NDArray[np.int64]]) -> dict[str, float]:
    """Of all scenes, each with the mapping found on the others; a single one with its own."""
    total = np.sum(tables, axis=0)
    known = [total - table for table in tables] if len(tables) > 1 else tables
    confusion = sum(apply_mapping(table, map_clusters(found)) for table, found in zip(tables, known, strict=True))
    matrix = ConfusionMatrix(np.asarray(confusion))
    return {name: float(getattr(matrix, name)) for name in SCORES}


def show(rows: list[dict[str, Any]], tiles: list[int]) -> None:
    title = f"Dubai, tiles {', '.join(map(str, tiles))} as scenes, per cent, on {platform.platform()}"
    table = Table("context", "window", "margin", "classifier", "seconds", "equal to scene 1024", *SCORES, title=title)
    for row in rows:
        margin = str(row["margin"]) if row["context"] == "patch" else "reach"
        cells = (row["context"], str(row["window"]), margin, str(row["classifier"]), f"{row['seconds']:.0f}")
        equal = f"{100 * row['equal_to_scene_1024']:.4f}"
        table.add_row(*cells, equal, *(f"{100 * row[name]:.1f}" for name in SCORES))
    Console(width=150, file=sys.stdout).print(table)


def _read(path: Path) -> NDArray[Any]:
    with Raster(path) as raster:
        return raster.read()[0]


def _joined(parts: list[NDArray[Any]], axis: int) -> NDArray[Any]:
    side = min(part.shape[1 - axis] for part in parts)
    return np.concatenate([np.take(part, np.arange(side), axis=1 - axis) for part in parts], axis=axis)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a trained run")
    parser.add_argument("--data", type=Path, required=True, help="folder with images/, masks/ and classes.yaml")
    parser.add_argument("--tiles", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--quick", action="store_true", help="the scene's context twice, patches once")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
