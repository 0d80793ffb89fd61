"""k-means beside a run: the same pixels, the same number of clusters, the same mapping."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from terrasift import LandClass, Legend, Run
from terrasift.api import labelled_images
from terrasift.baselines import BESIDE, beside, score_beside
from terrasift.data.indexing import index_images
from terrasift.evaluation import BaselineScores, evaluate_segmenter

NAMES = ["k-means on pixels", "k-means on superpixels"]


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Run:
    return Run.open(shutil.copytree(tiny_run.path, tmp_path / "run"))


@pytest.fixture
def image(scenes: Path) -> Callable[[str], str]:
    return lambda name: str(scenes / "images" / f"{name}.tif")


def assert_fitted_on(found: tuple[BaselineScores, ...], images: list[str], run: Run, scenes: Path, mapped: str) -> None:
    """Against both k-means, fitted on images, mapped on one and scored on the south by `evaluate_segmenter`."""
    recipe, legend = run.recipe, Legend.load(scenes / "classes.yaml")
    _, patches, scaling = index_images(images, recipe)
    test, known = (labelled_images([scenes / "images" / f"{name}.tif"], scenes / "masks") for name in ("south", mapped))
    assert [scores.name for scores in found] == NAMES
    for scores in found:
        model = BESIDE[scores.name](recipe.clusters, scaling, recipe.bands, recipe.seed).fit(patches)
        expected = evaluate_segmenter(model, legend, test, known).best
        np.testing.assert_array_equal(scores.mapping, expected.mapping)
        np.testing.assert_array_equal(scores.confusion.counts, expected.confusion.counts)
        assert scores.seconds.training is not None
        assert scores.seconds.training > 0 < scores.seconds.segmenting


def test_rows_are_the_baselines_fitted_and_mapped_on_the_mapping_set(
    run: Run, scenes: Path, image: Callable[[str], str]
) -> None:
    truth = scenes / "masks", scenes / "classes.yaml"
    evaluation = run.evaluate([image("south")], *truth, map_images=[image("north")])
    assert_fitted_on(evaluation.baselines, [image("north")], run, scenes, "north")
    assert [scores["name"] for scores in evaluation.to_dict()["baselines"]] == NAMES
    assert evaluation.seconds is not None
    assert evaluation.seconds.training == run.training_seconds
    assert evaluation.seconds.segmenting > 0

    without = run.evaluate([image("south")], *truth, map_images=[image("north")], baselines=False)
    assert without.baselines == ()
    assert without.to_dict()["classifiers"] == evaluation.to_dict()["classifiers"]


@pytest.mark.parametrize(
    ("listed", "fitted_on"), [(["north", "south"], ["north", "south"]), (["north", "gone"], ["north"]), ([], ["south"])]
)
def test_without_a_mapping_set_they_are_fitted_on_training_images_that_are_there_else_on_the_test_set(
    run: Run, scenes: Path, image: Callable[[str], str], listed: list[str], fitted_on: list[str]
) -> None:
    run.images_file.write_text("".join(f"{image(name)}\n" for name in listed))
    evaluation = run.evaluate([image("south")], scenes / "masks", scenes / "classes.yaml")
    assert_fitted_on(evaluation.baselines, [image(name) for name in fitted_on], run, scenes, "south")


def test_one_to_one_mapping_is_that_of_the_baselines_too(run: Run, scenes: Path, image: Callable[[str], str]) -> None:
    legend = Legend.load(scenes / "classes.yaml")
    eight = Legend((*legend.classes, LandClass("nothing", "#123456")))
    evaluation = run.evaluate([image("south")], scenes / "masks", eight, mapping="hungarian")
    for scores in (*evaluation.classifiers, *evaluation.baselines):
        assert sorted(scores.mapping.tolist()) == list(range(8))
        assert scores.untaken == []
    assert len(evaluation.baselines) == 2


def test_a_legend_stands_alone(run: Run, scenes: Path, image: Callable[[str], str]) -> None:
    legend = Legend.load(scenes / "classes.yaml")
    run.save_legend(legend.with_clusters(np.array([3, 0, 1, -1, 3, 2, -1, 0]), 1))
    evaluation = run.evaluate([image("south")], scenes / "masks", legend, mapping="legend")
    assert evaluation.baselines == ()
    assert evaluation.to_dict()["classifiers"][0]["untaken"] == ["car", "clutter", "water"]


def test_one_that_cannot_be_fitted_is_left_out_with_a_line(
    run: Run, scenes: Path, image: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    many = run.recipe.model_copy(update={"clusters": 900})
    legend = Legend.load(scenes / "classes.yaml")
    tested = labelled_images([image("south")], scenes / "masks")
    (scores,) = score_beside(many, [image("north")], legend, tested)
    assert scores.name == "k-means on pixels"
    (line,) = caplog.messages
    assert line.startswith("no k-means on superpixels beside the run: clusters: 900 is more than the")
    caplog.clear()
    assert score_beside(run.recipe, [str(scenes / "none.tif")], legend, tested) == ()
    (line,) = caplog.messages
    assert line.startswith("no k-means beside the run: ")


def test_of_many_images_a_seeded_sample_is_opened(
    run: Run, image: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [image("north"), image("south")]
    assert beside._draw_scenes(both, run.recipe) == both
    monkeypatch.setattr(beside, "_MOST_INDEXED", 256 * 256)
    assert [len(beside._draw_scenes(both * 20, run.recipe)) for _ in range(2)] == [1, 1]
    seeded = [run.recipe.model_copy(update={"seed": seed}) for seed in range(8)]
    assert {*(beside._draw_scenes(both, recipe)[0] for recipe in seeded)} == {*both}
    elsewhere = "/vsicurl/http://127.0.0.1:9/gone.tif"
    assert all(beside._draw_scenes([elsewhere, both[0]], recipe) == [both[0]] for recipe in seeded)
