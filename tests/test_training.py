"""The self-training step and its loop: what docs/method.md says, and the same end however often it is interrupted."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from terrasift import Recipe, Run, RunError, SettingError, build_network, refine, train
from terrasift.blocks.batch import Batch
from terrasift.blocks.losses import continuity_loss, mumford_shah_loss
from terrasift.run import RunFolder
from terrasift.training import fit, make_fabric, make_optimizer, make_scheduler, memory_format, training_step


class FixedBatches:
    """The same few random batches, in the order of the epoch."""

    def __init__(self, steps: int) -> None:
        self.steps_per_epoch = steps

    def epoch(self, epoch: int, first_step: int = 0, most: int | None = None) -> Iterator[Batch]:
        for step in range(first_step, self.steps_per_epoch)[:most]:
            generator = torch.Generator().manual_seed(100 * epoch + step)
            images = torch.rand(2, 3, 16, 16, generator=generator)
            regions = torch.arange(256, dtype=torch.int32).view(1, 16, 16).expand(2, -1, -1) // 8
            yield Batch(images, regions, torch.ones(2, 16, 16, dtype=torch.bool))


def small_recipe(*changes: str) -> Recipe:
    return Recipe.load("paper", ["width=4", "clusters=6", "epochs=2", "lr=1e-2", "compute.device=cpu", *changes])


def weights_after(recipe: Recipe, source: FixedBatches, folder: Path) -> dict[str, torch.Tensor]:
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.extractor, 3, recipe.clusters, recipe.classifiers, recipe.width)
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    fit(make_fabric(recipe), network, source, recipe, RunFolder(folder))
    return network.state_dict()


def test_step_is_that_of_the_method() -> None:
    recipe = small_recipe()
    torch.manual_seed(3)
    network = build_network("dic", 3, 6, classifiers=2, width=4)
    batch = next(FixedBatches(1).epoch(0))
    result = training_step(network, batch, recipe)
    for logits, labels, loss in zip(network(batch.images), result.labels, result.losses, strict=True):
        assert torch.equal(labels, refine(logits.argmax(1), batch.regions))
        counts = torch.bincount(labels.flatten(), minlength=6)
        pixel_weights = (labels.numel() / ((counts > 0).sum() * counts))[labels]
        pixel_losses = -torch.log_softmax(logits, 1).gather(1, labels[:, None])[:, 0]
        torch.testing.assert_close(loss, (pixel_weights * pixel_losses).sum() / pixel_weights.sum())


@pytest.mark.parametrize("extractor", ["kan", "seek", "dic", "dictionary"])
def test_a_step_is_the_same_whichever_way_its_numbers_lie_in_memory(extractor: str) -> None:
    recipe = Recipe.load("paper", [f"extractor={extractor}", "clusters=6", "width=6"])
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(3)
        network = build_network(extractor, 3, 6, classifiers=2, width=6).double().to(memory_format=layout)
        batch = next(FixedBatches(1).epoch(0))
        images = batch.images.double().contiguous(memory_format=layout)
        valid = batch.valid.clone()
        valid[:, :3] = False
        result = training_step(network, Batch(images, batch.regions, valid), recipe)
        sum(result.losses).backward()
        gradients = [part.grad for part in network.parameters() if part.requires_grad]
        found.append([*result.losses, *result.labels, *gradients])
    for plain, other in zip(*found, strict=True):
        torch.testing.assert_close(other, plain)


@pytest.mark.parametrize(("precision", "layout"), [("32-true", "contiguous_format"), ("bf16-mixed", "channels_last")])
def test_float32_trains_as_it_always_did_and_16_bits_with_channels_side_by_side(precision: str, layout: str) -> None:
    recipe = small_recipe(f"compute.precision={precision}")
    assert memory_format(make_fabric(recipe), recipe) is getattr(torch, layout)


def test_bfloat16_finds_what_float32_finds(tmp_path: Path) -> None:
    ends = []
    for precision in ("32-true", "bf16-mixed"):
        recipe = small_recipe(f"compute.precision={precision}", "epochs=3")
        weights_after(recipe, FixedBatches(4), tmp_path / precision)
        ends.append([float(loss) for loss in losses(tmp_path / precision)])
    np.testing.assert_allclose(ends[1], ends[0], rtol=0.05)
    assert ends[0] != ends[1]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("exponential", np.geomspace(1e-2, 1e-4, 9)),
        ("cosine", 1e-4 + (1e-2 - 1e-4) * (1 + np.cos(np.pi * np.arange(9) / 8)) / 2),
        ("constant", np.full(9, 1e-2)),
        # 0.3 of the steps from a 25th up to lr, which is reached between two of them; the others down
        (
            "one_cycle",
            [
                *(4e-4 + (1e-2 - 4e-4) * (1 - np.cos(np.pi * np.arange(2) / 1.7)) / 2),
                *(1e-4 + (1e-2 - 1e-4) * (1 + np.cos(np.pi * (np.arange(2, 9) - 1.7) / 6.3)) / 2),
            ],
        ),
    ],
)
def test_learning_rate_follows_its_schedule(tmp_path: Path, schedule: str, expected: np.ndarray) -> None:
    recipe = small_recipe("lr_final=1e-4", "epochs=3", f"lr_schedule={schedule}")
    weights_after(recipe, FixedBatches(3), tmp_path)
    with (tmp_path / "log.csv").open() as file:
        rates = [float(row["lr"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(rates, expected)


def test_added_losses_are_added_with_their_weights() -> None:
    torch.manual_seed(3)
    network = build_network("kan", 3, 6, width=4).eval()
    batch = next(FixedBatches(1).epoch(0))
    (logits,) = network(batch.images)
    (plain,) = training_step(network, batch, small_recipe()).losses
    recipe = small_recipe("losses.continuity=0.5", "losses.mumford_shah=2", "losses.tv_weight=0.1")
    (loss,) = training_step(network, batch, recipe).losses
    added = 0.5 * continuity_loss(logits) + 2 * mumford_shah_loss(logits, batch.images, tv_weight=0.1)
    torch.testing.assert_close(loss, plain + added)


def test_steps_limits_the_training(tmp_path: Path) -> None:
    weights_after(small_recipe("steps=4"), FixedBatches(3), tmp_path)
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["epoch"]) for row in rows] == [("1", "1"), ("2", "1"), ("3", "1"), ("4", "2")]
    assert all(0 < int(row["clusters_2"]) <= 6 and float(row["loss"]) > 0 for row in rows)


def losses(folder: Path) -> list[str]:
    with (folder / "log.csv").open() as file:
        return [row["loss"] for row in csv.DictReader(file)]


class StopsAfter(FixedBatches):
    def __init__(self, steps: int, batches: int) -> None:
        super().__init__(steps)
        self._left = batches

    def epoch(self, epoch: int, first_step: int = 0, most: int | None = None) -> Iterator[Batch]:
        for batch in super().epoch(epoch, first_step, most):
            if self._left == 0:
                raise KeyboardInterrupt
            self._left -= 1
            yield batch


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_one_cycle_is_that_of_pytorch(steps: int) -> None:
    recipe = small_recipe("lr_schedule=one_cycle", "lr=1e-2", "lr_final=1e-5", "optimizer=adamw")
    rates = []
    for make in (make_scheduler, lambda optimizer, *_: one_cycle(optimizer, max(2, steps))):
        optimizer = make_optimizer(torch.nn.Linear(1, 1), recipe)
        assert isinstance(optimizer, torch.optim.AdamW)
        scheduler = make(optimizer, recipe, steps)
        for _ in range(steps):
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
    np.testing.assert_allclose(rates[:steps], rates[steps:])
    if steps > 1:
        assert rates[steps - 1] == pytest.approx(1e-5)


def test_muon_turns_the_convolutions_of_the_extractor_alone() -> None:
    network = build_network("dictionary", 3, 6, width=6)
    others, hidden = (group["params"] for group in make_optimizer(network, Recipe.load("default")).param_groups)
    names = {id(weight): name for name, weight in network.named_parameters()}
    trained = {id(weight) for weight in network.parameters() if weight.requires_grad}
    assert {id(weight) for weight in (*others, *hidden)} == trained
    assert all(names[id(weight)].startswith("extractor.") and weight.ndim == 4 for weight in hidden)
    assert not any(names[id(weight)].startswith("extractor.") and weight.ndim == 4 for weight in others)
    assert hidden


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_step_that_overflows_16_bits_changes_no_weight(optimizer: str) -> None:
    torch.manual_seed(3)
    network = build_network("dictionary", 3, 6, width=6)
    made = make_optimizer(network, Recipe.load("default", [f"optimizer={optimizer}"]), torch.device("cuda"))
    scaler = torch.amp.GradScaler("cpu")
    before = {name: weight.clone() for name, weight in network.named_parameters()}
    for factor in (torch.inf, 1.0):
        made.zero_grad()
        scaler.scale(factor * sum(weight.square().sum() for weight in network.parameters())).backward()
        scaler.step(made)
        scaler.update()
        moved = [name for name, weight in network.named_parameters() if not torch.equal(weight, before[name])]
        assert bool(moved) == (factor == 1.0)
    assert all(weight.isfinite().all() for weight in network.parameters())


def one_cycle(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.OneCycleLR:
    factors = {"div_factor": 25, "final_div_factor": 1e-2 / 25 / 1e-5}
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps, **factors)


def batch_with_targets() -> tuple[Batch, torch.Tensor, torch.Tensor]:
    """Of six clusters for each of two classifiers; and its targets and valid pixels."""
    generator = torch.Generator().manual_seed(1)
    targets = torch.randint(0, 6, (2, 2, 16, 16), generator=generator)
    valid = torch.rand(2, 16, 16, generator=generator) < 0.8
    return next(FixedBatches(1).epoch(0))._replace(targets=targets, valid=valid), targets, valid


def test_with_targets_a_step_is_plain_cross_entropy_against_them() -> None:
    torch.manual_seed(3)
    network = build_network("kan", 3, 6, classifiers=2, width=4).eval()
    batch, targets, valid = batch_with_targets()
    recipe = small_recipe("class_weights=none")
    result = training_step(network, batch, recipe)
    for index, (logits, loss) in enumerate(zip(network(batch.images), result.losses, strict=True)):
        assert torch.equal(result.labels[index], targets[:, index])
        pixels = logits.movedim(1, -1)[valid]
        torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(pixels, targets[:, index][valid]))
    other = torch.where(valid[:, None], targets, 5 - targets)
    again = training_step(network, batch._replace(targets=other), recipe)
    assert all(torch.equal(*pair) for pair in zip(again.losses, result.losses, strict=True))


def test_a_thinned_step_is_cross_entropy_of_one_pixel_in_four() -> None:
    torch.manual_seed(3)
    network = build_network("dictionary", 3, 6, classifiers=2, width=6).eval()
    batch, targets, valid = batch_with_targets()
    result = training_step(network, batch, small_recipe("class_weights=none"), origin=(1, 0))
    counted = valid[:, 1::2, ::2]
    for index, (logits, loss) in enumerate(zip(network(batch.images), result.losses, strict=True)):
        pixels, labels = logits.movedim(1, -1)[:, 1::2, ::2][counted], targets[:, index, 1::2, ::2][counted]
        torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(pixels, labels))


@pytest.mark.parametrize("batches", [1, 3, 4])
@pytest.mark.parametrize(("schedule", "optimizer"), [("exponential", "adam"), ("one_cycle", "muon")])
def test_interrupted_training_ends_with_the_same_weights(
    tmp_path: Path, batches: int, schedule: str, optimizer: str
) -> None:
    recipe = small_recipe("compute.checkpoint_seconds=0", f"lr_schedule={schedule}", f"optimizer={optimizer}")
    undisturbed = weights_after(recipe, FixedBatches(3), tmp_path / "one")
    with pytest.raises(KeyboardInterrupt):
        weights_after(recipe, StopsAfter(3, batches), tmp_path / "two")
    resumed = weights_after(recipe, FixedBatches(3), tmp_path / "two")
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)
    assert losses(tmp_path / "one") == losses(tmp_path / "two")


class OneCluster(torch.nn.Module):
    """The first classifier tells clusters apart, the second puts every pixel into cluster 4."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = torch.nn.Parameter(torch.eye(6)[4])

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        bias = self.bias.view(1, 6, 1, 1)
        return torch.cat([images, images.flip(1)], dim=1) + 0 * bias, bias.expand(len(images), 6, 16, 16)


