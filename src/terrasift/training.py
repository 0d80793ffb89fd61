"""The training step (docs/method.md) and the loop around it, resumable.

Batches come from anything that is a `BatchSource`. The step needs torch only, the loop Lightning Fabric too.
"""

from __future__ import annotations

import io
import logging
import operator
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from terrasift.blocks.augmentation import augment, draws_of_step, random_crop
from terrasift.blocks.batch import Batch
from terrasift.blocks.losses import class_weights, continuity_loss, mumford_shah_loss, weighted_cross_entropy
from terrasift.blocks.muon import Muon
from terrasift.blocks.refinement import refine
from terrasift.blocks.thinning import Origin
from terrasift.errors import RunError, SettingError, check_installed
from terrasift.files import write_bytes
from terrasift.files.tensors import read_checkpoint
from terrasift.machine import find_device, keep_freed_memory, machine_facts
from terrasift.progress import progress_bar

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from terrasift.recipe import Compute, Losses, Recipe
    from terrasift.run import RunFolder

__all__ = [
    "BatchSource",
    "Clock",
    "Part",
    "StepResult",
    "fit",
    "make_fabric",
    "make_optimizer",
    "memory_format",
    "no_clock",
    "precision_of",
    "training_step",
]

_logger = logging.getLogger(__name__)
_CPU = torch.device("cpu")


class StepResult(NamedTuple):
    """What one step found, for each classifier."""

    losses: tuple[Tensor, ...]
    """Scalars, to be summed."""
    labels: tuple[Tensor, ...]
    """(N, H, W), int64: the step's targets."""
    valid: Tensor
    """(N, H, W), bool: the pixels that counted."""


Part = Literal["data", "forward", "vote", "loss", "backward"]
"""What a training spends its time on, in the order of a step."""

Clock = Callable[[Part], AbstractContextManager[object]]
"""Gives the context in which a part of a step runs; see `study.timing`."""


def no_clock(_: Part) -> AbstractContextManager[object]:
    """Nothing is measured."""
    return nullcontext()


def training_step(
    network: nn.Module,
    batch: Batch,
    recipe: Recipe,
    clock: Clock = no_clock,
    origin: Origin | None = None,
) -> StepResult:
    """Steps 1 to 4 of docs/method.md: the targets are discovered ones, or the network's own labels, refined.

    With an origin, one pixel in four counts (`blocks.thinning`).
    """
    losses, targets = [], []
    with clock("forward"):
        outputs = network(batch.images) if origin is None else network(batch.images, origin)
    if origin is not None:
        batch = batch.thinned(origin)
    for index, logits in enumerate(outputs):
        with clock("vote"):
            labels = own_labels(logits, batch, recipe) if batch.targets is None else batch.targets[:, index]
        with clock("loss"):
            weights = class_weights(labels, recipe.clusters, recipe.class_weights, batch.valid)
            loss = weighted_cross_entropy(logits, labels, weights, batch.valid)
            losses.append(loss + added_losses(logits, batch, recipe.losses))
        targets.append(labels)
    return StepResult(tuple(losses), tuple(targets), batch.valid)


def own_labels(logits: Tensor, batch: Batch, recipe: Recipe) -> Tensor:
    """(N, H, W), int64: the network's labels, made constant inside the batch's regions where the recipe refines."""
    labels = logits.detach().max(dim=1).indices  # as argmax, which takes several times as long on CPUs
    return labels if recipe.refinement.method == "none" else refine(labels, batch.regions, batch.valid)


def added_losses(logits: Tensor, batch: Batch, weights: Losses) -> Tensor | float:
    """What the recipe adds to the cross-entropy of one classifier, weighted; 0 where it adds nothing."""
    added: Tensor | float = 0.0
    if weights.continuity:
        added = added + weights.continuity * continuity_loss(logits, batch.valid)
    if weights.mumford_shah:
        functional = mumford_shah_loss(
            logits, batch.images, batch.valid, tv_weight=weights.tv_weight, reduction=weights.reduction
        )
        added = added + weights.mumford_shah * functional
    return added


