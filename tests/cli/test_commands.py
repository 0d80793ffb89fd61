"""The commands do what they say, end with what they wrote, and name the command that comes next."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch

from terrasift import Recipe, Run, RunError
from terrasift.raster import write_image
from terrasift.run import RunFolder

Command = Callable[..., Any]
COMMANDS = ("demo", "train", "predict", "evaluate", "score", "study", "prepare", "legend", "export", "info")


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(tiny_run.path, tmp_path / "run"))


def test_help_names_the_commands_in_the_order_of_use(command: Command) -> None:
    out = command("--help").out
    positions = [out.index(f" {name} ") for name in COMMANDS]
    assert positions == sorted(positions)
    for name in COMMANDS:
        outcome = command(name, "--help")
        assert outcome.code == 0
        assert f"terrasift {name} " in outcome.out  # the example


def test_programs_can_ask_for_the_version(command: Command) -> None:
    assert command("--version") == (0, f"terrasift {version('terrasift')}\n", "")


def test_train_predict_evaluate(command: Command, scenes: Path, tmp_path: Path) -> None:
    run, images = tmp_path / "run", scenes / "images"
    changes = ("width=4", "clusters=8", "patch=128", "batch_size=2", "steps=2", "classifiers=2", "compute.device=cpu")
    options = [part for change in changes for part in ("--set", change)]
    trained = command("train", images, "--out", run, "--cache", tmp_path / "cache", *options)
    assert trained.code == 0, trained.err
    assert trained.out.splitlines() == [
        f"wrote {run}",
        f"wrote {run / 'report.html'}: open it in a browser",
        f"next: terrasift predict {run} SCENE --out map.tif",
    ]

    predicted = command("predict", run, images, "--out", tmp_path / "maps")
    written = [tmp_path / "maps" / name for name in ("north.tif", "south.tif")]
    assert predicted.code == 0, predicted.err
    assert predicted.out.splitlines()[:2] == [f"wrote {path}" for path in written]
    assert f"next: terrasift legend {run} --merge-to auto" in predicted.out  # nobody has named the clusters

    truth = ("--masks", scenes / "masks", "--classes", scenes / "classes.yaml")
    known, unknown = images / "north.tif", images / "south.tif"
    scored = command("evaluate", run, unknown, *truth, "--map-images", known)
    assert scored.code == 0, scored.err
    content = json.loads((run / "evaluation.json").read_text())
    best = content["classifiers"][content["best_classifier"] - 1]
    for name, scores in (("this run", best), *((entry["name"], entry) for entry in content["baselines"])):
        (row,) = [line.split(f" {name} ")[1] for line in scored.out.splitlines() if line.startswith(f" {name} ")]
        shown = [f"{100 * scores[key]:.1f}" for key in ("accuracy", "mean_iou", "weighted_iou", "mean_f1")]
        assert row.split()[:4] == shown
        missing = ", ".join(entry for k, entry in enumerate(content["classes"]) if k not in scores["mapping"])
        assert (f"no cluster became: {missing} ({name})" in scored.out.splitlines()) == bool(missing)
    assert [entry["name"] for entry in content["baselines"]] == ["k-means on pixels", "k-means on superpixels"]
    assert content["classes"][1] == "building"
    assert len(content["classifiers"]) == 2
    assert f"wrote {run / 'legend.yaml'}" in scored.out
    assert "flatters" not in scored.out

    again = command("predict", run, known, "--out", tmp_path / "map.png")
    assert f"next: open {tmp_path / 'map.png'} in QGIS" in again.out
    with rasterio.open(tmp_path / "map.png") as dataset:
        assert dataset.tags()["CLASS_1"] == "building"
    assert command("predict", run, known, "--out", tmp_path / "clusters.tif", "--clusters").code == 0
    with rasterio.open(tmp_path / "clusters.tif") as dataset:
        assert dataset.tags()["CLASS_7"] == "cluster 7"


def test_evaluate_says_when_scores_are_flattered_and_can_leave_the_legend(
    command: Command, run: Path, scenes: Path
) -> None:
    legend = (run / "legend.yaml").read_bytes()
    truth = ("--masks", scenes / "masks", "--classes", scenes / "classes.yaml")
    outcome = command("evaluate", run, scenes / "images" / "*.tif", *truth, "--keep-legend", "--no-baselines")
    assert outcome.code == 0, outcome.err
    assert "k-means" not in outcome.out
    assert "no cluster became: " in outcome.out
    assert json.loads((run / "evaluation.json").read_text())["baselines"] == []
    assert "flatters the scores" in outcome.out
    assert json.loads((run / "evaluation.json").read_text())["best_classifier"] in (1, 2)
    assert (run / "legend.yaml").read_bytes() == legend


def test_evaluate_scores_names_given_by_hand_and_says_when_it_replaces_them(
    command: Command, run: Path, scenes: Path
) -> None:
    truth = ("--masks", scenes / "masks", "--classes", scenes / "classes.yaml")
    names = [part for k, name in enumerate(("road", "building", "tree")) for part in ("--name", f"{k}={name}")]
    assert command("legend", run, *names).code == 0
    legend = (run / "legend.yaml").read_bytes()

    scored = command("evaluate", run, scenes / "images", *truth, "--mapping", "legend")
    assert scored.code == 0, scored.err
    assert "lie in clusters without a class, and count nowhere" in scored.out
    assert not any(word in scored.out for word in ("flatters", "legend.yaml", "replaced"))
    assert (run / "legend.yaml").read_bytes() == legend
    kept = json.loads((run / "evaluation.json").read_text())
    assert kept["classifiers"][0]["mapping"] == [0, 1, 3, -1, -1, -1, -1, -1]
    assert kept["mapped_on_test_set"] is False

    replaced = command("evaluate", run, scenes / "images", *truth, "--no-baselines")
    assert f"the classes it had are replaced, and kept in {run / 'legend.previous.yaml'}" in replaced.out
    assert (run / "legend.previous.yaml").read_bytes() == legend
    again = command("evaluate", run, scenes / "images", *truth, "--no-baselines")
    assert "replaced" not in again.out, "the same names as before"

    assert command("legend", run, "--name", "0=roads").code == 0
    wrong = command("evaluate", run, scenes / "images", *truth, "--mapping", "legend")
    assert wrong.code == 2
    assert "has classes that the classes file does not name: 'roads'" in wrong.err
    assert len(wrong.err.splitlines()) == 1


def test_a_finished_run_can_be_resumed_without_harm(command: Command, run: Path, scenes: Path) -> None:
    weights = (run / "weights.safetensors").read_bytes()
    outcome = command("train", scenes / "images", "--out", run, "--recipe", run / "recipe.yaml", "--resume")
    assert outcome.code == 0, outcome.err
    assert "is finished already" in outcome.err
    assert (run / "report.html").exists()
    assert (run / "weights.safetensors").read_bytes() == weights


def test_info_writes_the_report_of_a_run_that_has_none(command: Command, run: Path, tmp_path: Path) -> None:
    assert not (run / "report.html").exists()
    outcome = command("info", run, "--report")
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[-1] == f"wrote {run / 'report.html'}: open it in a browser"
    assert "<html" in (run / "report.html").read_text(encoding="utf-8")
    (tmp_path / "none").mkdir()
    for wrong in ("paper", tmp_path / "none"):
        refused = command("info", wrong, "--report")
        assert refused.code == 2
        assert "is not a run" in refused.err


def test_what_a_run_was_given_is_found_from_any_folder(
    command: Command, scenes: Path, tmp_path: Path, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained and evaluated with paths as they are typed, then merged and resumed elsewhere."""
    shutil.copytree(scenes, tmp_path / "town")
    (tmp_path / "elsewhere").mkdir()
    tiny_recipe.save(tmp_path / "recipe.yaml")
    monkeypatch.chdir(tmp_path / "town")
    trained = command("train", "images", "--out", tmp_path / "run", "--recipe", tmp_path / "recipe.yaml", "--no-cache")
    assert trained.code == 0, trained.err
    truth = ("--masks", "masks", "--classes", "classes.yaml", "--keep-legend", "--no-baselines")
    assert command("evaluate", tmp_path / "run", "images", *truth).code == 0
    images = [str(tmp_path / "town" / "images" / name) for name in ("north.tif", "south.tif")]
    assert (tmp_path / "run" / "images.txt").read_text().splitlines() == images
    kept = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert list(kept["masks"]) == list(kept["classifiers"][0]["images"]) == images
    assert all(Path(mask).is_absolute() for mask in kept["masks"].values())

    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "run" / "clusters-1.npz").unlink()
    merged = command("legend", tmp_path / "run", "--merge-to", 2)
    assert merged.code == 0, merged.err
    assert "not where they were" not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_a_run_begun_with_paths_as_typed_goes_on(scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path / "run")
    run.begin(Recipe.load("demo"), [])
    run.images_file.write_text("images/north.tif\n/vsicurl/https://a.example/b.tif\n")  # as versions before wrote it
    monkeypatch.chdir(scenes)
    elsewhere = "/vsicurl/https://a.example/b.tif"
    run.check_images(["images/north.tif", elsewhere])
    run.check_images([str(scenes / "images" / "north.tif"), elsewhere])
    with pytest.raises(RunError, match="was begun with other images"):
        run.check_images(["images/south.tif", elsewhere])


