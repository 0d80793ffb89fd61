"""The study's full protocol on one machine: how fast it trains, and how many hours the whole study would take.

Generated towns, cut to patches and stored as `terrasift prepare potsdam` stores them, go the way of any training: their
regions are made first, on all cores, then `terrasift.train` runs the recipe `paper` (10 patches of 200 x 200, K = 100,
DIC, two classifiers). Of its 10 epochs of 8,550 patches it trains --steps, over as many patches as these see, and times
all but the first tenth of them; --steps 0 trains everything. On a GPU, --workers processes read patches ahead.

The hours of the study are an estimate: the sum over all networks that its tables name, each once, of

    epochs x 770 steps (7,695 training patches in tens) x seconds of a step,

the seconds measured for each kind of network over --cell-steps steps; and the regions of all 8,550 patches by both
methods on the cores of this machine. Preparing the tiles, scoring and the baselines are not in it.

    python benchmarks/protocol.py --work protocol --device cuda --precision bf16-mixed --json protocol.json
    python benchmarks/protocol.py --work protocol --device cpu --patches 40 --epochs 1 --set width=8 --cell-steps 2
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.io import savemat

import terrasift
from terrasift import Recipe
from terrasift.data.patches import PatchReader, index_patches, windows_of
from terrasift.data.regions import RegionCache, prepare_regions
from terrasift.data.scaling import measure_scaling
from terrasift.data.scenes import describe_scenes
from terrasift.data.synthetic import synthetic_scene
from terrasift.study.experiments import EXPERIMENTS, STUDY_DEFAULTS
from terrasift.training import make_fabric

SCENE = 1000  # pixels; cut into patches, each taken in its 8 orientations
TRAINING_PATCHES, ALL_PATCHES = 7_695, 8_550
EXTERNAL_PATCHES = 128  # enough to time the external algorithm
SAME_SPEED = {
    "lr",
    "lr_final",
    "epochs",
    "refinement",
    "class_weights",
    "seed",
}  # keys that do not change a step's time


def main() -> None:
    options = _options()
    recipe = settings(options, {})
    whole = options.epochs * math.ceil(options.patches / recipe.batch_size)
    steps = min(options.steps or whole, whole)
    count = min(options.patches, steps * recipe.batch_size)
    found: dict[str, Any] = {**machine(recipe), "patches": count, "steps": steps}
    found["recipe"] = recipe.model_dump(mode="json", exclude={"scaling", "predict"})
    start = time.perf_counter()
    images = generate(options.work / "patches", count, recipe.patch)
    found["seconds to generate"] = time.perf_counter() - start
    options.work.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.work) as temporary:
        cache = Path(temporary) / "superpixels"
        found["seconds a patch"] = regions(recipe, images, cache)
        found |= train(recipe.model_copy(update={"steps": steps}), images, cache)
        show("the recipe paper", found)
        if options.cell_steps:
            found["study"] = study(options, images, cache, found["seconds a patch"])
            show("the whole study: an estimate, see --help", found["study"])
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def settings(options: argparse.Namespace, changes: dict[str, Any]) -> Recipe:
    compute = {"device": options.device, "precision": options.precision, "workers": options.workers}
    assigned = [f"compute.{key}={json.dumps(value)}" for key, value in compute.items()]
    return Recipe.load(
        "paper", [*assigned, *options.set, *(f"{key}={json.dumps(value)}" for key, value in changes.items())]
    )


def machine(recipe: Recipe) -> dict[str, Any]:
    device = make_fabric(recipe).device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU thread(s)"
    return {"device": name, "cores": joblib.cpu_count(), "system": platform.platform(), "torch": torch.__version__}


def generate(folder: Path, count: int, side: int) -> list[str]:
    """The first `count` patches; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    of_scene = 8 * len(windows_of(SCENE, SCENE, side))
    firsts = range(0, count, of_scene)
    joblib.Parallel(-1)(
        joblib.delayed(_generate)(folder, first, min(count, first + of_scene), side) for first in firsts
    )
    return [str(folder / f"{side}-{number}.mat") for number in range(count)]


def _generate(folder: Path, first: int, end: int, side: int) -> None:
    paths = [folder / f"{side}-{number}.mat" for number in range(first, end)]
    if all(path.exists() for path in paths):
        return
    image = synthetic_scene(SCENE, SCENE, seed=first).image
    cut = (image[at.row : at.row + side, at.column : at.column + side] for at in windows_of(SCENE, SCENE, side))
    views = (np.rot90(mirrored, turns) for patch in cut for mirrored in (patch, patch[:, ::-1]) for turns in range(4))
    for path, view in zip(paths, views, strict=False):
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            savemat(file, {"img": view})
        partial.replace(path)