class BatchSource(Protocol):
    """Where batches come from: the same ones for the same epoch, whenever it is asked."""

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch."""

    def epoch(self, epoch: int, first_step: int = 0, most: int | None = None) -> Iterator[Batch]:
        """The batches of an epoch from `first_step` on, `most` of them if that is given."""


def fit(
    fabric: Fabric,
    network: nn.Module,
    source: BatchSource,
    recipe: Recipe,
    run: RunFolder,
    *,
    clock: Clock = no_clock,
) -> None:
    """Train a network on its own labels or on discovered ones, going on from the run's checkpoint where there is one.

    Afterwards the network holds the weights of the last step, `log.csv` has a row for each step, and `machine.json`
    says what it ran on.

    Parameters
    ----------
    fabric
        Launched; gives device, precision and processes.
    network
        With the fresh weights of the recipe's seed.
    source
        Gives the batches.
    recipe
        The settings.
    run
        Where checkpoints and the log go.
    clock
        Is told when a part of a step begins and ends.
    """
    keep_freed_memory()
    total = recipe.total_steps(source.steps_per_epoch)
    # PyTorch's own types do not know of a module's memory format.
    network.to(memory_format=memory_format(fabric, recipe))  # type: ignore[call-overload]
    thins = bool(getattr(network, "thins", False)) and recipe.targets == "contrast" and not recipe.losses.compare_pixels
    optimizer = make_optimizer(network, recipe, fabric.device)
    scheduler = make_scheduler(optimizer, recipe, total)
    state = _State(network, optimizer, scheduler, recipe)
    forward, stepper = fabric.setup(network, optimizer)
    forward.train()
    state.load(run.checkpoint_file, run.identity)
    log = _Log(run, recipe, state.step) if fabric.is_global_zero else None
    with progress_bar("training", total, done=state.step) as advance:
        while state.step < total:
            epoch, first_step = divmod(state.step, source.steps_per_epoch)
            epoch_batches = source.epoch(epoch, first_step, total - state.step)
            while True:
                with clock("data"):
                    loaded = next(epoch_batches, None)
                    if loaded is None:
                        break
                    draws = draws_of_step(recipe.seed, state.step, fabric.global_rank)
                    batch = _drawn(fabric, loaded, recipe, draws)
                    origin = _origin(draws) if thins else None
                result = training_step(forward, batch, recipe, clock, origin)
                with clock("backward"):
                    stepper.zero_grad()
                    fabric.backward(sum(result.losses[1:], result.losses[0]))
                    stepper.step()
                rate = float(scheduler.get_last_lr()[0])
                scheduler.step()
                used = state.count(result)
                if log is not None:
                    advance(log.write(state.step, epoch, result, used, rate))
                    state.save(run.checkpoint_file, run.identity, recipe.compute.checkpoint_seconds)
            if log is not None:
                state.end_epoch(epoch)
    if log is not None:
        run.save_machine(machine_facts(recipe.compute.device))


def memory_format(fabric: Fabric, recipe: Recipe) -> torch.memory_format:
    """How the numbers of images and weights lie in memory while they are trained.

    In 16 bits the channels of a pixel lie side by side, which processors and cards are faster with
    (`benchmarks/step.py`). In float32 nothing is gained, and the study's runs stay what they were to the bit.
    """
    alone = recipe.compute.devices == 1 and fabric.device.type in ("cpu", "cuda")
    return torch.channels_last if alone and precision_of(recipe.compute) != "32-true" else torch.contiguous_format


def make_optimizer(network: nn.Module, recipe: Recipe, device: torch.device = _CPU) -> Optimizer:
    """The recipe's optimiser of all weights that are trained; on a GPU, Adam and AdamW change them in one kernel."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if recipe.optimizer == "muon":
        hidden = {weight for weight in network.get_submodule("extractor").parameters() if weight.ndim == 4}
        others = [weight for weight in trained if weight not in hidden]
        return Muon([weight for weight in trained if weight in hidden], others, recipe.lr)
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(trained, lr=recipe.lr, fused=True if device.type == "cuda" else None)


