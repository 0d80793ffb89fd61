"""Where the time of one cell goes: data, superpixels, forward, vote, loss, backward."""

from __future__ import annotations

import contextlib
import itertools
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import nn

from terrasift.blocks.augmentation import augment, draws_of_step
from terrasift.blocks.batch import Batch
from terrasift.blocks.losses import class_weights, weighted_cross_entropy
from terrasift.data.batches import PatchBatches, epoch_order
from terrasift.data.indexing import index_images
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.precomputed import regions_of
from terrasift.data.regions import RegionCache
from terrasift.files import write_text
from terrasift.recipe import Recipe, Refinement
from terrasift.run import network_of
from terrasift.study.experiments import Cell
from terrasift.study.folder import Study
from terrasift.training import StepResult, added_losses, make_fabric, make_optimizer, own_labels

__all__ = ["PARTS", "TIMING_FILE", "split_time", "write_timing"]

PARTS = ("data", "superpixels", "forward", "vote", "loss", "backward")
"""What a cell spends its time on, in the order of a step."""

TIMING_FILE = "timing.json"
"""In the study's folder."""


def write_timing(study: Study, cell: Cell) -> Path:
    """Write `split_time` of a cell into the study's folder; returns the file."""
    return write_text(study.path / TIMING_FILE, json.dumps(split_time(study, cell), indent=1) + "\n")


def split_time(study: Study, cell: Cell, seed: int = 0, steps: int = 5) -> dict[str, Any]:
    """Train a cell for a few steps on its own data, part by part, on the clock. Nothing of it is kept.

    Parameters
    ----------
    study
        Begun.
    cell
        Whose method is ``network``.
    seed
        Of its recipe.
    steps
        Measured, after one to warm up.

    Returns
    -------
    dict
        ``cell`` (its variant), ``device`` (in words), ``batch`` (patches in a step), ``steps``, and ``seconds``: for
        each of `PARTS` the median over the steps.

        - data: the patches and their kept regions read, collated, moved to the device and augmented, in line even where
          the recipe has processes read ahead
        - superpixels: the regions of the step's patches made and stored, on one core. A training does so once for a
          patch, not once a step.
        - vote: argmax and refinement
        - loss: class weights, weighted cross-entropy and what is added to it
        - backward: gradients and the optimiser's step

        A part that has nothing to do takes next to nothing: without refinement, the vote is an argmax.
    """
    if cell.method != "network":
        raise ValueError("only networks are trained in steps")
    recipe = study.recipe(cell, seed)
    recipe = recipe.model_copy(update={"compute": recipe.compute.model_copy(update={"devices": 1, "workers": 0})})
    order = epoch_order(len(study.data.train), seed, 0)[: (steps + 1) * recipe.batch_size]
    images = [study.data.train[index] for index in order.tolist()]
    fabric = make_fabric(recipe)
    clock = Clock(fabric.device)
    with tempfile.TemporaryDirectory() as folder:
        _train(fabric, images, recipe, steps + 1, clock, Path(folder))
    return {
        "cell": cell.variant,
        "device": _in_words(fabric.device),
        "batch": min(recipe.batch_size, len(images)),
        "steps": steps,
        "seconds": {part: statistics.median(step[part] for step in clock.steps[1:]) for part in PARTS},
    }


def timed_step(network: nn.Module, batch: Batch, recipe: Recipe, clock: Clock) -> StepResult:
    """`training_step` on the clock: the same in every number."""
    losses, targets = [], []
    with clock.runs("forward"):
        outputs = network(batch.images)
    for logits in outputs:
        with clock.runs("vote"):
            labels = own_labels(logits, batch, recipe)
        with clock.runs("loss"):
            weights = class_weights(labels, recipe.clusters, recipe.class_weights, batch.valid)
            loss = weighted_cross_entropy(logits, labels, weights, batch.valid)
            losses.append(loss + added_losses(logits, batch, recipe.losses))
        targets.append(labels)
    return StepResult(tuple(losses), tuple(targets))


class Clock:
    """Seconds of each part of each step, the device's work done."""

    def __init__(self, device: torch.device) -> None:
        self.steps: list[defaultdict[str, float]] = []
        self._device = device

    def begin_step(self) -> None:
        """What runs from now on belongs to a new step."""
        self.steps.append(defaultdict(float))

    @contextlib.contextmanager
    def runs(self, part: str) -> Iterator[None]:
        """The block belongs to a part."""
        start = self._now()
        yield
        self.steps[-1][part] += self._now() - start

    def move(self, source: str, target: str, seconds: float) -> None:
        """They were counted for `source`, but belong to `target`."""
        self.steps[-1][source] -= seconds
        self.steps[-1][target] += seconds

    def _now(self) -> float:
        if self._device.type != "cpu":
            torch.accelerator.synchronize(self._device)
        return time.perf_counter()


class _FreshRegions:
    """Makes the regions of every patch, whether or not they were made before, then reads them as a training does."""

    def __init__(self, refinement: Refinement, folder: Path) -> None:
        self._refinement = refinement
        self._folders = (folder / str(number) for number in itertools.count())
        self._seconds = 0.0

    def of_patch(self, patch: Patch, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.int32]:
        cache = RegionCache(next(self._folders), self._refinement)
        start = time.perf_counter()
        cache.of_patch(patch, image, valid)
        self._seconds += time.perf_counter() - start
        return cache.of_patch(patch, image, valid)

    def take_seconds(self) -> float:
        """Spent on making since this was last asked."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds


def _train(fabric: Fabric, images: Sequence[str], recipe: Recipe, steps: int, clock: Clock, folder: Path) -> None:
    infos, patches, scaling = index_images(images, recipe)
    recipe = recipe.model_copy(update={"scaling": scaling})
    fresh = _FreshRegions(recipe.refinement, folder)
    regions = regions_of(recipe.refinement, infos, fresh)
    reader = PatchReader(recipe.bands, scaling)
    source = PatchBatches(patches, reader, regions, recipe.patch, recipe.batch_size, recipe.seed)
    torch.manual_seed(recipe.seed)
    network = network_of(recipe)
    optimizer = make_optimizer(network, recipe)
    forward, stepper = fabric.setup(network, optimizer)
    forward.train()
    batches = itertools.chain.from_iterable(source.epoch(epoch) for epoch in itertools.count())
    for step in range(steps):
        clock.begin_step()
        with clock.runs("data"):
            batch = fabric.to_device(next(batches))
            batch = augment(batch, recipe.augmentation, draws_of_step(recipe.seed, step, fabric.global_rank))
        clock.move("data", "superpixels", fresh.take_seconds())
        result = timed_step(forward, batch, recipe, clock)
        with clock.runs("backward"):
            stepper.zero_grad()
            fabric.backward(sum(result.losses[1:], result.losses[0]))
            stepper.step()
    reader.close()


def _in_words(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} CPU thread(s)" if device.type == "cpu" else device.type