def regions(recipe: Recipe, images: list[str], cache: Path) -> dict[str, float]:
    """Seconds that making the regions of a patch takes, on all cores; those by SLIC stay for the training."""
    infos = describe_scenes(images)
    patches = index_patches(infos, recipe.patch, recipe.min_valid)
    reader = PatchReader(scaling=measure_scaling(infos, patches, None, recipe.seed))
    seconds = {}
    for method, some in (("slic", patches), ("external", patches[:EXTERNAL_PATCHES])):
        refinement = recipe.refinement.model_copy(update={"method": method})
        start = time.perf_counter()
        prepare_regions(RegionCache(cache, refinement), reader, some, recipe.patch)
        seconds[method] = (time.perf_counter() - start) / len(some)
    return seconds


def train(recipe: Recipe, images: list[str], cache: Path) -> dict[str, Any]:
    """Images per second once the training is under way, and the most memory of the GPU that it took."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
        run = terrasift.train(images, Path(folder) / "run", recipe, cache=cache, cache_limit=10**12)
        assert run.log is not None
        seconds = run.log.seconds.tolist()
    steady = seconds[max(1, len(seconds) // 10) :]
    found = {"seconds a step": sum(steady) / len(steady)}  # not the median: worker processes deliver in bursts
    found["images a second"] = recipe.batch_size / found["seconds a step"]
    if torch.cuda.is_available():
        found["GPU memory, GiB"] = torch.cuda.max_memory_allocated() / 2**30
    return found


class Network(NamedTuple):
    """One training of the study's tables, seed 0."""

    name: str
    recipe: Recipe

    @property
    def kind(self) -> str:
        """Networks of one kind take the same time for a step."""
        return self.recipe.model_dump_json(exclude=SAME_SPEED)


def networks(options: argparse.Namespace) -> list[Network]:
    """All that the study trains, each once."""
    found: dict[str, Network] = {}
    for experiment in EXPERIMENTS:
        for cell in experiment.cells:
            if cell.method == "network":
                recipe = settings(options, {**STUDY_DEFAULTS, **cell.changes})
                found.setdefault(recipe.model_dump_json(), Network(f"{experiment.name}: {cell.variant}", recipe))
    return list(found.values())


def study(options: argparse.Namespace, images: Sequence[str], cache: Path, a_patch: dict[str, float]) -> dict[str, Any]:
    """Hours on this machine."""
    seconds: dict[str, float] = {}
    for network in (every := networks(options)):
        if network.kind not in seconds:
            recipe = network.recipe
            update = {
                "steps": options.cell_steps,
                "refinement": settings(options, {}).refinement,
            }  # voting costs the same
            some = list(images[: options.cell_steps * recipe.batch_size])
            seconds[network.kind] = train(recipe.model_copy(update=update), some, cache)["seconds a step"]
            print(f"{network.name}: {seconds[network.kind]:.3f} s a step", flush=True)
    hours = {}
    for network in every:
        steps = network.recipe.epochs * math.ceil(TRAINING_PATCHES / network.recipe.batch_size)
        hours[network.name] = steps * seconds[network.kind] / 3600
    made = ALL_PATCHES * sum(a_patch.values()) / 3600
    return {"hours of networks": hours, "hours of regions": made, "hours in all": sum(hours.values()) + made}


def show(title: str, found: dict[str, Any]) -> None:
    table = Table("what", "value", title=title)
    for name, value in found.items():
        if isinstance(value, dict) and name != "recipe":
            for key, number in value.items():
                table.add_row(f"{name}: {key}", f"{number:.4g}")
        elif name != "recipe":
            table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    Console(width=120).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for the patches, which are kept, and for runs")
    parser.add_argument("--patches", type=int, default=ALL_PATCHES)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=300, help="of them at most; 0: all")
    parser.add_argument("--cell-steps", type=int, default=30, help="for each kind of network; 0: no hours of the study")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--workers", type=int, help="default: 8 with a GPU, fewer with fewer cores; else 0")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.workers is None:
        gpu = options.device != "cpu" and torch.cuda.is_available()
        options.workers = min(8, os.cpu_count() or 1) if gpu else 0
    return options


if __name__ == "__main__":
    main()