def make_scheduler(optimizer: Optimizer, recipe: Recipe, total: int) -> LRScheduler:
    """The recipe's learning rate at each of `total` steps: `lr` at the first, `lr_final` at the last.

    With ``one_cycle`` it begins at a 25th of `lr`, and is `lr` after three tenths of the steps (Smith and Topin,
    "Super-Convergence", 2019).
    """
    schedules = torch.optim.lr_scheduler
    last = max(1, total - 1)
    if recipe.lr_schedule == "exponential":
        return schedules.ExponentialLR(optimizer, (recipe.lr_final / recipe.lr) ** (1 / last))
    if recipe.lr_schedule == "cosine":
        return schedules.CosineAnnealingLR(optimizer, last, eta_min=recipe.lr_final)
    if recipe.lr_schedule == "one_cycle":
        below = recipe.lr / (_ONE_CYCLE_BEGINS * recipe.lr_final)
        return schedules.OneCycleLR(
            optimizer, recipe.lr, total_steps=max(2, total), div_factor=_ONE_CYCLE_BEGINS, final_div_factor=below
        )
    return schedules.ConstantLR(optimizer, factor=1.0)


_ONE_CYCLE_BEGINS = 25.0  # times below the largest rate


def _drawn(fabric: Fabric, loaded: Batch, recipe: Recipe, draws: torch.Generator) -> Batch:
    """A batch on the device, cropped and augmented by the draws of its step, in the memory format of the weights."""
    images, regions, valid = fabric.to_device(tuple(loaded[:3]))
    batch = Batch(images, regions, valid, None if loaded.targets is None else fabric.to_device(loaded.targets))
    if recipe.crop is not None:
        batch = random_crop(batch, recipe.crop, draws)
    batch = augment(batch, recipe.augmentation, draws)
    return batch._replace(images=batch.images.contiguous(memory_format=memory_format(fabric, recipe)))


def _origin(draws: torch.Generator) -> Origin:
    """Of the pixels that count in a step: others each time.

    Discovered targets are the same all over a superpixel, so one pixel in four says about as much as all of them, and
    what a step does at full resolution takes a quarter of the time.
    """
    row, column = torch.randint(2, (2,), generator=draws).tolist()
    return row, column


def make_fabric(recipe: Recipe) -> Fabric:
    """Lightning Fabric for the recipe's device, number of processes and precision; not launched yet.

    Raises
    ------
    SettingError
        If the machine lacks what the recipe asks for.
    """
    from lightning_fabric import Fabric  # takes long to import, and the step does without

    compute = recipe.compute
    if compute.tensorboard:
        check_installed("compute.tensorboard", "tensorboard", "tensorboard")
    device = find_device(compute.device)  # says what is wrong as a prediction does
    processors = os.cpu_count() or 1
    if device.type == "cpu" and compute.devices > max(2, processors):  # as many processes would be started
        raise SettingError("compute.devices", f"{compute.devices} is more than {processors} processors", "name fewer")
    strategy = "ddp" if compute.devices > 1 else "auto"
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # says which precision it was told to use
    try:
        return Fabric(
            accelerator=compute.device,
            devices=compute.devices,
            precision=precision_of(compute),
            strategy=strategy,
        )
    except (ValueError, RuntimeError) as error:
        raise SettingError(
            "compute", str(error), "change compute.device, compute.devices or compute.precision"
        ) from error


def precision_of(compute: Compute) -> Literal["32-true", "16-mixed", "bf16-mixed"]:
    """What the recipe asks for; auto: bfloat16 where the processor or the card has instructions for it."""
    if compute.precision != "auto":
        return compute.precision
    on_card = compute.device != "cpu" and torch.cuda.is_available()
    fast = torch.cuda.is_bf16_supported() if on_card else torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if fast else "32-true"


