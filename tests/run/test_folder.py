"""A run's folder: what Python leaves in it, and what is read back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terrasift import Legend, Recipe, Run, RunError, SettingError
from terrasift.baselines import BESIDE
from terrasift.evaluation import Evaluation
from terrasift.run import LogWriter, RunFolder, TrainingLog


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Run:
    return Run.open(shutil.copytree(tiny_run.path, tmp_path / "run"))


def test_python_leaves_the_evaluation_that_the_command_leaves(
    command: Callable[..., Any], run: Run, scenes: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(run.path, tmp_path / "other")
    images, masks = [scenes / "images" / "south.tif"], scenes / "masks"
    assert run.evaluation is None
    found = run.evaluate(images, masks, scenes / "classes.yaml", baselines=False)
    truth = ("--masks", masks, "--classes", scenes / "classes.yaml")
    assert command("evaluate", other, *images, *truth, "--no-baselines").code == 0
    ours, theirs = (json.loads((path / "evaluation.json").read_text()) for path in (run.path, other))
    for content in (ours, theirs):
        assert content.pop("seconds")["segmenting"] > 0
    assert ours == theirs

    kept = run.evaluation
    assert kept is not None
    assert kept.to_dict() == found.to_dict() == json.loads(run.evaluation_file.read_text())
    assert kept.best.confusion.accuracy == found.best.confusion.accuracy
    assert kept.truth == found.truth
    run.evaluation_file.write_text('{"classes": []}')
    with pytest.raises(RunError, match=r"evaluation\.json: does not hold an evaluation; evaluate the run again"):
        _ = run.evaluation


def test_an_evaluation_with_baselines_and_scores_that_are_not_defined_is_read_back(
    run: Run, scenes: Path, tmp_path: Path
) -> None:
    masks, classes = scenes / "masks", scenes / "classes.yaml"
    for mapping in ("majority", "legend"):
        run.evaluate([scenes / "images" / "south.tif"], masks, classes, mapping=mapping)
        content = run.evaluation_file.read_text()
        assert ('"mapping_accuracy": null' in content) == (mapping == "legend")
        found = Evaluation.load(run.evaluation_file)
        assert found.save(tmp_path / "again.json").read_text() == content
        assert [scores.name for scores in found.baselines] == (list(BESIDE) if mapping == "majority" else [])


def test_the_recipe_is_read_once(run: Run, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, load = [], Recipe.load.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(Recipe, "load", classmethod(lambda cls, path, *rest: read.append(path) or load(cls, path)))
    opened = Run.open(run.path, ["predict.window=64"])
    opened.predict(scenes / "images" / "south.tif", tmp_path / "map.tif")
    assert read == [run.recipe_file]
    assert (opened.recipe.predict.window, opened.prediction_recipe.predict.window) == (128, 64)


def test_legends_are_merged_reset_and_undone_from_python(run: Run) -> None:
    clusters = run.legend
    merged = run.merge(3)
    assert len(merged.classes) == 3
    assert run.legend == merged
    assert run.kept_facts is not None
    assert run.undo_legend() == clusters == run.legend
    assert run.undo_legend() == merged
    assert run.reset_legend() == Legend.of_clusters(8)
    edited = run.edit_legend(
        names={0: "road", "cluster 3": "sea"}, colors={"cluster 3": "#0000ff"}, merges=[[0, 1, "cluster 2"]]
    )
    assert edited == run.legend
    assert [(entry.name, entry.clusters) for entry in edited.classes[:2]] == [("road", (0, 1, 2)), ("sea", (3,))]
    assert edited.classes[1].color == "#0000FF"
    with pytest.raises(SettingError, match="has no class 'lake'"):
        run.edit_legend(names={"lake": "pond"})
    assert run.undo_legend() == Legend.of_clusters(8)

    def meanwhile() -> Legend:
        run.save_legend(merged)
        return clusters

    with pytest.raises(RunError, match="has been changed elsewhere meanwhile"):
        run.change_legend(meanwhile)
    assert run.legend == merged
    run.legend_file.with_name("legend.previous.yaml").unlink()
    with pytest.raises(RunError, match="has no legend before this one"):
        run.undo_legend()


def test_the_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = [(step, 1, 3.0 / step, 1.0 / step, 2.0 / step, 8 - step, step, 1e-3, 0.25) for step in range(1, 6)]
    written = LogWriter(path, 2, 0)
    for row in rows:
        written.append(row)
    again = LogWriter(path, 2, 3)  # a resume from the checkpoint of step 3
    again.append(rows[3])
    with path.open("a") as file:
        file.write("5,1,0.6")  # killed in the middle of a row
    log = TrainingLog.load(path)
    assert log.steps == 4
    np.testing.assert_array_equal(log.loss, [3.0 / step for step in range(1, 5)])
    np.testing.assert_array_equal(log.clusters, [[7, 6, 5, 4], [1, 2, 3, 4]])
    assert log.seconds.sum() == 1
    assert RunFolder(tmp_path).training_seconds == 1
