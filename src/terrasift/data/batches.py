"""Patches in batches, shuffled for each epoch by (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from terrasift.blocks.batch import Batch
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.regions import RegionCache

__all__ = ["PatchBatches", "epoch_order"]


class PatchBatches:
    """All batches of a training, for one of `processes` processes.

    Parameters
    ----------
    patches
        What is trained on.
    reader, regions
        Read a patch, and give its regions.
    side
        Patch size, pixels.
    batch_size
        Patches in a batch of this process.
    seed
        Of the shuffling.
    workers
        Processes that read ahead; 0 reads in line.
    process, processes
        Which of how many processes this is; each takes its own share of every step.
    """

    def __init__(
        self,
        patches: Sequence[Patch],
        reader: PatchReader,
        regions: RegionCache,
        side: int,
        batch_size: int,
        seed: int,
        *,
        workers: int = 0,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        self._dataset = _PatchDataset(patches, reader, regions, side)
        self._batch_size = batch_size
        self._seed = seed
        self._workers = workers
        self._process = process
        self._processes = processes

    @property
    def steps_per_epoch(self) -> int:
        """Steps that see every patch once; the last one may be smaller."""
        return -(-len(self._dataset) // (self._batch_size * self._processes))

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from its step `first_step` on; the same for the same seed and epoch."""
        order = epoch_order(len(self._dataset), self._seed, epoch)
        whole = self._batch_size * self._processes
        steps = []
        for start in range(first_step * whole, len(order), whole):
            step = order[start : start + whole]
            mine = step[self._process * self._batch_size : (self._process + 1) * self._batch_size]
            # Every process must take part in every step: one without a share repeats another's first patch.
            steps.append((mine if len(mine) else step[:1]).tolist())
        loader = DataLoader(
            self._dataset,
            batch_sampler=steps,
            num_workers=self._workers,
            collate_fn=_collate,
            pin_memory=torch.cuda.is_available(),
        )
        yield from loader


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The order of `count` patches in an epoch: a permutation that follows from (seed, epoch) alone."""
    return np.random.default_rng([seed, epoch]).permutation(count)


class _PatchDataset(Dataset[Batch]):
    def __init__(self, patches: Sequence[Patch], reader: PatchReader, regions: RegionCache, side: int) -> None:
        self._patches = patches
        self._reader = reader
        self._regions = regions
        self._side = side

    def __len__(self) -> int:
        return len(self._patches)

    def __getitem__(self, index: int) -> Batch:
        image, valid = self._reader.read(self._patches[index], self._side)
        regions = self._regions.regions(image, valid)
        return Batch(
            torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, 2, 0))),
            torch.from_numpy(regions),
            torch.from_numpy(valid),
        )


def _collate(patches: list[Batch]) -> Batch:
    return Batch(*(torch.stack(tensors) for tensors in zip(*patches, strict=True)))
