"""One image, one network: self-training as Kanezaki published it, beside a plain loop written straight from the paper.

The plain loop is what the paper's algorithm 1 and its script say, line by line, in eager float32: every superpixel's
pixels are looked up one superpixel after the other, and their labels counted by NumPy. Ours is
`baselines.PerImageOptimisation` in bfloat16 where the processor computes that fast. Both see the same image,
superpixels and steps, each time in a process of its own; the labels of both are scored by the majority class of each
label.

    python benchmarks/per_image.py --json per_image.json
    python benchmarks/per_image.py --image DIR/images/a.png --mask DIR/masks/a.png --classes DIR/classes.yaml

Goal: ours at least 3 times as fast, and labels as good.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional

from terrasift import superpixels
from terrasift.baselines import PerImageOptimisation
from terrasift.data.synthetic import synthetic_scene
from terrasift.legend import Legend
from terrasift.machine import machine_facts
from terrasift.raster import Raster, read_labels
from terrasift.recipe import Scaling

CHANNELS = 100
AREA, COMPACTNESS = 15, 100.0  # the paper's 10,000 superpixels of a 481 x 321 px image
RATE, MOMENTUM = 0.1, 0.9


class PlainNetwork(nn.Module):
    """Two 3x3 convolutions and a 1x1, each with batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, CHANNELS, 3, padding=1), nn.BatchNorm2d(CHANNELS)
        self.conv2, self.bn2 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.BatchNorm2d(CHANNELS)
        self.conv3, self.bn3 = nn.Conv2d(CHANNELS, CHANNELS, 1), nn.BatchNorm2d(CHANNELS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.bn1(functional.relu(self.conv1(x)))
        x = self.bn2(functional.relu(self.conv2(x)))
        return self.bn3(self.conv3(x))


def plain_loop(image: NDArray[np.float32], regions: NDArray[np.int32], steps: int, seed: int) -> NDArray[np.int64]:
    """Labels (H, W) after `steps` steps."""
    torch.manual_seed(seed)
    network = PlainNetwork().train()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    data = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
    members = [np.where(regions.ravel() == number)[0] for number in np.unique(regions)]
    for _ in range(steps):
        optimizer.zero_grad()
        output = network(data)[0].permute(1, 2, 0).reshape(-1, CHANNELS)
        labels = output.max(1)[1].numpy()
        target = labels.copy()
        for pixels in members:
            found, count = np.unique(labels[pixels], return_counts=True)
            target[pixels] = found[np.argmax(count)]
        functional.cross_entropy(output, torch.from_numpy(target)).backward()
        optimizer.step()
    return labels.reshape(regions.shape)


def timed(name: str, image: NDArray[np.float32], steps: int, seed: int) -> tuple[float, NDArray[np.int64]]:
    """Seconds, and the labels; superpixels are made by both."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    if name == "plain loop":
        labels = plain_loop(image, superpixels(image, area=AREA, compactness=COMPACTNESS), steps, seed)
    else:
        labels = ours(image, steps, seed)
    return clock() - start, labels


def ours(image: NDArray[np.float32], steps: int, seed: int) -> NDArray[np.int64]:
    scaling = Scaling(dtype="float32", low=(0,) * 3, high=(1,) * 3, fill=(0.5,) * 3)
    segmenter = PerImageOptimisation("kan", scaling, seed=seed, clusters=CHANNELS, iterations=steps, precision="auto")
    return segmenter._clusters(image, np.ones(image.shape[:2], bool)).astype(np.int64)


def main() -> None:
    options = _options()
    image, truth = given(options)
    rows: dict[str, list[dict[str, float]]] = {"plain loop": [], "terrasift": []}
    for seed in range(options.seeds):
        for name in rows:
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                seconds, labels = pool.submit(timed, name, image, options.steps, seed).result()
            rows[name].append({"seconds": seconds, "accuracy": accuracy(labels, truth)})
    ratios = [plain["seconds"] / our["seconds"] for plain, our in zip(*rows.values(), strict=True)]
    table = Table("seed", "plain, s", "ours, s", "ratio", "plain, accuracy %", "ours, accuracy %")
    for seed, (plain, our) in enumerate(zip(*rows.values(), strict=True)):
        table.add_row(str(seed), f"{plain['seconds']:.1f}", f"{our['seconds']:.1f}", f"{ratios[seed]:.2f}",
                      f"{plain['accuracy']:.1f}", f"{our['accuracy']:.1f}")  # fmt: skip
    Console(width=100).print(table)
    if options.json:
        found: dict[str, Any] = {"machine": machine_facts("cpu"), "steps": options.steps, "side": list(truth.shape)}
        found |= {"rows": rows, "ratio": float(np.median(ratios))}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def accuracy(labels: NDArray[np.int64], truth: NDArray[np.uint8]) -> float:
    """Per cent of pixels that are right if every label gets the class that most of its pixels have."""
    known = truth != 255
    table = np.zeros((labels.max() + 1, int(truth[known].max()) + 1), np.int64)
    np.add.at(table, (labels[known], truth[known]), 1)
    return 100 * table.max(axis=1).sum() / table.sum()


def given(options: argparse.Namespace) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    side = options.side
    if options.image is None:
        town = synthetic_scene(side, side)
        return (town.image / 255).astype(np.float32), town.labels
    with Raster(options.image) as raster:
        image, _ = raster.read()
    truth = read_labels(options.mask, Legend.load(options.classes))
    return (image[:side, :side] / 255).astype(np.float32), truth[:side, :side]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--mask", type=Path)
    parser.add_argument("--classes", type=Path)
    parser.add_argument("--side", type=int, default=256, help="of the part that is taken, pixels")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
