"""Patches in batches, shuffled for each epoch by (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from terrasift.blocks.batch import Batch
from terrasift.data.ahead import ahead
from terrasift.data.kept import Kept
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.regions import RegionSource, prepare_regions
from terrasift.recipe import Recipe

__all__ = ["PatchBatches", "TargetSource", "epoch_order"]


class TargetSource(Protocol):
    """Where the targets of a patch come from. It travels to other processes."""

    def of_patch(self, patch: Patch, regions: NDArray[np.int32], draws: np.random.Generator) -> NDArray[np.int64]:
        """(classifiers, side, side), int64: the targets of a patch with regions (side, side), where any are drawn."""


class PatchBatches:
    """All batches of a training, for one of `processes` processes.

    Parameters
    ----------
    patches
        What is trained on.
    reader, regions
        Read a patch, and give its regions.
    recipe
        Its patch and batch size, its seed for the shuffling, and its workers, processes that read ahead, count.
    process, processes
        Which of how many processes this is; each takes its own share of every step.
    targets
        Says what the pixels of a patch are to be; None: the network itself does.
    read_ahead
        Batches that a thread has ready while a step is computed; 0: each is read when it is asked for, and its regions
        made or read again.
    """

    def __init__(
        self,
        patches: Sequence[Patch],
        reader: PatchReader,
        regions: RegionSource,
        recipe: Recipe,
        *,
        process: int = 0,
        processes: int = 1,
        targets: TargetSource | None = None,
        read_ahead: int = 2,
    ) -> None:
        kept = Kept(_MOST_KEPT if read_ahead else 0)
        self._dataset = _PatchDataset(patches, reader, regions, recipe.patch, recipe.seed, targets, kept)
        self._read_ahead = read_ahead
        self._batch_size = recipe.batch_size
        self._seed = recipe.seed
        self._workers = recipe.compute.workers
        self._process = process
        self._processes = processes

    @property
    def steps_per_epoch(self) -> int:
        """Steps that see every patch once; the last one may be smaller."""
        return -(-len(self._dataset) // (self._batch_size * self._processes))

    def prepare(self, steps: int) -> None:
        """Make the regions of all patches that `steps` steps see, in parallel."""
        dataset = self._dataset
        prepare_regions(dataset.regions, dataset.reader, self.patches_of(steps), dataset.side)

    def patches_of(self, steps: int) -> list[Patch]:
        """The patches that the first `steps` steps of all processes see, each once, in the order of the index."""
        count, whole = len(self._dataset), self._batch_size * self._processes
        epochs, more = divmod(steps, self.steps_per_epoch)
        if epochs > 0:
            return list(self._dataset.patches)
        seen = np.sort(epoch_order(count, self._seed, 0)[: more * whole])
        return [self._dataset.patches[index] for index in seen.tolist()]

    def load(self, steps: int) -> None:
        """Read what `steps` steps see into memory, as far as it fits."""
        self._dataset.reader.load(self.patches_of(steps))

    def epoch(self, epoch: int, first_step: int = 0, most: int | None = None) -> Iterator[Batch]:
        """The batches of an epoch, from its step `first_step` on, `most` of them if that is given.

        They are the same for the same seed and epoch.
        """
        order = epoch_order(len(self._dataset), self._seed, epoch)
        whole = self._batch_size * self._processes
        steps = []
        for start in range(first_step * whole, len(order), whole)[:most]:
            step = order[start : start + whole]
            mine = step[self._process * self._batch_size : (self._process + 1) * self._batch_size]
            # Every process must take part in every step: one without a share repeats another's first patch.
            steps.append([(epoch, index) for index in (mine if len(mine) else step[:1]).tolist()])
        loader = DataLoader(
            self._dataset,
            batch_sampler=steps,
            num_workers=self._workers,
            collate_fn=_collate,
            pin_memory=torch.cuda.is_available(),
        )
        batches = iter(loader)
        yield from ahead(lambda _: next(batches), steps, self._read_ahead)


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The order of `count` patches in an epoch: a permutation that follows from (seed, epoch) alone."""
    return np.random.default_rng([seed, epoch]).permutation(count)


_MOST_KEPT = 128 << 20  # bytes of regions


@dataclass(frozen=True)
class _PatchDataset(Dataset[Batch]):
    patches: Sequence[Patch]
    reader: PatchReader
    regions: RegionSource
    side: int
    seed: int
    targets: TargetSource | None
    kept: Kept
    """The regions of each patch."""

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, place: tuple[int, int]) -> Batch:
        epoch, index = place
        patch = self.patches[index]
        image, valid = self.reader.read(patch, self.side)
        (regions,) = self.kept.get(index, lambda: (self.regions.of_patch(patch, image, valid),))
        targets = None
        if self.targets is not None:
            draws = np.random.default_rng([self.seed, epoch, index])
            targets = torch.from_numpy(self.targets.of_patch(patch, regions, draws))
        return Batch(
            torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, 2, 0))),
            torch.from_numpy(regions),
            torch.from_numpy(valid),
            targets,
        )


def _collate(patches: list[Batch]) -> Batch:
    images, regions, valid, targets = zip(*patches, strict=True)
    together = None if targets[0] is None else _stacked(targets)
    return Batch(_stacked(images), _stacked(regions), _stacked(valid), together)


def _stacked(tensors: Sequence[Tensor]) -> Tensor:
    """By NumPy: `torch.stack` would have threads of its own beside those that compute the step, and in their way."""
    return torch.from_numpy(np.stack([tensor.numpy() for tensor in tensors]))