def test_collapse_is_said_with_its_mend(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recipe, folder = small_recipe(), RunFolder(tmp_path)
    folder.checkpoint_file.parent.mkdir()
    fit(make_fabric(recipe), OneCluster(), FixedBatches(2), recipe, folder)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == recipe.epochs
    assert all("collapsed: classifier 2" in text and "class_weights" in text for text in warnings)


def test_invalid_pixels_change_no_weight(tmp_path: Path, tiny_recipe: Recipe) -> None:
    """Whatever number stands where there is no data, the trained network is the same to the bit."""
    from terrasift.data.synthetic import synthetic_scene

    image = synthetic_scene(128, 128, seed=1).image.astype(np.float32)
    weights = []
    for name, junk in (("one", np.nan), ("two", -9999.0)):
        image[20:60, 30:90] = junk
        write_float(tmp_path / name / "scene.tif", image, nodata=-9999.0)
        run = train([tmp_path / name], tmp_path / f"run-{name}", tiny_recipe, use_cache=False)
        weights.append(load_file(run.weights_file))
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def write_float(path: Path, array: np.ndarray, nodata: float) -> None:
    import rasterio

    path.parent.mkdir()
    profile = {"driver": "GTiff", "height": array.shape[0], "width": array.shape[1], "count": 3, "dtype": "float32"}
    profile |= {"nodata": nodata, "crs": "EPSG:32633", "transform": rasterio.Affine(0.5, 0, 0, 0, -0.5, 0)}
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(np.moveaxis(array, 2, 0))


def test_runs_repeat_and_seeds_differ(scenes: Path, tiny_run: Run, tiny_recipe: Recipe, tmp_path: Path) -> None:
    again = train([scenes / "images"], tmp_path / "again", tiny_recipe, use_cache=False)
    assert again.weights_file.read_bytes() == tiny_run.weights_file.read_bytes()
    other = train([scenes / "images"], tmp_path / "other", tiny_recipe.model_copy(update={"seed": 1}), use_cache=False)
    assert other.weights_file.read_bytes() != tiny_run.weights_file.read_bytes()


def test_a_run_is_not_overwritten(scenes: Path, tiny_run: Run, tiny_recipe: Recipe) -> None:
    with pytest.raises(RunError, match="`resume=True`"):
        train([scenes / "images"], tiny_run.path, tiny_recipe)
    with pytest.raises(RunError, match="clusters"):
        train([scenes / "images"], tiny_run.path, tiny_recipe.model_copy(update={"clusters": 9}), resume=True)


def test_resuming_needs_no_recipe_and_a_finished_run_stays(scenes: Path, tiny_run: Run) -> None:
    before = tiny_run.weights_file.stat()
    assert train([scenes / "images"], tiny_run.path, resume=True).recipe == tiny_run.recipe
    assert tiny_run.weights_file.stat().st_mtime_ns == before.st_mtime_ns


def test_a_missing_device_is_said(scenes: Path, tmp_path: Path, tiny_recipe: Recipe) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    recipe = Recipe.from_tree(tiny_recipe.model_dump() | {"compute": {"device": "cuda"}})
    with pytest.raises(SettingError, match=r"compute\.device"):
        train([scenes / "images"], tmp_path / "run", recipe)


@pytest.mark.parametrize("method", ["felzenszwalb", "external", "none"])
def test_other_refinements_train_too(scenes: Path, tmp_path: Path, tiny_recipe: Recipe, method: str) -> None:
    recipe = Recipe.from_tree(tiny_recipe.model_dump() | {"refinement": {"method": method}, "steps": 2})
    run = train([scenes / "images"], tmp_path / "run", recipe, cache=tmp_path / "cache")
    assert run.is_finished
    assert len(list((tmp_path / "cache").glob("*/*.npz"))) == (0 if method == "none" else 8)


def test_a_network_that_cannot_be_built_leaves_nothing(scenes: Path, tmp_path: Path, tiny_recipe: Recipe) -> None:
    recipe = Recipe.from_tree(tiny_recipe.model_dump() | {"extractor": "seek", "classifiers": 1, "width": 5})
    with pytest.raises(SettingError, match="width"):
        train([scenes / "images"], tmp_path / "run", recipe, use_cache=False)
    assert not (tmp_path / "run").exists()


def test_external_refinement_names_the_bands_it_needs(scenes: Path, tmp_path: Path, tiny_recipe: Recipe) -> None:
    tree = tiny_recipe.model_dump() | {"refinement": {"method": "external"}, "bands": [2], "steps": 1}
    with pytest.raises(SettingError, match=r"refinement\.color_bands"):
        train([scenes / "images"], tmp_path / "run", Recipe.from_tree(tree), use_cache=False)
    tree["refinement"]["color_bands"] = [1, 1, 1]
    assert train([scenes / "images"], tmp_path / "run", Recipe.from_tree(tree), use_cache=False).is_finished


def command(scenes: Path, out: Path, recipe: Path) -> list[str]:
    options = ["--out", str(out), "--recipe", str(recipe), "--no-cache", "--resume"]
    return [sys.executable, "-m", "terrasift", "train", str(scenes / "images"), *options]


@pytest.mark.slow
def test_killed_training_resumes_to_the_same_weights(scenes: Path, tmp_path: Path, tiny_recipe: Recipe) -> None:
    tree = tiny_recipe.model_dump(mode="json") | {"epochs": 6}
    tree["compute"]["checkpoint_seconds"] = 0
    recipe = tmp_path / "recipe.yaml"
    Recipe.from_tree(tree).save(recipe)
    train([scenes / "images"], tmp_path / "one", recipe, use_cache=False)
    generator = np.random.default_rng()
    kills = 0
    while kills < 2:
        with subprocess.Popen(command(scenes, tmp_path / "two", recipe), stderr=subprocess.DEVNULL) as process:
            wait_for(tmp_path / "two" / "checkpoints", process)
            time.sleep(generator.uniform(0, 1.5))
            if process.poll() is not None:
                break
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
    subprocess.run(command(scenes, tmp_path / "two", recipe), check=True, capture_output=True)
    assert kills > 0
    assert (tmp_path / "one" / "weights.safetensors").read_bytes() == (
        tmp_path / "two" / "weights.safetensors"
    ).read_bytes()
    left = {path.name for path in (tmp_path / "two").iterdir()}
    trained = {"recipe.yaml", "weights.safetensors", "legend.yaml", "images.txt", "log.csv", "machine.json"}
    assert left == trained | {"report.html", "clusters-1.npz"}


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    while not path.exists() and process.poll() is None:
        time.sleep(0.02)


def test_more_processes_than_processors_are_refused() -> None:
    recipe = Recipe.load("default", ["compute.device=cpu", "compute.devices=65536"])
    with pytest.raises(SettingError, match=r"compute.devices: 65536 is more than \d+ processors"):
        make_fabric(recipe)
