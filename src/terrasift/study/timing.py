"""Where the time of one cell goes: data, superpixels, forward, vote, loss, backward."""

from __future__ import annotations

import contextlib
import dataclasses
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

from terrasift.data.batches import epoch_order
from terrasift.data.material import gather_material
from terrasift.data.patches import Patch
from terrasift.data.regions import RegionCache
from terrasift.errors import RunError
from terrasift.files import read_typed_json, write_text
from terrasift.recipe import Recipe, Refinement
from terrasift.run import RunFolder, network_of
from terrasift.study.experiments import Cell
from terrasift.study.folder import Study
from terrasift.training import Part, fit, make_fabric

__all__ = ["PARTS", "TIMING_FILE", "read_timing", "split_time", "write_timing"]

PARTS = ("data", "superpixels", "forward", "vote", "loss", "backward")
"""What a cell spends its time on, in the order of a step."""

TIMING_FILE = "timing.json"
"""In the study's folder."""


def write_timing(study: Study, cell: Cell) -> Path:
    """Write `split_time` of a cell into the study's folder; returns the file."""
    return write_text(study.path / TIMING_FILE, json.dumps(split_time(study, cell), indent=1) + "\n")


def read_timing(folder: Path) -> dict[str, Any] | None:
    """What `write_timing` left in a study's folder; None where it has not. RunError if that is damaged."""
    path = folder / TIMING_FILE
    if not path.exists():
        return None
    return dataclasses.asdict(read_typed_json(path, _Timing, RunError, "delete it, and measure again"))


@dataclasses.dataclass(frozen=True)
class _Timing:
    """What `split_time` gives."""

    cell: str
    device: str
    batch: int
    steps: int
    seconds: dict[str, float]


def split_time(study: Study, cell: Cell, steps: int = 5) -> dict[str, Any]:
    """Train a cell for a few steps on its own data, part by part, on the clock. Nothing of it is kept.

    Parameters
    ----------
    study
        Begun.
    cell
        Whose method is ``network``.
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
    recipe = study.recipe(cell, seed=0)
    alone = recipe.compute.model_copy(update={"devices": 1, "workers": 0})
    recipe = recipe.model_copy(update={"compute": alone, "steps": steps + 1})
    order = epoch_order(len(study.data.train), recipe.seed, 0)[: (steps + 1) * recipe.batch_size]
    images = [study.data.train[index] for index in order.tolist()]
    fabric = make_fabric(recipe)
    clock = StepClock(fabric.device)
    with tempfile.TemporaryDirectory() as folder:
        _train(fabric, images, recipe, clock, Path(folder))
    return {
        "cell": cell.variant,
        "device": _in_words(fabric.device),
        "batch": min(recipe.batch_size, len(images)),
        "steps": steps,
        "seconds": {part: statistics.median(step[part] for step in clock.steps[1:]) for part in PARTS},
    }


class StepClock:
    """Seconds of each part of each whole step, the device's work done: a `training.Clock`."""

    def __init__(self, device: torch.device) -> None:
        self.steps: list[dict[str, float]] = []
        self._device = device
        self._step: defaultdict[str, float] = defaultdict(float)

    @contextlib.contextmanager
    def __call__(self, part: Part) -> Iterator[None]:
        """The block belongs to a part; a step ends with its last one."""
        start = self._now()
        yield
        self._step[part] += self._now() - start
        if part == PARTS[-1]:
            self.steps.append(dict(self._step))
            self._step.clear()

    def move(self, source: str, target: str, seconds: float) -> None:
        """They will be counted for `source` in this step, but belong to `target`."""
        self._step[source] -= seconds
        self._step[target] += seconds

    def _now(self) -> float:
        if self._device.type != "cpu":
            torch.accelerator.synchronize(self._device)
        return time.perf_counter()


class _FreshRegions:
    """Makes the regions of every patch, whether or not they were made before, then reads them as a training does."""

    def __init__(self, refinement: Refinement, folder: Path, clock: StepClock) -> None:
        self._refinement = refinement
        self._folders = (folder / str(number) for number in itertools.count())
        self._clock = clock

    def of_patch(self, patch: Patch, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.int32]:
        cache = RegionCache(next(self._folders), self._refinement)
        start = time.perf_counter()
        cache.of_patch(patch, image, valid)
        self._clock.move("data", "superpixels", time.perf_counter() - start)
        return cache.of_patch(patch, image, valid)


def _train(fabric: Fabric, images: Sequence[str], recipe: Recipe, clock: StepClock, folder: Path) -> None:
    material = gather_material(images, recipe, _FreshRegions(recipe.refinement, folder, clock))
    torch.manual_seed(recipe.seed)
    with material.reader:
        batches = material.batches(read_ahead=0)
        fit(fabric, network_of(material.recipe), batches, material.recipe, RunFolder(folder), clock=clock)


def _in_words(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} CPU thread(s)" if device.type == "cpu" else device.type
