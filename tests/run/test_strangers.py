"""A run's folder that somebody else has had: what does not belong together is said in a line, and makes no map."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from terrasift import Run, RunError


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run.path, tmp_path / "run"))


def test_weights_of_another_scaling_make_no_map(run: Path, scenes: Path) -> None:
    text = (run / "recipe.yaml").read_text()
    low = next(line for line in text.splitlines() if line.startswith("  low: ["))
    (run / "recipe.yaml").write_text(text.replace(low, low.replace("[", "[1", 1)))
    with pytest.raises(RunError, match=r"weights\.safetensors: was trained with another recipe than recipe\.yaml"):
        Run.open(run).predict(scenes / "images" / "north.tif", run / "map.tif")
    assert not (run / "map.tif").exists()


def test_what_is_no_part_of_the_network_may_be_changed(run: Path, scenes: Path) -> None:
    text = (run / "recipe.yaml").read_text()
    (run / "recipe.yaml").write_text(text.replace("window: 128", "window: 64").replace("seed: 0", "seed: 1"))
    assert Run.open(run).load_network()


def test_weights_written_before_they_named_their_recipe_are_read(run: Path) -> None:
    save_file(load_file(run / "weights.safetensors"), run / "weights.safetensors")
    assert Run.open(run).load_network()


def test_weights_that_are_no_numbers_make_no_map(run: Path, scenes: Path) -> None:
    weights = load_file(run / "weights.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.is_floating_point())
    weights[name].view(-1)[0] = torch.nan
    save_file(weights, run / "weights.safetensors")
    with pytest.raises(RunError, match=rf"{name} holds values that are no numbers; restore both"):
        Run.open(run).predict(scenes / "images" / "north.tif", run / "map.tif")


def named(run: Path, command: Callable[..., Any]) -> None:
    assert command("legend", run, "--name", "0=water").code == 0


def test_a_legend_of_other_weights_makes_no_map(run: Path, scenes: Path, command: Callable[..., Any]) -> None:
    named(run, command)
    weights = load_file(run / "weights.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.is_floating_point())
    weights[name] += 0.5
    save_file(weights, run / "weights.safetensors")
    out = run / "map.tif"
    outcome = command("predict", run, scenes / "images" / "north.tif", "--out", out)
    assert outcome.code == 2
    assert "legend.yaml: is of other weights" in outcome.err
    assert not out.exists()
    assert command("legend", run, "--reset").code == 0
    assert command("predict", run, scenes / "images" / "north.tif", "--out", out).code == 0


def test_a_legend_written_by_hand_needs_no_digest(run: Path, command: Callable[..., Any]) -> None:
    named(run, command)
    lines = (run / "legend.yaml").read_text().splitlines()
    assert sum(line.startswith("weights: ") for line in lines) == 1
    (run / "legend.yaml").write_text("\n".join(line for line in lines if not line.startswith("weights: ")))
    assert "water" in Run.open(run).legend.names