class _State:
    """All that resuming needs, and what is counted between the steps."""

    def __init__(self, network: nn.Module, optimizer: Optimizer, scheduler: LRScheduler, recipe: Recipe) -> None:
        self.step = 0
        self.clusters_seen = torch.zeros(recipe.classifiers, recipe.clusters, dtype=torch.bool)
        self._parts: dict[str, Any] = {"network": network, "optimizer": optimizer, "scheduler": scheduler}
        self._saved = time.monotonic()

    def count(self, result: StepResult) -> list[int]:
        """One step more; returns how many clusters hold a valid pixel of it, for each classifier."""
        self.step += 1
        used = []
        for seen, labels in zip(self.clusters_seen, result.labels, strict=True):
            present = torch.bincount(labels[result.valid], minlength=len(seen)).cpu() > 0
            seen |= present
            used.append(int(present.sum()))
        return used

    def end_epoch(self, epoch: int) -> None:
        """Say how many clusters an epoch used, and plainly if that means collapse."""
        used = self.clusters_seen.sum(dim=1).tolist()
        _logger.info("epoch %d: clusters in use %s", epoch + 1, " and ".join(map(str, used)))
        for number, count in enumerate(used, 1):
            if count < 2:
                _logger.warning(
                    "training has collapsed: classifier %d put every pixel of epoch %d into one cluster; "
                    "lower lr, use class_weights=balanced, or raise clusters",
                    number,
                    epoch + 1,
                )
        self.clusters_seen.zero_()

    def save(self, path: Path, run: str, at_most_every: float) -> None:
        if time.monotonic() - self._saved < at_most_every:
            return
        content = {name: part.state_dict() for name, part in self._parts.items()}
        written = io.BytesIO()  # into a file PyTorch would not say what is wrong with the disk
        torch.save({**content, "run": run, "step": self.step, "clusters_seen": self.clusters_seen}, written)
        write_bytes(path, written.getvalue())
        self._saved = time.monotonic()

    def load(self, path: Path, run: str) -> None:
        if not path.exists():
            return
        mend = "delete it, and --resume begins the training anew"
        content = read_checkpoint(path, mend=mend)
        try:
            if content.get("run", run) != run:
                raise ValueError("of another run")
            for name, part in self._parts.items():
                part.load_state_dict(content[name])
            self.step = operator.index(content["step"])
            self.clusters_seen.copy_(content["clusters_seen"])
        except Exception as error:  # PyTorch's parts stumble over foreign states in many ways
            raise RunError(path, "is not a checkpoint of this run", mend) from error


class _Log:
    """`log.csv`: a row for each step, none twice after a resume; TensorBoard's files too, if asked for."""

    def __init__(self, run: RunFolder, recipe: Recipe, steps_done: int) -> None:
        self._file = run.open_log(recipe.classifiers, steps_done)
        self._board = _tensorboard(run.path) if recipe.compute.tensorboard else None
        self._before = time.monotonic()

    def write(self, step: int, epoch: int, result: StepResult, clusters: Sequence[int], rate: float) -> str:
        """Append a row; returns it in words for the progress bar."""
        losses = [float(loss.detach()) for loss in result.losses]
        seconds, self._before = time.monotonic() - self._before, time.monotonic()
        row = [step, epoch + 1, sum(losses), *losses, *clusters, rate, round(seconds, 4)]
        self._file.append(row)
        if self._board is not None:
            self._board.log_metrics(dict(zip(self._file.columns[2:], row[2:], strict=True)), step)
        return f"loss {sum(losses):.3f}, clusters {'+'.join(map(str, clusters))}"


def _tensorboard(folder: Path) -> Any:
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger

    return TensorBoardLogger(folder, name="", version="tensorboard")
