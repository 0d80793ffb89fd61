"""How time and memory grow with the size of a scene: each stage in a process of its own, on generated scenes.

    python benchmarks/growth.py --json growth.json --picture growth.png
    python benchmarks/growth.py --stages discover --megapixels 10 100 1000 --json discovery.json

Stages: `train` (the recipe `default`, --steps steps), `discover` (without a network), `predict` and `evaluate` (with
the network trained on the smallest scene), and `polygons` of the map. Goals: seconds a megapixel stay what they are,
and memory too; those of training and discovery end with the sample that they look at, 30 megapixels.
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
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from terrasift.machine import machine_facts

STAGES = ("train", "discover", "predict", "evaluate", "polygons")
CLASSES = "classes:\n" + "".join(f'  - {{name: field {n}, color: "#0000{n:02X}"}}\n' for n in range(6))
FIELD = 128  # pixels


def main() -> None:
    options = _options()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        (folder / "classes.yaml").write_text(CLASSES)
        for megapixels in options.megapixels:
            scene = generate(round(1000 * megapixels**0.5), folder, masked="evaluate" in options.stages)
            for stage in options.stages:
                row = {"stage": stage, "megapixels": megapixels, **measure(stage, scene, folder, options)}
                rows.append(row)
                print(json.dumps(row), flush=True)
            clear(folder, scene)
    found = {"machine": machine_facts("cpu"), "changes": options.set, "rows": rows}
    show(rows)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.picture:
        draw(rows, options.picture)


def measure(stage: str, scene: Path, folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Seconds and the most memory of the command, with the processes it waits for."""
    run, out = folder / "run", folder / "map.tif"
    terrasift = [sys.executable, "-m", "terrasift"]
    changes = ["--set", f"steps={options.steps}", *(part for change in options.set for part in ("--set", change))]
    again = folder / f"run-{scene.stem}"
    discover = f"import terrasift; terrasift.discover([{str(scene)!r}], cache={str(folder / scene.stem)!r})"
    polygons = f"from terrasift.raster import write_polygons as w; w({str(out)!r}, {str(folder / 'map.gpkg')!r})"
    commands: dict[str, list[Any]] = {
        "train": [*terrasift, "train", scene, "--out", again, "--no-cache", *changes],
        "discover": [sys.executable, "-c", discover],
        "predict": [*terrasift, "predict", run, scene, "--out", out],
        "evaluate": [*terrasift, "evaluate", run, scene, "--masks", folder / "masks", "--classes",
                     folder / "classes.yaml", "--no-baselines"],
        "polygons": [sys.executable, "-c", polygons],
    }  # fmt: skip
    if stage in ("predict", "evaluate") and not run.exists():
        again.rename(run) if again.exists() else _run(
            [*terrasift, "train", scene, "--out", run, "--no-cache", *changes]
        )
    if stage == "polygons" and not out.exists():
        raise SystemExit("polygons are those of a map: add the stage predict before it")
    start = time.monotonic()
    memory = _run(commands[stage])
    return {"seconds": time.monotonic() - start, "peak_mib": memory}


def _run(command: list[Any]) -> float:
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen([str(part) for part in command], stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            said.seek(0)
            raise SystemExit(f"{' '.join(map(str, command))}\n{said.read().decode()[-2000:]}")
    return usage.ru_maxrss / 1024


def generate(side: int, folder: Path, *, masked: bool) -> Path:
    """Fields of 128 px, six kinds of them, with noise: three bands of uint8, tiled; and the mask of their kinds."""
    path = folder / f"scene-{side}.tif"
    profile = {"driver": "GTiff", "height": side, "width": side, "dtype": "uint8", "crs": "EPSG:32633", "tiled": True}
    profile |= {"transform": rasterio.Affine(0.2, 0, 5e5, 0, -0.2, 5e6), "bigtiff": "if_safer"}
    generator = np.random.default_rng(0)
    colours = generator.integers(30, 220, (3, 6), np.uint8)
    kinds = generator.integers(0, 6, (-(-side // FIELD), -(-side // FIELD)), np.uint8)
    (folder / "masks").mkdir(exist_ok=True)
    with (
        rasterio.open(path, "w", count=3, **profile) as image,
        rasterio.open(folder / "masks" / path.name, "w", count=1, compress="deflate", **profile) as mask,
    ):
        for row in range(0, side, 512):
            height = min(512, side - row)
            fields = kinds[:, np.arange(side) // FIELD][(row + np.arange(height)) // FIELD]
            window = rasterio.windows.Window(0, row, side, height)
            image.write(colours[:, fields] + generator.integers(0, 30, (3, height, side), np.uint8), window=window)
            if masked:
                mask.write(fields[None], window=window)
    return path


def clear(folder: Path, scene: Path) -> None:
    for path in (scene, folder / "masks" / scene.name, folder / "map.tif", folder / "map.gpkg"):
        path.unlink(missing_ok=True)


def show(rows: list[dict[str, Any]]) -> None:
    table = Table("stage", "Mpx", "seconds", "seconds a Mpx", "peak memory, MiB", title=machine_facts("cpu")["device"])
    for row in sorted(rows, key=lambda row: (STAGES.index(row["stage"]), row["megapixels"])):
        each = row["seconds"] / row["megapixels"]
        table.add_row(row["stage"], f"{row['megapixels']:g}", f"{row['seconds']:.1f}", f"{each:.2f}",
                      f"{row['peak_mib']:.0f}")  # fmt: skip
    Console(width=100).print(table)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots(1, 2)
    names = ("seconds", "peak_mib"), ("seconds", "peak memory, MiB")
    for axis, key, label in zip(axes, *names, strict=True):
        for stage in dict.fromkeys(row["stage"] for row in rows):
            own = [row for row in rows if row["stage"] == stage]
            axis.plot([row["megapixels"] for row in own], [row[key] for row in own], marker="o", label=stage)
        axis.set(xscale="log", yscale="log", xlabel="megapixels", ylabel=label)
        axis.grid(visible=True, alpha=0.3)
    axes[0].legend()
    figure.savefig(path, dpi=120)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 25, 100, 400])
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=["train", "predict", "evaluate", "polygons"])
    parser.add_argument("--steps", type=int, default=100, help="of a training")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--folder", type=Path, help="for the scenes: 1.2 GB for 400 megapixels")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
