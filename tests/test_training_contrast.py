"""Training on discovered clusters: what is learned from, and the same end however it was interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from terrasift import Recipe, Run, discover, train
from terrasift.api import stages
from terrasift.data.indexing import index_images
from terrasift.data.patches import PatchReader
from terrasift.discovery import Discovery, learn_dictionary
from terrasift.raster import Raster, read_labels
from terrasift.training import fit

TINY = ("width=8", "clusters=8", "patch=64", "crop=48", "batch_size=4", "steps=3", "compute.device=cpu")
FOLDER = {"recipe.yaml", "weights.safetensors", "legend.yaml", "images.txt", "log.csv", "machine.json"}


def contrast_recipe(*changes: str) -> Recipe:
    return Recipe.load("default", [*TINY, "compute.checkpoint_seconds=0", *changes])


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("superpixels")


@pytest.fixture
def few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrasift.data.sampling._WINDOWS", 1500)


@pytest.fixture
def weights(scenes: Path, tmp_path: Path, cache: Path, few_windows: None) -> Callable[..., bytes]:
    def trained(folder: str, recipe: Recipe, *, resume: bool = False) -> bytes:
        run = train([scenes / "images"], tmp_path / folder, recipe, resume=resume, cache=cache)
        return run.weights_file.read_bytes()

    return trained


def test_the_command_trains_and_maps(
    command: Callable[..., Any], scenes: Path, tmp_path: Path, few_windows: None
) -> None:
    changes = [part for change in TINY for part in ("--set", change)]
    ended = command("train", scenes / "images", "--out", tmp_path / "run", "--no-cache", *changes)
    assert ended.code == 0, ended.err
    assert {path.name for path in (tmp_path / "run").iterdir()} == FOLDER | {
        "discovery.safetensors",
        "report.html",
        "clusters-1.npz",
    }
    run = Run.open(tmp_path / "run")
    discovery = Discovery.load(run.discovery_file)
    extractor = run.load_network().extractor
    np.testing.assert_array_equal(torch.stack([extractor.fine_filters, extractor.coarse_filters]), discovery.filters)
    ended = command("predict", run.path, scenes / "images" / "north.tif", "--out", tmp_path / "map.tif")
    assert ended.code == 0, ended.err
    assert read_labels(tmp_path / "map.tif", run.legend).shape == (256, 256)


@pytest.mark.parametrize("extractor", ["dictionary", "dic"])
def test_the_same_seed_gives_the_same_bytes(weights: Callable[..., bytes], tmp_path: Path, extractor: str) -> None:
    recipe = contrast_recipe(f"extractor={extractor}", "classifiers=2")
    assert weights("one", recipe) == weights("two", recipe)
    found = [(tmp_path / name / "discovery.safetensors").read_bytes() for name in ("one", "two")]
    assert found[0] == found[1]
    assert weights("three", recipe.model_copy(update={"seed": 1})) != weights("one", recipe, resume=True)


def test_what_is_learned_is_what_was_discovered(
    weights: Callable[..., bytes], scenes: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches hold, patch by patch and for each classifier, the labels that discovery alone gives, or near ones."""
    seen = []

    def fit_and_look(fabric: Any, network: Any, source: Any, *arguments: Any, **options: Any) -> None:
        seen.extend(list(source.epoch(epoch)) for epoch in (0, 0, 1))
        fit(fabric, network, source, *arguments, **options)

    monkeypatch.setattr(stages, "fit", fit_and_look)
    recipe = contrast_recipe("classifiers=2", "clusters=30")
    weights("run", recipe)
    discovery = discover([scenes / "images"], recipe, cache=cache)
    expected, differ = {}, 0.0
    for name in ("north", "south"):
        with Raster(scenes / "images" / f"{name}.tif") as raster:
            values, _ = raster.read()
        for row, column in np.ndindex(4, 4):
            patch = values[64 * row :, 64 * column :][:64, :64]
            labels = np.stack([discovery.labels(patch, classifier=number) for number in (1, 2)])
            expected[patch.tobytes()] = labels
            differ += (labels[0] != labels[1]).mean()
    assert differ > 3  # of 32
    drawn = []
    for batches in seen:
        drawn.append({})
        for batch in batches:
            for image, targets in zip(batch.images, batch.targets, strict=True):
                drawn[-1][(image * 255).round().byte().permute(1, 2, 0).numpy().tobytes()] = targets.numpy()
    assert all(epoch.keys() == expected.keys() and len(epoch) == 32 for epoch in drawn)
    for patch in expected:
        np.testing.assert_array_equal(drawn[0][patch], drawn[1][patch])
        assert (drawn[0][patch] != drawn[2][patch]).any()
    assert np.mean([(drawn[0][patch] == labels).mean() for patch, labels in expected.items()]) > 0.4  # of 30 clusters


