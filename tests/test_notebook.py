"""Objects show themselves in a line and as HTML, become data frames, and draw."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot

import terrasift
from terrasift import ConfusionMatrix, Discovery, InputError, LandClass, Legend, Recipe, Run, SettingError, discover
from terrasift.evaluation import Evaluation
from terrasift.recipe import Compute, Losses, Predict, Refinement, Scaling
from terrasift.run import TrainingLog
from tests.html import cells


@pytest.fixture(autouse=True)
def _no_figure_stays() -> Iterator[None]:
    yield
    pyplot.close("all")


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Run:
    return Run.open(shutil.copytree(tiny_run.path, tmp_path / "run"))


@pytest.fixture
def evaluation(run: Run, scenes: Path) -> Evaluation:
    return run.evaluate([scenes / "images"], scenes / "masks", scenes / "classes.yaml")


def test_a_run_says_what_is_known_of_it(run: Run, scenes: Path) -> None:
    assert repr(run).startswith(f"Run({str(run.path)!r}: dic, 3 bands, 8 clusters; ")
    assert repr(run).endswith("; clusters without names)")
    run.evaluate([scenes / "images"], scenes / "masks", scenes / "classes.yaml", baselines=False)
    assert run.evaluation is not None
    accuracy = run.evaluation.best.confusion.accuracy
    assert f"; {len(run.legend.classes)} classes; accuracy {100 * accuracy:.1f} %, mean IoU " in repr(run)
    shown = run._repr_html_()
    assert [row[0] for row in cells(shown)][:4] == ["network", "training", "legend", "evaluation"]
    assert all(entry.color in shown and entry.name in shown for entry in run.legend.classes)


def test_what_clusters_are_like_is_a_line(run: Run) -> None:
    assert re.fullmatch(r"ClusterFacts\(\d of 8 clusters in [\d,]+ pixels of 3 bands\)", repr(run.facts))


def test_a_run_that_is_damaged_or_not_there_says_so_without_failing(run: Run, tmp_path: Path) -> None:
    assert repr(Run(tmp_path / "none")) == f"Run({str(tmp_path / 'none')!r}: nothing trained yet)"
    run.legend_file.write_text("classes: 5")
    run.evaluation_file.write_text("{")
    assert repr(run).startswith(f"Run({str(run.path)!r}: dic, 3 bands, 8 clusters; ")
    told = dict(cells(run._repr_html_()))
    assert "legend.yaml:1" in told["legend"]
    assert "evaluate the run again" in told["evaluation"]
    run.weights_file.unlink()
    assert "not finished" in repr(Run(run.path))


def test_the_line_of_a_recipe_makes_it_again(tiny_run: Run) -> None:
    names = {kind.__name__: kind for kind in (Recipe, Refinement, Losses, Compute, Predict, Scaling)}
    for recipe in (Recipe(), tiny_run.recipe, *map(Recipe.load, ("default", "paper", "thorough"))):
        assert eval(repr(recipe), names) == recipe
    shown = cells(Recipe.load("paper", {"clusters": 7, "refinement.area": 9})._repr_html_())
    assert {row[0]: row[1] for row in shown if row[1] in ("7", "9")} == {"clusters": "7", "refinement.area": "9"}


def test_names_of_classes_are_text_not_markup() -> None:
    legend = Legend((LandClass("<b>road</b> & 'rail'", "#6EC1E4", (0, 1, 2, 7)), LandClass("water", "#0B3C7A")))
    assert cells(legend._repr_html_())[1:] == [["0", "", "<b>road</b> & 'rail'", "0-2, 7"], ["1", "", "water", ""]]
    assert repr(Legend.of_clusters(300)).endswith("cluster 5 and 294 more)")
    assert cells(Legend.of_clusters(300)._repr_html_())[-1][0] == "99"
    assert "and 200 more" in Legend.of_clusters(300)._repr_html_()


def test_scores_become_frames_by_class_and_by_method(evaluation: Evaluation) -> None:
    matrix, classes = evaluation.best.confusion, evaluation.to_frame()
    assert list(classes.index) == list(evaluation.classes)
    np.testing.assert_array_equal(classes["iou"], matrix.iou)
    assert classes["support"].sum() == matrix.total
    methods = evaluation.comparison_to_frame()
    assert list(methods.index) == ["this run", *(found.name for found in evaluation.baselines)]
    assert methods.loc["this run", "accuracy"] == matrix.accuracy
    assert list(methods["mean_iou"])[1:] == [found.confusion.mean_iou for found in evaluation.baselines]
    assert (methods["segmenting_seconds"] > 0).all()
    shown = cells(evaluation._repr_html_())
    assert [row[0] for row in shown[1 : 1 + len(methods)]] == list(methods.index)
    assert repr(evaluation).startswith(f"Evaluation({len(classes)} classes, {matrix.total:,} pixels: accuracy ")
    assert "\n" not in repr(evaluation) + repr(evaluation.classifiers) + repr(evaluation.baselines)


def test_confusion_is_drawn_as_shares_of_the_true_classes() -> None:
    matrix = ConfusionMatrix(np.array([[30, 10, 0], [0, 60, 0], [0, 0, 0]]))
    axes = matrix.plot(["road", "water", "none"])
    assert [text.get_text() for text in axes.texts] == ["75%", "25%", "0%", "0%", "100%", "0%", "", "", ""]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["road", "water", "none"]
    assert matrix.plot(axes=pyplot.figure().add_subplot()).figure is pyplot.gcf()
    assert cells(matrix._repr_html_())[1] == ["0", "30", "10", "0"]


def test_the_log_is_drawn_and_framed_as_it_was_written(tiny_run: Run) -> None:
    log = TrainingLog(np.arange(50.0), np.ones((2, 50), int), np.full(50, 1e-3), np.ones(50))
    raw, mean = log.plot().lines
    np.testing.assert_array_equal(raw.get_ydata(), log.loss)
    assert (mean.get_xdata()[0], mean.get_ydata()[0]) == (3, np.mean([0, 1, 2, 3, 4]))
    empty = TrainingLog(np.zeros(0), np.zeros((2, 0), int), np.zeros(0), np.zeros(0))
    assert repr(empty) == "TrainingLog(0 steps)"
    assert not any(len(line.get_xdata()) for line in empty.plot().lines)
    assert tiny_run.log is not None
    written = [line.split(",") for line in tiny_run.log_file.read_text().splitlines()]
    frame = tiny_run.log.to_frame()
    assert set(frame.columns) <= set(written[0])
    assert list(frame.index) == [int(row[0]) for row in written[1:]]
    assert list(frame["loss"]) == [float(row[written[0].index("loss")]) for row in written[1:]]


def test_a_discovery_says_what_it_holds_and_shows_its_filters(scenes: Path, tmp_path: Path) -> None:
    changes = {"clusters": 6, "patch": 64, "classifiers": 2}
    found = discover([scenes / "images"], Recipe.load("default", changes), parts="whitened", cache=tmp_path / "cache")
    again = Discovery.load(found.save(tmp_path / "discovery.safetensors"))
    for one in (found, again):
        assert re.fullmatch(
            r"Discovery\(6 and 6 clusters, 3 bands, \d+ filters, embedding of \d+ numbers, .*\)", repr(one)
        )
        assert one._repr_html_().count("data:image/png;base64,") == 1
    axes = found.plot(classifier=2)
    places = np.asarray(axes.collections[0].get_offsets())
    centred = found.centres[1] - found.centres[1].mean(axis=0)
    np.testing.assert_allclose((places**2).sum(axis=0), np.linalg.svd(centred)[1][:2] ** 2, rtol=1e-4)  # principal axes
    assert [text.get_text() for text in axes.texts] == list("012345")


@pytest.mark.parametrize(
    "use",
    [
        lambda matrix, log: matrix.to_frame(),
        lambda matrix, log: log.to_frame(),
        lambda matrix, log: Legend.of_clusters(2).to_frame(),
    ],
)
def test_a_missing_pandas_is_named_with_its_install_line(
    use: Any, tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SettingError, match=r"^to_frame: pandas is not installed; pip install 'terrasift\[pandas\]'$"):
        use(ConfusionMatrix(np.eye(2, dtype=int)), tiny_run.log)


def test_wrong_names_of_classes_are_one_line() -> None:
    matrix = ConfusionMatrix(np.eye(3, dtype=int))
    for use in (matrix.to_frame, matrix.plot):
        with pytest.raises(InputError, match=r"^classes: 2 names for 3 classes; name each one, in order$"):
            use(["road", "water"])


def test_a_run_is_opened_with_a_dictionary_of_what_may_change(tiny_run: Run) -> None:
    assert Run.open(tiny_run.path, {"predict.window": 64}).prediction_recipe.predict.window == 64
    with pytest.raises(
        SettingError, match=r"^clusters: cannot be changed once a run is trained; change keys of predict"
    ):
        Run.open(tiny_run.path, {"clusters": 9})


def test_completion_offers_what_is_documented(tiny_run: Run) -> None:
    """Of a recipe its keys and our own methods; pydantic's would warn, or be taken for ours."""
    recipe = tiny_run.recipe
    offered = {name for name in dir(recipe) if not name.startswith("_")}
    assert offered >= {*Recipe.model_fields, "changed", "keys", "save", "load"}
    assert not offered & {"copy", "dict", "json", "parse_obj", "model_dump", "model_config"}
    for shown in (
        recipe,
        recipe.predict,
        tiny_run,
        tiny_run.legend,
        tiny_run.log,
        ConfusionMatrix(np.eye(2, dtype=int)),
    ):
        for name in dir(shown):
            if not name.startswith("_"):
                told = getattr(type(shown), name, None)  # a method or property; None: a key or an attribute
                assert told is None or told.__doc__


def test_the_package_shows_its_version_and_only_what_is_public() -> None:
    assert terrasift.__version__ == version("terrasift")
    assert dir(terrasift) == sorted(terrasift.__all__)
    with pytest.raises(AttributeError, match="trian"):
        _ = terrasift.trian
