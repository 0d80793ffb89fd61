"""What a training step costs at the study's size: 10 patches of 200 x 200, K = 100.

The whole step (forward, vote, class weights, weighted cross-entropy, backward, optimiser) is measured in turn with a
bare one: the same network's forward, plain cross-entropy on labels that are given, backward, optimiser. Their ratio is
what self-training costs; the goal is at most 1.10. With one CPU thread, times are processor times: those of a machine
with nothing else to do.

    python benchmarks/step.py --classifiers 2
    python benchmarks/step.py --classifiers 2 --set width=16 --set patch=100
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional

from terrasift import Recipe, build_network, refine, superpixels
from terrasift.blocks.batch import Batch
from terrasift.blocks.losses import class_weights, weighted_cross_entropy
from terrasift.data.synthetic import synthetic_scene
from terrasift.training import training_step


def main() -> None:
    options = _options()
    device = torch.device(options.device)
    recipe = Recipe.load("paper", [f"classifiers={options.classifiers}", *options.set])
    torch.manual_seed(0)
    network = build_network(recipe.extractor, 3, recipe.clusters, recipe.classifiers, recipe.width).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    batch = Batch(*(tensor.to(device) for tensor in make_batch(recipe)))
    parts = steps(network, optimizer, batch, recipe)
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for repeat in range(options.warmup + options.repeats):
        for name, part in parts.items():  # side by side: what slows one part down slows all
            elapsed = timed(part, device)
            if repeat >= options.warmup:
                seconds[name].append(elapsed)
    show(seconds, recipe, device)
    print(comparison(seconds["whole step"], seconds["bare step"]))


def make_batch(recipe: Recipe) -> Batch:
    scenes = [synthetic_scene(recipe.patch, recipe.patch, seed=seed).image for seed in range(recipe.batch_size)]
    images = torch.stack([torch.from_numpy(scene).permute(2, 0, 1) / 255 for scene in scenes])
    regions = torch.stack([torch.from_numpy(superpixels(scene, area=recipe.refinement.area)) for scene in scenes])
    return Batch(images, regions, torch.ones_like(regions, dtype=torch.bool))


def steps(
    network: torch.nn.Module, optimizer: torch.optim.Optimizer, batch: Batch, recipe: Recipe
) -> dict[str, Callable[[], object]]:
    logits = [tensor.detach().requires_grad_() for tensor in network(batch.images)]
    labels = [tensor.argmax(1) for tensor in logits]
    weights = [class_weights(tensor, recipe.clusters) for tensor in labels]

    def whole_step() -> None:
        optimizer.zero_grad()
        sum(training_step(network, batch, recipe).losses).backward()
        optimizer.step()

    def bare_step() -> None:
        optimizer.zero_grad()
        pairs = zip(network(batch.images), labels, strict=True)
        sum(functional.cross_entropy(tensor, target) for tensor, target in pairs).backward()
        optimizer.step()

    def forward() -> None:
        with torch.no_grad():
            network(batch.images)

    return {
        "whole step": whole_step,
        "bare step": bare_step,
        "forward alone": forward,
        "argmax": lambda: [tensor.argmax(1) for tensor in logits],
        "vote": lambda: [refine(tensor, batch.regions, batch.valid) for tensor in labels],
        "class weights": lambda: [class_weights(tensor, recipe.clusters, valid=batch.valid) for tensor in labels],
        "cross-entropy": lambda: [
            weighted_cross_entropy(*arguments) for arguments in zip(logits, labels, weights, strict=True)
        ],
    }


def timed(part: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    now = time.process_time if on_one_thread(device) else time.perf_counter
    start = now()
    part()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return now() - start


def on_one_thread(device: torch.device) -> bool:
    return device.type == "cpu" and torch.get_num_threads() == 1


def show(seconds: dict[str, list[float]], recipe: Recipe, device: torch.device) -> None:
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} CPU thread(s)"
    name += ", processor time" if on_one_thread(device) else ""
    size = f"{recipe.batch_size} x {recipe.patch} x {recipe.patch}"
    title = f"{size}, K = {recipe.clusters}, {recipe.classifiers} classifiers"
    table = Table(
        "part", "median ms", "min", "max", "share of a step, %", title=f"{title}; {name}, {platform.platform()}"
    )
    whole = statistics.median(seconds["whole step"])
    for part, values in seconds.items():
        median = statistics.median(values)
        table.add_row(part, *(f"{1000 * value:.1f}" for value in (median, min(values), max(values))),
                      f"{100 * median / whole:.2f}")  # fmt: skip
    Console(width=140).print(table)


def comparison(whole: list[float], bare: list[float]) -> str:
    """The whole step against the bare one: of medians, of minima, and of the repeats one by one."""
    ratios = sorted(ours / theirs for ours, theirs in zip(whole, bare, strict=True))
    medians, minima = (pick(whole) / pick(bare) for pick in (statistics.median, min))
    return (
        f"whole step / bare step: {medians:.3f} of medians, {minima:.3f} of minima; "
        f"repeat by repeat {ratios[0]:.3f} to {ratios[-1]:.3f}, median {statistics.median(ratios):.3f}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--classifiers", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
