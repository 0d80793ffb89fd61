"""A run's folder that somebody else has had: what does not belong together is said in a line, and makes no map."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from terrasift import Recipe, Run, RunError, train
from terrasift.run import RunFolder


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


def test_scores_of_other_weights_are_said_and_not_shown(run: Path, scenes: Path, command: Callable[..., Any]) -> None:
    truth = ("--masks", scenes / "masks", "--classes", scenes / "classes.yaml", "--no-baselines")
    assert command("evaluate", run, scenes / "images" / "south.tif", *truth).code == 0
    file = run / "evaluation.json"
    content = json.loads(file.read_text())
    for key, value, words in [
        ("weights", "0" * 12, "is of other weights; evaluate the run again"),
        ("classes", content["classes"][:-1], "does not hold an evaluation"),
    ]:
        file.write_text(json.dumps(content | {key: value}))
        with pytest.raises(RunError, match=rf"evaluation\.json: {words}"):
            _ = Run.open(run).evaluation
        outcome = command("info", run, "--report")
        assert outcome.code == 0
        assert f"the report shows no scores: {file}: {words}" in outcome.err
    del content["weights"]  # written before evaluations said whose they are
    file.write_text(json.dumps(content))
    assert Run.open(run).evaluation


def test_facts_of_other_shapes_are_gathered_again(run: Path) -> None:
    opened = Run.open(run)
    assert opened.facts is not None
    whole = opened.facts_file(1).read_bytes()
    kept = opened.load_facts(1)
    assert kept is not None
    for name, wrong in [("means", kept["means"][:-1]), ("pixels", -kept["pixels"]), ("bands", kept["bands"][:1])]:
        opened.save_facts(1, kept | {name: wrong})
        assert opened.load_facts(1) is None
    assert opened.facts
    assert opened.facts_file(1).read_bytes() == whole


@pytest.fixture(scope="module")
def discovered(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, Path], RunFolder]:
    """Begins a run with targets that is interrupted after two of its three steps."""
    cache = tmp_path_factory.mktemp("superpixels")

    def begun(seed: int, out: Path) -> RunFolder:
        changes = ("width=4", "clusters=6", "patch=64", "crop=null", "steps=3", "compute.device=cpu", "batch_size=4")
        recipe = Recipe.load("default", [*changes, "compute.checkpoint_seconds=0", f"seed={seed}"])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("terrasift.data.sampling._WINDOWS", 1500)
            patch.setattr(RunFolder, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                train([scenes / "images"], out, recipe, cache=cache)
        return RunFolder(out)

    return begun


def test_nothing_of_another_run_is_trained_on(
    discovered: Callable[[int, Path], RunFolder], scenes: Path, tmp_path: Path
) -> None:
    ours, other = discovered(0, tmp_path / "ours"), discovered(1, tmp_path / "other")

    def resumed() -> Run:
        return train([scenes / "images"], ours.path, resume=True, cache=tmp_path / "cache")

    for file, words in [
        ("targets.safetensors", "those of another run; delete it, and resume"),
        ("discovery.safetensors", "those of another run; delete it, and resume"),
        ("checkpoints/last.ckpt", "is not a checkpoint of this run; delete it"),
    ]:
        whole = (ours.path / file).read_bytes()
        shutil.copy(other.path / file, ours.path / file)
        with pytest.raises(RunError, match=words):
            resumed()
        assert not ours.is_finished
        (ours.path / file).write_bytes(whole)
    run = resumed()
    assert run.discovery is not None
    shutil.copy(other.discovery_file, run.discovery_file)
    with pytest.raises(
        RunError, match=r"discovery\.safetensors: is not what these weights were trained by; restore it"
    ):
        _ = Run.open(run.path).facts
