"""Runs that nobody trained, and scenes for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift import LandClass, Legend, Recipe, Run, Scaling
from terrasift.blocks.classifiers import DeepClustering
from terrasift.run import network_of

SCALING = Scaling(dtype="uint16", low=(90, 0, 400, 7), high=(3000, 2000, 2500, 7), fill=(0.2, 0.5, 0.3, 0.0))
LEGEND = Legend(
    (
        LandClass("road", "#808080", (1, 3)),
        LandClass("tree", "#00FF00", (0, 4, 7)),
        LandClass("water", "#0000FF", (5,)),
    ),
    classifier=2,
)


def make_run(folder: Path, *changes: str, scaling: Scaling = SCALING) -> Run:
    """A run nobody trained: narrow, fresh weights, statistics of noise; clusters 2 and 6 are in no class."""
    tiny = ("width=4", "clusters=8", "patch=64", "compute.device=cpu", "predict.window=80", "predict.margin=16")
    tiny += ("predict.context=scene",)
    recipe = Recipe.load("paper", (*tiny, *changes))
    recipe = Recipe.model_validate({**recipe.model_dump(), "scaling": scaling})
    run = Run(folder)
    run.begin(recipe, [])
    torch.manual_seed(0)
    network = network_of(recipe).train()
    for module in network.modules():
        if isinstance(module, DeepClustering):
            module.after.weight.data *= 0.05  # fresh ones drown what tells pixels apart
    for _ in range(40):
        network(torch.rand(2, 4, 32, 32) * torch.tensor([1.0, 1.0, 1.0, 0.0])[:, None, None])
    run.finish(network)
    run.save_legend(LEGEND)
    return Run.open(folder)


def scene_values(height: int, width: int, seed: int) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Coarse noise, with a corner that holds no data."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 3500, (-(-height // 4), -(-width // 4), 4)).repeat(4, 0).repeat(4, 1)[:height, :width]
    values = (values + rng.integers(1, 90, values.shape)).astype(np.uint16)
    valid = np.ones((height, width), np.bool_)
    valid[:9, -20:] = False
    return values, valid