def test_info_of_a_raster(command: Command, tmp_path: Path) -> None:
    array = np.ones((40, 60, 4), np.float32)
    array[:10] = np.nan
    write_image(tmp_path / "a.tif", array, crs="EPSG:32633", transform=(0.5, 0, 100, 0, -0.5, 200))
    assert command("info", tmp_path / "a.tif").out.splitlines() == [
        f"raster {tmp_path / 'a.tif'}: GTiff",
        "60 x 40 pixels, 4 bands of float32",
        "bands: 1, 2, 3, 4",
        "CRS: EPSG:32633",
        "transform: 0.5, 0, 100, 0, -0.5, 200",
        "ground sampling: 0.499 m",  # on the ground: far from its meridian UTM stretches
        "nodata: none",
        "valid pixels: 75.0%",
    ]


def test_info_of_an_image_with_alpha(command: Command, tmp_path: Path) -> None:
    array = np.zeros((20, 20, 4), np.uint8)
    array[:5, :, 3] = 255
    write_image(tmp_path / "a.png", array)
    lines = command("info", tmp_path / "a.png").out.splitlines()
    assert "20 x 20 pixels, 3 bands of uint8" in lines
    assert "CRS: none, a plain image" in lines
    assert lines[-2:] == ["alpha: band 4 says which pixels are valid", "valid pixels: 25.0%"]


