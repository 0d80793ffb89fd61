"""Batches: the same for the same seed and epoch, whenever they are asked for and however many processes share them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from terrasift import Recipe, Scaling
from terrasift.blocks.batch import Batch
from terrasift.data.batches import PatchBatches, epoch_order
from terrasift.data.patches import Patch, PatchReader, windows_of
from terrasift.data.regions import RegionCache
from terrasift.raster import write_image
from terrasift.recipe import Compute, Refinement

SIDE = 16
COUNT = 25


SCALING = Scaling(dtype="float32", low=(-2, -2), high=(2, 2), fill=(0.5, 0.5))


class NumberedReader(PatchReader):
    """Patch k is an image of the value k."""

    def read(self, patch: Patch, side: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        return np.full((side, side, 3), patch.window.row, np.float32), np.ones((side, side), bool)


def recipe_of(size: int, seed: int = 0, workers: int = 0) -> Recipe:
    compute = Compute(workers=workers)
    return Recipe().model_copy(update={"patch": SIDE, "batch_size": size, "seed": seed, "compute": compute})


def batches(tmp_path: Path, count: int = COUNT, size: int = 4, seed: int = 0, **settings: int) -> PatchBatches:
    patches = [Patch("scene", window) for window in windows_of(count, 1, 1)]
    cache = RegionCache(tmp_path, Refinement(method="none"))
    return PatchBatches(patches, NumberedReader(SCALING), cache, recipe_of(size, seed), **settings)


def numbers(epoch: Sequence[Batch]) -> list[list[int]]:
    return [batch.images[:, 0, 0, 0].int().tolist() for batch in epoch]


@given(st.integers(1, 500), st.integers(0, 2**32 - 1), st.integers(0, 1000))
def test_an_epochs_order_follows_from_seed_and_epoch(count: int, seed: int, epoch: int) -> None:
    order = epoch_order(count, seed, epoch)
    assert sorted(order.tolist()) == list(range(count))
    np.testing.assert_array_equal(order, epoch_order(count, seed, epoch))


def test_other_epochs_and_seeds_have_other_orders() -> None:
    orders = {tuple(epoch_order(50, seed, epoch).tolist()) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25


def test_an_epoch_sees_every_patch_once(tmp_path: Path) -> None:
    source = batches(tmp_path)
    found = numbers(list(source.epoch(3)))
    assert list(chain(*found)) == epoch_order(COUNT, 0, 3).tolist()
    assert [len(step) for step in found] == [4] * 6 + [1]
    assert source.steps_per_epoch == 7
    torch.manual_seed(1)  # global generators have no say
    assert numbers(list(batches(tmp_path).epoch(3))) == found


@pytest.mark.parametrize("first_step", [0, 1, 6, 7])
def test_resuming_in_an_epoch_gives_the_remaining_batches(tmp_path: Path, first_step: int) -> None:
    source = batches(tmp_path)
    assert numbers(list(source.epoch(2, first_step))) == numbers(list(source.epoch(2)))[first_step:]


@pytest.mark.parametrize("count", [24, 25, 27, 30, 31])
def test_processes_share_each_step(tmp_path: Path, count: int) -> None:
    shares = [
        numbers(list(batches(tmp_path, count, size=2, process=process, processes=3).epoch(1))) for process in range(3)
    ]
    whole = numbers(list(batches(tmp_path, count, size=6).epoch(1)))
    assert {len(share) for share in shares} == {len(whole)}  # none waits for another in vain
    for step, together in enumerate(whole):
        parts = [share[step] for share in shares]
        assert all(parts)
        assert set(chain(*parts)) == set(together)
        if len(together) == 6:
            assert list(chain(*parts)) == together
    assert set(chain(*chain(*shares))) == set(range(count))


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("steps", [1, 2, 5, 6, 20])
def test_the_patches_of_some_steps_are_those_that_they_see(tmp_path: Path, steps: int, processes: int) -> None:
    sources = [batches(tmp_path, size=2, process=process, processes=processes) for process in range(processes)]
    expected = set()
    for source in sources:
        epochs = chain.from_iterable(source.epoch(epoch) for epoch in range(20))
        expected |= set(chain(*numbers(list(islice(epochs, steps)))))
    for source in sources:
        assert [patch.window.row for patch in source.patches_of(steps)] == sorted(expected)


def real_source(tmp_path: Path, workers: int) -> PatchBatches:
    array = np.random.default_rng(0).normal(size=(40, 70, 2)).astype(np.float32)
    array[:, 60:] = np.nan
    if not (tmp_path / "a.tif").exists():
        write_image(tmp_path / "a.tif", array)
    patches = [Patch(str(tmp_path / "a.tif"), window) for window in windows_of(40, 70, SIDE)]
    reader = PatchReader(SCALING)
    reader.raw(patches[0])  # as preparing superpixels in line does: the file is open when the workers start
    cache = RegionCache(tmp_path / "cache", Refinement(area=16))
    return PatchBatches(patches, reader, cache, recipe_of(4, workers=workers))


def test_a_batch_is_what_the_step_needs(tmp_path: Path) -> None:
    for batch in real_source(tmp_path, 0).epoch(0):
        count = len(batch.images)
        assert (batch.images.shape, batch.images.dtype) == ((count, 2, SIDE, SIDE), torch.float32)
        assert (batch.regions.shape, batch.regions.dtype) == ((count, SIDE, SIDE), torch.int32)
        assert (batch.valid.shape, batch.valid.dtype) == ((count, SIDE, SIDE), torch.bool)
        assert 0 <= batch.images.min() <= batch.images.max() <= 1
        assert (batch.images.movedim(1, -1)[~batch.valid] == 0.5).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_workers_give_what_reading_in_line_gives(tmp_path: Path) -> None:
    for ours, theirs in zip(real_source(tmp_path, 0).epoch(0), real_source(tmp_path, 2).epoch(0), strict=True):
        assert all(torch.equal(mine, other) for mine, other in zip(ours[:3], theirs[:3], strict=True))
