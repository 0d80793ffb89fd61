"""The study from raw tiles to the report: done cells are skipped, killed ones go on, failed ones stop nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from terrasift import InputError, RunError, SettingError
from terrasift.data.potsdam import POTSDAM
from terrasift.data.synthetic import SYNTHETIC_CLASSES, synthetic_scene
from terrasift.evaluation import LabelledImage
from terrasift.study.cells import CELL_FILE, FAILURE_FILE
from terrasift.study.data import StudyData, load_study_data
from terrasift.study.engine import run_study
from terrasift.study.experiments import EXPERIMENTS, find_experiments
from terrasift.study.folder import Study

TINY = ("width=4", "patch=64", "batch_size=4", "clusters=8", "refinement.restarts=1", "compute.device=cpu")
QUICK = "refinement.method=slic"  # the external algorithm takes a second for each patch
POTSDAM_COLORS = np.array(
    [[255, 255, 255], [0, 0, 255], [0, 255, 255], [0, 255, 0], [255, 255, 0], [255, 0, 0]], np.uint8
)


def study_of(scenes: Path, out: Path, *changes: str, budget: float = 0.01) -> Study:
    study = Study(out, scenes, budget=budget, changes=(*TINY, *changes))
    study.begin()
    return study


def write_tiles(raw: Path) -> Path:
    """Two tiles, one of them labelled, in the layout of ISPRS: patches have 16 pixels."""
    for seed, name in enumerate(("2_13", "6_12")):
        scene = synthetic_scene(480, 480, seed=seed)
        image = np.dstack([scene.image, scene.image[..., :1]])
        labels = POTSDAM_COLORS[scene.labels % len(POTSDAM_COLORS)]
        write_tile(raw / "4_Ortho_RGBIR" / f"top_potsdam_{name}_RGBIR.tif", image)
        if name == "6_12":
            write_tile(raw / "5_Labels_for_participants" / f"top_potsdam_{name}_label.tif", labels)
    return raw


def write_tile(path: Path, array: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"height": 480, "width": 480, "count": array.shape[2], "dtype": "uint8", "photometric": "rgb"}
    grid = rasterio.Affine(0.05, 0, 366_000, 0, -0.05, 5_807_000)
    with rasterio.open(path, "w", driver="GTiff", transform=grid, **profile) as out:
        out.write(np.moveaxis(array, 2, 0))


def test_from_raw_tiles_to_the_report(command: Callable[..., Any], tmp_path: Path) -> None:
    prepared, out = tmp_path / "potsdam", tmp_path / "study"
    assert command("prepare", "potsdam", write_tiles(tmp_path / "raw"), "--out", prepared, "--partial").code == 0
    settings = [f"--set={change}" for change in (*TINY, "patch=16")]
    arguments = ["study", "run", "class-refinement", "--data", prepared, "--out", out, "--budget=1e-4", *settings]
    assert command(*arguments).code == 0

    cells = {path.parent.name: json.loads(path.read_text()) for path in (out / "cells").glob(f"*/{CELL_FILE}")}
    assert len(cells) == 2
    for content in cells.values():
        assert len(content["data"]["potsdam"]["classes"]) == 6
        assert len(content["data"]["potsdam3"]["classes"]) == 3
        assert len(content["data"]["potsdam3"]["classifiers"]) == 2
        for scores in content["data"]["potsdam3"]["classifiers"]:
            assert max(scores["mapping"]) < 3
    written = {path: path.stat().st_mtime_ns for path in (out / "cells").rglob("*") if path.is_file()}

    again = command(*arguments)
    assert again.code == 0
    assert "2 cells, 2 of them done" in again.err
    assert written == {path: path.stat().st_mtime_ns for path in (out / "cells").rglob("*") if path.is_file()}
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "external algorithm" in report
    assert "63.1" not in report.partition("<body")[0]
    table = (out / "report.csv").read_text()
    assert len(table.splitlines()) > 8

    cell = out / "cells" / next(iter(cells))  # a run like any other: scored as one, it is still the study's cell
    POTSDAM.save(tmp_path / "classes.yaml")
    images = (prepared / "labelled_test.txt").read_text().split()[:2]
    truth = ("--masks", prepared / "gt", "--classes", tmp_path / "classes.yaml", "--no-baselines")
    scored = command("evaluate", cell, *(prepared / "imgs" / f"{image}.mat" for image in images), *truth)
    assert scored.code == 0, scored.err
    assert json.loads((cell / "evaluation.json").read_text())["classifiers"]
    assert command("study", "report", out).code == 0
    assert (out / "report.csv").read_text() == table
    (cell / CELL_FILE).rename(cell / "evaluation.json")  # as versions before kept it
    assert command("study", "report", out).code == 0
    assert (out / "report.csv").read_text() == table


def test_potsdam_3_is_the_labels_seen_with_three_classes(command: Callable[..., Any], tmp_path: Path) -> None:
    """Counts of the joined classes are sums of counts: the mapping of the clusters follows from them."""
    prepared = tmp_path / "potsdam"
    command("prepare", "potsdam", write_tiles(tmp_path / "raw"), "--out", prepared, "--partial")
    data = load_study_data(prepared, None, tmp_path, 16)
    assert list(data.views) == ["potsdam", "potsdam3"]
    assert data.views["potsdam3"].table == (0, 1, 2, 2, 0, 1)
    assert len(data.train) == len(data.mapped) + 225
    assert len(data.mapped) + len(data.tested) == 225


@pytest.mark.slow
def test_a_study_killed_inside_a_cell_ends_as_if_it_had_not_been(scenes: Path, tmp_path: Path) -> None:
    """SIGKILL after the first cell is done and the second has a checkpoint."""
    changes = ("compute.checkpoint_seconds=0", QUICK)
    experiments = find_experiments(["classifiers"])
    undisturbed = study_of(scenes, tmp_path / "undisturbed", *changes, budget=0.16)
    assert run_study(undisturbed, experiments) == []

    killed = study_of(scenes, tmp_path / "killed", *changes, budget=0.16)
    first, second = (killed.cell_folder(cell, 0) for cell in experiments[0].cells)
    arguments = ["study", "run", "classifiers", "--data", scenes, "--out", killed.path, "--budget=0.16"]
    arguments += [f"--set={change}" for change in (*TINY, *changes)]
    process = subprocess.Popen([sys.executable, "-m", "terrasift", *map(str, arguments)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (second / "checkpoints" / "last.ckpt").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (second / CELL_FILE).exists()
    finished = (first / CELL_FILE).stat().st_mtime_ns

    assert run_study(killed, experiments) == []
    assert (first / CELL_FILE).stat().st_mtime_ns == finished
    for cell in experiments[0].cells:
        theirs, ours = undisturbed.cell_folder(cell, 0), killed.cell_folder(cell, 0)
        assert (ours / "weights.safetensors").read_bytes() == (theirs / "weights.safetensors").read_bytes()
        scores = [json.loads((folder / CELL_FILE).read_text())["data"] for folder in (ours, theirs)]
        assert scores[0] == scores[1]


def test_a_failed_cell_is_told_and_stops_nothing(scenes: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    """Only the external algorithm needs colour bands, and there is no ninth."""
    settings = [f"--set={change}" for change in (*TINY, "refinement.color_bands=[1,2,9]")]
    out = tmp_path / "study"
    ended = command("study", "run", "class-refinement", "--data", scenes, "--out", out, "--budget=0.01", *settings)
    assert ended.code == 2
    assert "failed: class-refinement: external algorithm, seed 0: refinement.color_bands: [1, 2, 9]" in ended.err
    assert "Traceback" not in ended.err
    study = Study.open(out)
    external, superpixels = (study.cell_folder(cell, 0) for cell in find_experiments(["class-refinement"])[0].cells)
    assert "Traceback" in (external / FAILURE_FILE).read_text()
    assert not (external / CELL_FILE).exists()
    assert (superpixels / CELL_FILE).exists()
    assert "superpixels" in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_side_by_side_gives_the_same_as_one_after_the_other(scenes: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    experiments = find_experiments(["classifiers"])
    alone, beside = (study_of(scenes, tmp_path / name, QUICK) for name in ("alone", "beside"))
    assert run_study(alone, experiments) == []
    assert run_study(beside, experiments, workers=2) == []
    for cell in experiments[0].cells:
        folders = [study.cell_folder(cell, 0) for study in (alone, beside)]
        scores = [json.loads((folder / CELL_FILE).read_text())["data"] for folder in folders]
        assert scores[0] == scores[1]


def test_a_scheduler_that_is_not_there_is_one_line(scenes: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(SettingError, match="scheduler: no Dask scheduler answers at nowhere"):
        run_study(
            study_of(scenes, tmp_path), find_experiments(["classifiers"]), scheduler="nowhere"
        )  # fmt: skip


def test_cells_that_are_one_recipe_are_one_folder(scenes: Path, tmp_path: Path) -> None:
    study = study_of(scenes, tmp_path, "clusters=100", budget=1.0)
    folders = {
        (experiment.name, cell.variant): study.cell_folder(cell, 0).name
        for experiment in EXPERIMENTS
        for cell in experiment.cells
    }
    same = {
        "learning-rate": "DIC; lr 1e-4 to 1e-5",
        "number-of-classes": "DIC; K=100",
        "cross-entropy": "DIC; WCE",
        "feature-extractor": "DIC",
        "classifiers": "1 classifier(s)",
    }
    assert len({folders[key] for key in same.items()}) == 1
    assert folders["classifiers", "2 classifier(s)"] == folders["loss", "WCE"]
    assert folders["loss", "WCE"] == folders["class-refinement", "external algorithm"]
    networks = [cell for experiment in EXPERIMENTS for cell in experiment.cells if cell.method == "network"]
    # II 9, III 3 with K = 10, IV 3 with the plain loss, VI 1, VII 2, VIII 1, IX 4, targets 3
    assert len({study.cell_folder(cell, 0) for cell in networks}) == 26
    assert len({study.cell_folder(cell, seed) for cell in networks for seed in (0, 1)}) == 52


def test_the_budget_scales_epochs_and_training_images_by_its_square_root(scenes: Path, tmp_path: Path) -> None:
    whole, scaled = study_of(scenes, tmp_path / "whole", budget=1.0), study_of(scenes, tmp_path / "scaled", budget=0.25)
    none = find_experiments(["augmentation"])[0].cells[0]
    assert (whole.recipe(none, 0).epochs, scaled.recipe(none, 0).epochs) == (100, 50)
    assert len(whole.data.train) == 29  # of 2 x 4 x 4 patches, 3 for test
    assert len(scaled.data.train) == 15
    names = [[Path(image).name for image in study.data.train] for study in (scaled, whole)]
    assert set(names[0]) < set(names[1])
    tests = [[Path(image.scene).name for image in study.data.tested] for study in (scaled, whole)]
    assert tests[0] == tests[1]
    assert whole.cell_folder(none, 0).name != scaled.cell_folder(none, 0).name


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5])
def test_scaled_training_images_keep_some_with_labels(share: float) -> None:
    images = [LabelledImage(f"labelled{i}", Path(f"{i}")) for i in range(10)]
    train = (*(image.scene for image in images), *(f"unlabelled{i}" for i in range(90)))
    data = StudyData(train, tuple(images), (), None, {})  # type: ignore[arg-type]
    scaled = data.scaled(share, least=4)
    assert len(scaled.mapped) >= 1
    assert abs(len(scaled.train) - max(4, 100 * share)) <= 1
    assert {image.scene for image in scaled.mapped} <= set(scaled.train) <= set(train)


def test_a_study_goes_on_only_as_it_was_begun(scenes: Path, tmp_path: Path) -> None:
    study_of(scenes, tmp_path)
    with pytest.raises(RunError, match=r"was begun with budget 0\.01, not 0\.02; choose another folder"):
        study_of(scenes, tmp_path, budget=0.02)
    opened = Study.open(tmp_path)
    assert (opened.budget, opened.changes, opened.data_folder) == (0.01, TINY, scenes.resolve())


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "is not a study: it has no study.yaml"),
        ("data: [", "study.yaml:2: is not YAML"),
        ("a: 1", "study.yaml: does not hold the settings of a study"),
        ("data: x\nseeds: 10000000000", "study.yaml: does not hold the settings of a study"),
        ("budget: 1", "study.yaml: does not hold the settings of a study"),
    ],
)
def test_a_folder_that_is_no_study_is_one_line(
    tmp_path: Path, command: Callable[..., Any], content: str | None, line: str
) -> None:
    if content is not None:
        (tmp_path / "study.yaml").write_text(content)
    ended = command("study", "report", tmp_path)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert line in ended.err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["lr", "--budget", "1"], "lr: is no experiment; use learning-rate, number-of-classes, cross-entropy,"),
        (["all", "--budget", "2"], "--budget: 2 is out of range; allowed is above 0 and up to 1"),
        (["all", "--set", "patch=500"], "no patch of 500 px fits into an image; use a smaller one: --set patch=64"),
    ],
)
def test_bad_settings_are_one_line(
    scenes: Path, tmp_path: Path, command: Callable[..., Any], arguments: list[str], line: str
) -> None:
    ended = command("study", "run", *arguments, "--data", scenes, "--out", tmp_path / "study")
    assert ended.code == 2
    assert line in ended.err
    assert ended.err.count("\n") == 1


def test_data_that_is_neither_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is neither Potsdam as prepared, nor a folder with images/ and masks/"):
        load_study_data(tmp_path, None, tmp_path / "patches", 64)


def test_synthetic_scenes_have_no_more_classes_than_potsdam() -> None:
    assert len(SYNTHETIC_CLASSES) >= 6