@pytest.mark.parametrize("place", ["discover_in", "Discovery.save", "fit"])
def test_interrupted_anywhere_it_goes_on_to_the_same_weights(
    weights: Callable[..., bytes], place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    undisturbed = weights("one", contrast_recipe())
    with monkeypatch.context() as patch:
        patch.setattr(f"terrasift.api.stages.{place}", interrupt)
        with pytest.raises(KeyboardInterrupt):
            weights("two", contrast_recipe())
    assert (tmp_path / "two" / "targets.safetensors").exists() == (place == "fit")
    assert weights("two", contrast_recipe(), resume=True) == undisturbed


def test_learned_filters_go_with_the_networks_own_labels(
    weights: Callable[..., bytes], scenes: Path, tmp_path: Path
) -> None:
    recipe = contrast_recipe("targets=self", "classifiers=2")
    weights("run", recipe)
    run = Run.open(tmp_path / "run")
    assert not run.discovery_file.exists()
    learned = load_file(run.weights_file)
    images = [str(scenes / "images" / f"{name}.tif") for name in ("north", "south")]
    patches = index_images(images, run.recipe).patches
    expected = learn_dictionary(patches, PatchReader(scaling=run.recipe.scaling), recipe)
    np.testing.assert_array_equal(learned["extractor.fine_filters"], expected[0])
    np.testing.assert_array_equal(learned["extractor.coarse_filters"], expected[1])


def test_fewer_pixels_are_learned_from_where_there_are_many(
    weights: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("terrasift.data.sampling.MOST_PIXELS", 5 * 64 * 64 + 100)
    caplog.set_level("INFO")
    weights("run", contrast_recipe())
    assert "5 patches of 2 images" in caplog.text


JOB = """
import sys
from terrasift import train
from terrasift.data import sampling
sampling._WINDOWS = 1500
images, recipe, out = sys.argv[1:]
train([images], out, recipe, resume=True, use_cache=False)
"""


@pytest.mark.slow
def test_killed_anywhere_it_goes_on_to_the_same_weights(scenes: Path, tmp_path: Path, few_windows: None) -> None:
    recipe, image = contrast_recipe("steps=12"), scenes / "images" / "north.tif"
    recipe.save(tmp_path / "recipe.yaml")
    job = [sys.executable, "-c", JOB, str(image), str(tmp_path / "recipe.yaml")]
    train([image], tmp_path / "one", recipe, use_cache=False)
    run = Run(tmp_path / "two")

    def in_discovery() -> bool:
        return len(list(run.path.glob("superpixels/*/*.npz"))) > 3

    def in_training() -> bool:
        return run.log_file.exists() and len(run.log_file.read_text().splitlines()) > 4

    for reached in (in_discovery, in_training):
        with subprocess.Popen([*job, str(run.path)]) as process:
            while not reached():
                assert process.poll() is None
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
        assert run.discovery_file.exists() == (reached is in_training)
        assert not run.is_finished
    train([image], run.path, recipe, resume=True, use_cache=False)
    for name in ("weights.safetensors", "discovery.safetensors"):
        assert (run.path / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    assert {path.name for path in run.path.iterdir()} == FOLDER | {"discovery.safetensors"}
