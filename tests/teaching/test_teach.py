"""A run taught by labels: what its maps show then, and how it goes back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from terrasift import Legend, MapOptions, Run, RunError
from terrasift.raster import Raster, read_labels
from tests.teaching.label_files import Clicks, write_csv


def read(path: Path) -> np.ndarray:
    with Raster(path) as raster:
        return raster.read_indices()[0]


def test_maps_show_the_taught_classes_whatever_the_window(
    run: Run, csv_file: Path, scenes: Path, legend: Legend, tmp_path: Path
) -> None:
    taught = run.teach(csv_file, classes=scenes / "classes.yaml")
    assert run.legend.names == legend.names
    assert taught.lesson.accuracy is not None
    assert taught.lesson.accuracy > 1.5 / len(taught.names)  # far from guessing, with a network of 4 channels
    scene = scenes / "images" / "north.tif"
    small = Run.open(run.path, ["predict.context=scene", "predict.window=160"])
    large = Run.open(run.path, ["predict.context=scene", "predict.window=256"])
    maps = [read(each.predict(scene, tmp_path / f"{index}.tif")) for index, each in enumerate((small, large))]
    assert np.array_equal(*maps)
    with Raster(scene) as raster:
        values, valid = raster.read()
    assert np.mean(large.predict_array(values, valid) == maps[1]) > 0.999  # but for ties, in another order of sums
    truth = read_labels(scenes / "masks" / "north.tif", legend)
    assert np.mean(maps[1] == truth) > 0.5


def test_the_taught_classes_beat_naming_clusters_by_the_same_labels(
    run: Run, csv_file: Path, clicks: Clicks, scenes: Path, legend: Legend
) -> None:
    scene = scenes / "images" / "north.tif"
    with Raster(scene) as raster:
        values, valid = raster.read()
    votes = np.zeros((run.recipe.clusters, len(legend.names)), np.int64)
    clusters = run.predictor.array(values, valid)[0]
    for name, row, column, called in clicks:
        if name == "north":
            votes[clusters[row, column], legend.names.index(called)] += 1
    truth = read_labels(scenes / "masks" / "north.tif", legend)
    named = votes.argmax(axis=1)[clusters]
    run.teach(csv_file, classes=scenes / "classes.yaml")
    assert np.mean(run.predict_array(values, valid) == truth) > np.mean(named == truth)


def test_undo_takes_the_legend_before_and_again_the_one_taught(run: Run, csv_file: Path) -> None:
    before = run.legend_file.read_bytes()
    run.teach(csv_file)
    taught = run.legend
    assert run.undo_legend().names == Legend.of_clusters(run.recipe.clusters).names
    assert run.legend_file.read_bytes() == before
    assert run.undo_legend() == taught
    run.load_taught(taught.taught)


def test_a_classifier_that_was_changed_makes_no_map(run: Run, csv_file: Path, scenes: Path, tmp_path: Path) -> None:
    run.teach(csv_file)
    arrays = load_file(run.taught_file)
    name = next(key for key in arrays if key.endswith(".bias"))
    for wrong, words in [(arrays[name] + 1, "holds something else"), (arrays[name] * np.nan, "no numbers")]:
        save_file(arrays | {name: wrong.astype(np.float32)}, run.taught_file)
        with pytest.raises(RunError, match=rf"taught\.safetensors: .*{words}"):
            Run.open(run.path).predict(scenes / "images" / "north.tif", tmp_path / "map.tif")
    assert not (tmp_path / "map.tif").exists()


def test_two_lessons_are_kept_for_undo(run: Run, csv_file: Path, scenes: Path, clicks: Clicks, tmp_path: Path) -> None:
    run.teach(csv_file)
    first = run.legend.taught
    run.teach(write_csv(tmp_path / "fewer.csv", scenes, clicks[::2]))
    second = run.legend.taught
    assert first != second
    assert run.undo_legend().taught == first
    assert run.load_taught(first).outputs == run.load_taught(second).outputs


def test_one_label_a_class_works_and_is_said_to_be_few(run: Run, scenes: Path, clicks: Clicks, tmp_path: Path) -> None:
    one = list({called: (name, row, column, called) for name, row, column, called in clicks}.values())
    taught = run.teach(write_csv(tmp_path / "one.csv", scenes, one))
    assert re.fullmatch(
        rf"Taught\({', '.join(taught.names)}: \d+ labelled superpixels(, .* recognised unseen)?\)", repr(taught)
    )
    assert taught.lesson.accuracy is None
    assert any(line.startswith("few labelled superpixels") for line in taught.remarks)


def test_one_class_alone_fills_the_map(run: Run, scenes: Path, clicks: Clicks, tmp_path: Path) -> None:
    name = clicks[0][3]
    taught = run.teach(write_csv(tmp_path / "one.csv", scenes, [click for click in clicks if click[3] == name]))
    assert f"all labels are {name}: so will be the whole map" in taught.remarks
    assert not run.predict_array(np.full((32, 32, 3), 90, np.uint8)).any()


def test_the_exported_network_has_the_taught_classes(run: Run, csv_file: Path, tmp_path: Path) -> None:
    import onnxruntime

    taught = run.teach(csv_file)
    opened = Run.open(run.path, ["predict.context=patch"])
    comparison = opened.export(tmp_path / "taught.onnx")
    assert comparison.agreement > 0.999
    session = onnxruntime.InferenceSession(tmp_path / "taught.onnx", providers=["CPUExecutionProvider"])
    logits, labels = session.run(None, {"image": np.full((1, 3, 64, 64), 90, np.float32)})
    assert logits.shape == (1, len(taught.names), 64, 64)
    assert labels.max() < len(taught.names)


def test_the_command_says_what_to_expect_and_where_to_click(
    command: Callable[..., object], run: Run, csv_file: Path, tmp_path: Path
) -> None:
    found = command("teach", run.path, csv_file, "--suggest", 5, "--out", tmp_path / "next.gpkg", "--json")
    assert found.code == 0, found.err
    said = json.loads(found.out)
    assert 0 < said["facts"]["accuracy"] <= 1
    assert len(said["suggestions"]) == 5
    assert said["written"][-1] == str(tmp_path / "next.gpkg")
    undone = command("teach", run.path, "--undo")
    assert undone.code == 0, undone.err
    assert not run.legend.taught


def test_shares_and_the_report_are_of_the_classes(
    command: Callable[..., object], run: Run, csv_file: Path, scenes: Path, tmp_path: Path
) -> None:
    taught = run.teach(csv_file)
    rows = json.loads(command("legend", run.path, "--json").out)["classes"]
    assert [row["name"] for row in rows] == taught.legend.names
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    maps = [read(run.predict(scene, tmp_path / scene.name)) for scene in sorted((scenes / "images").iterdir())]
    found = np.bincount(np.concatenate(maps, axis=None), minlength=len(rows)) / sum(map(np.size, maps))
    np.testing.assert_allclose([row["share"] for row in rows], found, atol=0.1)
    refused = command("legend", run.path, "--split", len(rows))
    assert (refused.code, f"the clusters are 0 to {len(rows) - 1}" in refused.err) == (2, True)
    page = run.report().read_text()
    assert "taught by labels" in page
    below = page[page.index('id="clusters"') : page.index('id="recipe"')]
    assert sum(f"</span>{name}" in below for name in taught.names) > 1
    assert below.count('class="card"') == np.count_nonzero(run.facts.pixels)  # all of them, not one for each output


def test_suggestions_are_apart_and_can_be_read_as_labels(run: Run, csv_file: Path, tmp_path: Path) -> None:
    from terrasift.teaching import read_label_file, write_points

    run.teach(csv_file)
    points = run.suggest(12)
    assert len({(point.scene.path, point.row, point.column) for point in points}) == 12
    assert all(0 <= point.uncertainty <= 1 and point.likely in run.legend.names for point in points)
    for suffix in ("gpkg", "geojson", "csv"):
        path = write_points(tmp_path / f"next.{suffix}", [point._replace(name=point.likely) for point in points])
        taught = run.teach(read_label_file(path))
        assert taught.gathered.tally.outside == 0
        found = {tuple(place) for place in taught.gathered.places.tolist()}
        numbers = {info.path: number for number, info in enumerate(taught.infos)}
        assert found == {(numbers[point.scene.path], point.row, point.column) for point in points}


def test_a_killed_teach_leaves_the_run_as_it_was(run: Run, csv_file: Path) -> None:
    before = run.legend_file.read_bytes()
    code = (
        "import os, signal, terrasift.run as folder\n"
        "folder.RunFolder.save_legend = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from terrasift.api import Run\n"
        f"Run.open({str(run.path)!r}).teach({str(csv_file)!r})"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert run.legend_file.read_bytes() == before
    assert Run.open(run.path).legend.names == Legend.of_clusters(run.recipe.clusters).names
    assert not list(run.path.glob("*.partial"))


@pytest.mark.parametrize("confidence", [False, True])
def test_clusters_can_still_be_mapped(run: Run, csv_file: Path, scenes: Path, tmp_path: Path, confidence: bool) -> None:
    scene = scenes / "images" / "north.tif"
    before = read(run.predict(scene, tmp_path / "before.tif", MapOptions(clusters=True)))
    run.teach(csv_file)
    assert np.array_equal(
        read(run.predict(scene, tmp_path / "after.tif", MapOptions(clusters=True, confidence=confidence))), before
    )
