"""Scenes of any size: memory by the size of the scene, and how near predicting comes to the bare forward pass.

Memory is that of the whole `terrasift predict` process at its highest, on generated scenes, with a narrow network.
Throughput is that of a recipe's full network (the study's with both classifiers): predicting a scene, from opening it
to the finished map, beside the forward passes alone on windows of the same sizes in memory, with the same threads in
the same process.

    python benchmarks/streaming.py --sides 5000 20000 --full 6000 --json benchmarks/results/streaming.json
    python benchmarks/streaming.py --recipe paper --json benchmarks/results/streaming-paper.json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import torch
from rich.console import Console
from rich.table import Table

from terrasift import Recipe, Run
from terrasift.machine import machine_facts, take_large_pages
from terrasift.raster import Raster
from terrasift.run import RunFolder, network_of

NARROW = ("width=4", "clusters=8", "classifiers=1")
FULL = {"paper": ("classifiers=2",), "default": ()}


def main() -> None:
    options = _options()
    take_large_pages()  # before the first tensor, as a command does
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        memory = [measure_memory(side, Path(folder), options) for side in options.sides]
        throughput = measure_throughput(options.full, Path(folder), options.recipe) if options.full else None
    facts = {**machine_facts("cpu"), "threads": options.threads, "recipe": options.recipe}
    if options.json:
        content = {"machine": facts, "memory": memory, "throughput": throughput}
        options.json.write_text(json.dumps(content, indent=2) + "\n")
    show(memory, throughput, facts)


def measure_memory(side: int, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    scene = generated(side, folder)
    run = fresh_run(folder / "narrow", options.recipe, NARROW)
    command = [sys.executable, "-m", "terrasift", "predict", run, scene, "--out", folder / "map.tif"]
    start = time.monotonic()
    child = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": str(options.threads)})
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"predicting {side} x {side} failed")
    seconds = time.monotonic() - start
    size = (folder / "map.tif").stat().st_size
    scene.unlink()
    return {"side": side, "peak_mib": usage.ru_maxrss / 1024, "seconds": seconds, "map_mib": size / 2**20}


def measure_throughput(side: int, folder: Path, recipe: str) -> dict[str, Any]:
    scene = generated(side, folder)
    run = Run.open(fresh_run(folder / "full", recipe, FULL[recipe]))
    with Raster(scene) as raster:
        batches = run.predictor.batches(raster.info)
        start = time.monotonic()
        network = run.predictor.ready(run.predictor.network_of(raster))
        context = time.monotonic() - start
    start = time.monotonic()
    run.predict(scene, folder / "map.tif")
    whole = time.monotonic() - start
    shapes = [(len(batch), batch[0].read.height, batch[0].read.width) for batch in batches]
    inputs = {shape: torch.rand(shape[0], 3, *shape[1:]) for shape in set(shapes)}
    start = time.monotonic()
    with torch.inference_mode():
        for shape in shapes:
            network(inputs[shape])
    bare = time.monotonic() - start
    scene.unlink()
    return {"side": side, "windows": len(shapes), "whole_seconds": whole, "context_seconds": context,
            "bare_seconds": bare, "ratio": bare / whole}  # fmt: skip


def generated(side: int, folder: Path) -> Path:
    """Fields of some hundred pixels with noise, three bands of uint8, tiled and uncompressed."""
    path = folder / f"scene-{side}.tif"
    profile = {"driver": "GTiff", "height": side, "width": side, "count": 3, "dtype": "uint8", "crs": "EPSG:32633"}
    profile |= {"transform": rasterio.Affine(0.2, 0, 5e5, 0, -0.2, 5e6), "tiled": True, "bigtiff": "if_safer"}
    generator = np.random.default_rng(0)
    fields = generator.integers(30, 220, (3, -(-side // 128), -(-side // 128)), np.uint8)
    with rasterio.open(path, "w", **profile) as dataset:
        for row in range(0, side, 512):
            height = min(512, side - row)
            rows = fields[:, (row + np.arange(height)) // 128][:, :, np.arange(side) // 128]
            noise = generator.integers(0, 30, (3, height, side), np.uint8)
            dataset.write(rows + noise, window=rasterio.windows.Window(0, row, side, height))
    return path


def fresh_run(path: Path, name: str, changes: tuple[str, ...]) -> Path:
    """A run with the weights that training would begin with, and normalisation that has seen some images."""
    scaling = "scaling={dtype: uint8, low: [0, 0, 0], high: [255, 255, 255], fill: [0.5, 0.5, 0.5]}"
    recipe = Recipe.load(name, [*changes, "predict.context=scene", scaling, "compute.device=cpu"])
    run = RunFolder(path)
    if not run.is_finished:
        torch.manual_seed(0)
        run.begin(recipe, [])
        network = network_of(recipe).train()
        with torch.no_grad():
            for _ in range(30):
                network(torch.rand(2, 3, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3))
        run.finish(network)
    return path


def show(memory: list[dict[str, Any]], throughput: dict[str, Any] | None, facts: dict[str, Any]) -> None:
    title = ", ".join(f"{name}: {value}" for name, value in facts.items())
    table = Table("scene", "peak memory, MiB", "seconds", "map, MiB", title=f"Memory ({title})")
    for row in memory:
        side = f"{row['side']} x {row['side']} x 3"
        table.add_row(side, f"{row['peak_mib']:.0f}", f"{row['seconds']:.0f}", f"{row['map_mib']:.1f}")
    console = Console(width=150, file=sys.stdout)
    console.print(table)
    if throughput is None:
        return
    table = Table("scene", "windows", "whole, s", "of it context, s", "bare forward, s", "ratio", title="Full network")
    side = f"{throughput['side']} x {throughput['side']} x 3"
    cells = (f"{throughput[name]:.1f}" for name in ("whole_seconds", "context_seconds", "bare_seconds"))
    table.add_row(side, str(throughput["windows"]), *cells, f"{throughput['ratio']:.3f}")
    console.print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="*", default=[5000, 20000], help="of the scenes, pixels")
    parser.add_argument("--full", type=int, default=6000, help="side of the scene for the full network; 0: none")
    parser.add_argument("--recipe", default="default", choices=list(FULL))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="for the scenes: 1.2 GB for 20,000 pixels")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