def test_info_of_a_recipe_is_the_recipe(command: Command, tmp_path: Path) -> None:
    outcome = command("info", "paper")
    (tmp_path / "copy.yaml").write_text(outcome.out)
    assert Recipe.load(tmp_path / "copy.yaml") == Recipe.load("paper")
    assert command("info", tmp_path / "copy.yaml").out == outcome.out


def test_info_of_a_run(command: Command, run: Path) -> None:
    out = command("info", run).out
    assert out.startswith(f"run {run}: finished\n24 steps in ")
    assert "legend: 8 classes that hold 8 clusters of classifier 1" in out
    assert "clusters: 8  #" in out
    with (run / "log.csv").open("a") as file:
        file.write("9,1,3.14")  # a run that is being trained
    assert command("info", run).out == out
    (run / "weights.safetensors").unlink()
    assert command("info", run).out.startswith(f"run {run}: not finished\n")


def test_an_interrupted_training_says_how_to_go_on(
    command: Command, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("terrasift.api.train", interrupt)
    outcome = command("train", scenes / "images", "--out", tmp_path / "run")
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err == "terrasift: interrupted; go on with the same command and --resume\n"


def test_what_the_system_refuses_is_one_line_too(
    command: Command, run: Path, scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "map.tif")

    monkeypatch.setattr(Run, "_predict", full)
    outcome = command("predict", run, scenes / "images" / "north.tif", "--out", run / "maps")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "terrasift: map.tif: No space left on device\n"


@pytest.mark.parametrize(
    "arguments", [["train"], ["predict", "run"], ["train", "a.tif", "--out", "b", "--what"], ["fly"]]
)
def test_wrong_usage_ends_with_code_2(command: Command, arguments: list[str]) -> None:
    outcome = command(*arguments)
    assert outcome.code == 2
    assert "Usage: " in outcome.err
    assert "Traceback" not in outcome.err


def test_predict_writes_polygons_and_a_style_beside_the_map(
    tiny_run: Run, scenes: Path, tmp_path: Path, command: Command
) -> None:
    import pyogrio

    scene, vector = scenes / "images" / "north.tif", tmp_path / "map.gpkg"
    ended = command("predict", tiny_run.path, scene, "--out", tmp_path / "map.tif", "--vector", vector)
    assert ended.code == 0
    assert f"wrote {vector}" in ended.out
    info = pyogrio.read_info(vector)
    assert info["crs"] == "EPSG:32633"
    assert list(info["fields"]) == ["class", "name", "area"]
    areas = pyogrio.raw.read(vector, columns=["area"], read_geometry=False)[3][0]
    assert areas.sum() == pytest.approx(256 * 256 * 0.25**2, rel=1e-3)
    assert (tmp_path / "map.qml").exists()

    many = command("predict", tiny_run.path, scenes / "images", "--out", tmp_path / "maps", "--vector", vector)
    assert (many.code, many.err.count("\n")) == (2, 1)
    assert "--vector: is one file for 2 scenes; name a folder" in many.err


def test_predict_replaces_nothing_unasked(command: Command, tiny_run: Run, scenes: Path, tmp_path: Path) -> None:
    scene, out = scenes / "images" / "north.tif", tmp_path / "map.tif"
    out.write_text("a letter")
    refused = command("predict", tiny_run.path, scene, "--out", out)
    assert refused.err == f"terrasift: {out}: is there already; name another place, or replace it: --overwrite\n"
    assert command("predict", tiny_run.path, scene, "--out", out, "--resume").code == 2
    assert out.read_text() == "a letter"
    assert command("predict", tiny_run.path, scene, "--out", out, "--overwrite").code == 0
    whole = out.read_bytes()
    assert command("predict", tiny_run.path, scene, "--out", out, "--resume").code == 0
    assert out.read_bytes() == whole


def test_many_scenes_have_polygons_and_a_mosaic_in_their_colours(
    command: Command, tiny_run: Run, scenes: Path, tmp_path: Path
) -> None:
    given = (tiny_run.path, scenes / "images", "--out", tmp_path / "maps", "--vector", tmp_path / "polygons")
    ended = command("predict", *given)
    assert ended.code == 0, ended.err
    assert f"wrote {tmp_path / 'polygons' / 'south.gpkg'}" in ended.out
    assert {path.name for path in (tmp_path / "polygons").iterdir()} >= {"north.gpkg", "north.qml", "south.gpkg"}
    assert (tmp_path / "maps" / "mosaic.qml").read_text() == (tmp_path / "maps" / "north.qml").read_text()


def test_epochs_that_would_count_for_nothing_are_refused(command: Command, scenes: Path, tmp_path: Path) -> None:
    given = ("train", scenes / "images", "--out", tmp_path / "run", "--recipe", "default", "--set", "epochs=1")
    line = (
        "epochs: counts for nothing: the recipe stops after {} steps; change --set steps=..., or give --set steps=null"
    )
    steps = Recipe.load("default").steps
    assert line.format(steps) in command(*given).err
    assert Recipe.load("default", ["epochs=1", "steps=null"]).epochs == 1


def test_a_device_that_is_missing_is_said_alike(command: Command, run: Path, scenes: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    line = "terrasift: compute.device: cuda is not available on this machine; use auto or cpu\n"
    cuda = ("--set", "compute.device=cuda")
    assert command("train", scenes / "images", "--out", tmp_path / "new", *cuda).err == line
    assert command("predict", run, scenes / "images", "--out", tmp_path / "maps", *cuda).err == line


def test_info_of_a_class_map_says_what_its_classes_cover(
    command: Command, tiny_run: Run, scenes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "map.tif"
    assert command("predict", tiny_run.path, scenes / "images" / "north.tif", "--out", out).code == 0
    lines = command("info", out).out.splitlines()
    assert "areas, ha:" in lines
    assert lines[-1].split() == ["all", "0.4096"]  # (256 * 0.25 m)^2
    areas = json.loads(command("info", out, "--json").out)["facts"]["areas"]
    assert sum(entry["area"] for entry in areas["classes"]) == pytest.approx(0.4096)
    assert "areas, ha:" not in command("info", scenes / "masks" / "north.tif").out.splitlines()


def test_a_finished_run_says_what_it_cannot_do(command: Command, run: Path, scenes: Path) -> None:
    before = (run / "weights.safetensors").read_bytes()
    other = command("train", scenes / "images" / "north.tif", "--out", run, "--resume")
    assert "was begun with other images" in other.err
    longer = ("--recipe", run / "recipe.yaml", "--set", "epochs=9", "--resume")
    assert "is finished, and its learning rate" in command("train", scenes / "images", "--out", run, *longer).err
    assert (run / "weights.safetensors").read_bytes() == before


def test_masks_beside_images_need_not_be_named(command: Command, run: Path, scenes: Path) -> None:
    given = (
        "evaluate",
        run,
        scenes / "images",
        "--classes",
        scenes / "classes.yaml",
        "--no-baselines",
        "--keep-legend",
    )
    named, found = command(*given, "--masks", scenes / "masks", "--json"), command(*given, "--json")
    assert found.code == 0, found.err
    scores = [json.loads(outcome.out)["classifiers"][0]["accuracy"] for outcome in (named, found)]
    assert scores[0] == scores[1]
