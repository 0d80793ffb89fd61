"""Training on several devices: two processes on the CPU, which talk by gloo, do what they would on two GPUs."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from terrasift import Recipe
from terrasift.blocks.augmentation import augment, draws_of_step
from terrasift.data.material import gather_material
from terrasift.data.regions import RegionCache
from terrasift.data.scenes import find_scenes
from terrasift.run import RunFolder, network_of
from terrasift.training import make_scheduler, training_step

CHANGES = ("width=4", "clusters=8", "patch=64", "batch_size=4", "epochs=3", "lr=1e-3", "lr_final=1e-4")


@pytest.mark.slow
def test_two_processes_take_the_mean_of_their_gradients(scenes: Path, tmp_path: Path) -> None:
    """The weights are those of one process that goes through both halves of each batch in turn."""
    options = [part for change in (*CHANGES, "compute.device=cpu", "compute.devices=2") for part in ("--set", change)]
    command = [
        sys.executable, "-m", "terrasift", "train", scenes / "images", "--out", tmp_path / "run", "--recipe", "paper",
        "--cache", tmp_path / "cache", *options,
    ]  # fmt: skip
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    run = RunFolder(tmp_path / "run")
    rows = run.log_file.read_text().splitlines()
    assert len(rows) == 1 + 3 * 4  # 32 patches in batches of twice 4
    assert finished.stdout.count("wrote") == 2  # by one of the two: the run and its report
    expected = halves_in_turn(run.recipe, scenes / "images", tmp_path / "other")
    found = load_file(run.weights_file)
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        if "running" not in name:
            torch.testing.assert_close(tensor, expected[name], rtol=1e-4, atol=1e-5)


def halves_in_turn(recipe: Recipe, images: Path, cache: Path) -> dict[str, torch.Tensor]:
    material = gather_material(find_scenes([images]), recipe, RegionCache(cache, recipe.refinement))
    torch.manual_seed(recipe.seed)
    first = network_of(recipe).train()
    networks = [first, copy.deepcopy(first)]
    sources = [material.batches(process, 2) for process in range(2)]
    optimizer = torch.optim.Adam((p for p in first.parameters() if p.requires_grad), lr=recipe.lr)
    total = recipe.total_steps(sources[0].steps_per_epoch)
    scheduler = make_scheduler(optimizer, recipe, total)
    sources[0].prepare(total)
    for epoch in range(recipe.epochs):
        for step, halves in enumerate(zip(*(source.epoch(epoch) for source in sources), strict=True)):
            for process, (network, batch) in enumerate(zip(networks, halves, strict=True)):
                draws = draws_of_step(recipe.seed, epoch * sources[0].steps_per_epoch + step, process)
                result = training_step(network, augment(batch, recipe.augmentation, draws), recipe)
                network.zero_grad()
                sum(result.losses[1:], result.losses[0]).backward()
            for ours, theirs in zip(*(network.parameters() for network in networks), strict=True):
                if ours.requires_grad:
                    ours.grad = (ours.grad + theirs.grad) / 2
            optimizer.step()
            scheduler.step()
            networks[1].load_state_dict({**networks[1].state_dict(), **dict(first.named_parameters())})
    return first.state_dict()
