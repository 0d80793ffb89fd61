"""The page of a run: a tiny one, evaluated, with names that are markup."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from terrasift import InputError, Legend, RunError
from terrasift.api import Run
from terrasift.clusters import gather_facts
from terrasift.clusters.scenes import draw_shown_scenes
from terrasift.data import sampling
from terrasift.data.scenes import describe_scenes
from terrasift.metrics import ConfusionMatrix
from terrasift.raster import RasterInfo
from terrasift.report.drawing import draw_scale_bar, outline, round_length
from terrasift.report.run import report_on, write_run_report
from terrasift.report.run.page import _find_images

ODD = 'a <b> & "c"'
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SECTIONS = ("samples", "scores", "training", "clusters", "recipe", "cost", "versions")


class Page(HTMLParser):
    """Checks that tags are balanced; keeps tags, ids, and the text of the page and of each table cell and `dd`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[list[str]] = []
        self.facts: dict[str, str] = {}
        self.text = ""
        self._term = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "circle", "path", "polyline", "polygon"):
            self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        elif tag in ("td", "th"):
            self.cells[-1].append("")
        elif tag == "dt":
            self._term = ""

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("circle", "path", "polyline", "polygon"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.cells[-1][-1] = f"{self.cells[-1][-1]} {data}".strip()
        elif "dt" in self.open:
            self._term += data
        elif "dd" in self.open:
            self.facts[self._term] = self.facts.get(self._term, "") + data

    def row(self, name: str) -> list[str]:
        """The first row of a table that begins so, without that."""
        return next(cells[1:] for cells in self.cells if cells and cells[0] == name)


@pytest.fixture(scope="module")
def run(tiny_run: Run, scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Evaluated, one class with an odd name; its report is written."""
    folder = Path(shutil.copytree(tiny_run.path, tmp_path_factory.mktemp("report") / "town"))
    run = Run.open(folder)
    legend = Legend.load(scenes / "classes.yaml")
    odd = dataclasses.replace(legend.classes[0], name=ODD)
    legend = dataclasses.replace(legend, classes=(odd, *legend.classes[1:]))
    north, south = (scenes / "images" / name for name in ("north.tif", "south.tif"))
    run.evaluate([south], scenes / "masks", legend, map_images=[north])
    assert report_on(run) == run.report_file
    return run


@pytest.fixture(scope="module")
def page(run: Run) -> Page:
    return Page(run.report_file.read_text(encoding="utf-8"))


def test_every_section_is_there_and_nothing_is_fetched(run: Run, page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(set(ids)) == len(ids)
    assert set(SECTIONS) <= set(ids)
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "base")
        target = attributes.get("src") or attributes.get("href")
        if target:
            assert target.startswith("data:image/" if tag == "img" else "#")
            assert target.startswith("data:") or target[1:] in ids
        if tag == "img":
            assert attributes["alt"]
    text = run.report_file.read_text(encoding="utf-8")
    assert "url(" not in text
    assert "@import" not in text


def test_names_are_text_wherever_they_stand(run: Run, page: Page) -> None:
    assert "<b>" not in run.report_file.read_text(encoding="utf-8")
    assert page.row(ODD)
    assert page.text.count(ODD) >= 4  # legend, scores, confusion twice, cards


def test_scores_are_those_kept(run: Run, page: Page) -> None:
    content = json.loads(run.evaluation_file.read_text())
    best = content["classifiers"][content["best_classifier"] - 1]
    matrix = ConfusionMatrix(np.array(best["counts"]))
    columns = (matrix.class_accuracy, matrix.precision, matrix.recall, matrix.specificity, matrix.f1, matrix.iou)
    shown = ["–" if np.isnan(column[0]) else f"{100 * column[0]:.1f}" for column in columns]
    assert page.row(ODD) == [*shown, f"{matrix.support[0]:,}"]
    confusion = [cells for cells in page.cells if cells and cells[0] == ODD][-1]
    shares = 100 * matrix.counts[0] / matrix.support[0]
    assert confusion[1:] == [*(f"{share:.1f}" for share in shares), f"{matrix.support[0]:,}"]
    assert f"accuracy {100 * matrix.accuracy:.1f} %, mean IoU {100 * matrix.mean_iou:.1f} %" in page.facts["Scores"]


def test_the_run_stands_beside_k_means(run: Run, page: Page, tmp_path: Path) -> None:
    content = json.loads(run.evaluation_file.read_text())
    best = content["classifiers"][content["best_classifier"] - 1]
    rows = {"this run": {**best, "seconds": content["seconds"]}}
    rows |= {scores["name"]: scores for scores in content["baselines"]}
    assert list(rows) == ["this run", "k-means on pixels", "k-means on superpixels"]
    for name, scores in rows.items():
        shown = [f"{100 * scores[key]:.1f}" for key in ("accuracy", "mean_iou", "weighted_iou", "mean_f1")]
        assert page.row(name) == [*shown, *(f"{scores['seconds'][key]:.1f}" for key in ("training", "segmenting"))]
        if scores["untaken"]:
            assert f"no cluster became: {', '.join(scores['untaken'])} ({name})" in page.text
    assert any(scores["untaken"] for scores in rows.values())

    old = Run.open(shutil.copytree(run.path, tmp_path / "old"))  # as versions before wrote it
    del content["baselines"], content["seconds"]
    for scores in content["classifiers"]:
        del scores["untaken"]
    old.evaluation_file.write_text(json.dumps(content))
    bare = Page(write_run_report(old).read_text(encoding="utf-8"))
    assert bare.row(ODD) == page.row(ODD)
    assert "k-means" not in bare.text


def test_training_and_cost_are_those_of_the_log(run: Run, page: Page) -> None:
    log, recipe = run.log, run.recipe
    assert log is not None
    (figure,) = [attributes for tag, attributes in page.tags if tag == "img" and "Loss" in str(attributes["alt"])]
    assert f"Loss from {log.loss[0]:.3f} at the first of {log.steps} steps" in str(figure["alt"])
    assert f"to {log.loss[-1]:.3f} at the last" in str(figure["alt"])
    speed = recipe.batch_size / np.median(log.seconds)
    assert page.facts["Speed"] == f"{speed:.3g} patches a second"
    machine = json.loads(run.machine_file.read_text())
    assert page.facts["Peak memory of the process"] == f"{machine['peak_memory'] / 1e9:.2f} GB"
    assert (page.facts["PyTorch"], page.facts["GDAL"]) == (machine["torch"], machine["gdal"])


def test_cards_are_those_of_the_facts(run: Run, page: Page, scenes: Path) -> None:
    images = [str(scenes / "images" / name) for name in ("north.tif", "south.tif")]
    facts = gather_facts(run.predictor, images, run.legend.classifier, most_windows=96)
    kept = run.kept_facts
    assert kept is not None
    for field in dataclasses.fields(facts):
        np.testing.assert_equal(getattr(kept, field.name), getattr(facts, field.name))
    seen = np.flatnonzero(facts.pixels)
    cards = {attributes["id"] for tag, attributes in page.tags if attributes.get("class") == "card"}
    assert cards == {f"cluster-{cluster}" for cluster in seen}
    largest = int(facts.pixels.argmax())
    share = 100 * facts.pixels[largest] / facts.pixels.sum()
    assert re.search(rf"cluster {largest}\s+{share:.1f} %", page.text)
    alts = [str(attributes.get("aria-label")) for tag, attributes in page.tags if tag == "svg"]
    assert len(alts) == len(seen)
    assert any(f"{facts.means[largest, 0]:.0f} ± {facts.deviations[largest, 0]:.0f}" in alt for alt in alts)


def test_samples_show_truth_and_a_bar(page: Page) -> None:
    alts = [str(attributes["alt"]) for tag, attributes in page.tags if tag == "img"]
    for column in ("image", "superpixels", "clusters", "classes", "truth"):
        assert sum(alt.startswith(f"{column} of south, row ") for alt in alts) == 4
    assert "Bars give the scale" in page.text


@pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
def test_nothing_is_cut_off_on_a_telephone(run: Run) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = chromium.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
        shown.goto(run.report_file.absolute().as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth") <= 390
        right = "(nodes) => Math.max(...nodes.map((node) => node.getBoundingClientRect().right))"
        assert shown.locator("caption, .recipe td").evaluate_all(right) <= 390
        assert shown.locator(".patches img").first.bounding_box()["width"] >= 100, "large enough to see what it shows"
        chromium.close()


def test_recipe_names_what_was_changed(run: Run, page: Page) -> None:
    assert page.row("clusters")[:2] == ["8", "100"]
    every = {cells[0] for cells in page.cells if cells}
    assert {"refinement.area", "predict.window", "scaling.low", "seed"} <= every


def test_images_that_have_gone_are_said_to_have(run: Run, tmp_path: Path) -> None:
    moved = Run.open(shutil.copytree(run.path, tmp_path / "moved"))
    moved.images_file.write_text("gone/<i>north.tif\ngone/south.tif\n")
    (moved.path / "evaluation.json").unlink()
    page = Page(write_run_report(moved).read_text())
    assert "not where they were when it was trained: gone/<i>north.tif" in page.text
    assert "has not been scored" in page.text
    assert any(tag == "svg" for tag, _ in page.tags)  # spectra are kept
    for path in moved.path.glob("clusters-*.npz"):
        path.write_bytes(b"cut off")
    for name in ("log.csv", "machine.json"):
        (moved.path / name).unlink()
    bare = Page(write_run_report(moved).read_text())
    assert not any(tag in ("svg", "img") for tag, _ in bare.tags)
    assert {*SECTIONS} <= {attributes.get("id") for _, attributes in bare.tags}


def test_of_many_images_elsewhere_few_are_opened(
    run: Run, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand, of which every other one has gone: to ask for each would take hours."""
    asked = []

    def described(paths: Sequence[str], resolution: float | None = None) -> list[RasterInfo]:
        asked.extend(paths)
        if int(paths[0].rpartition("-")[2]) % 2:
            raise InputError(paths[0], "is not a raster that can be opened")
        return describe_scenes([str(scenes / "images" / "north.tif")], resolution)

    monkeypatch.setattr(sampling, "describe_scenes", described)
    listed = [f"{start}a.example/{k}-{k}" for k in range(500) for start in ("/vsicurl/https://", "https://")]
    moved = Run.open(shutil.copytree(run.path, tmp_path / "moved"))
    moved.images_file.write_text("".join(f"{path}\n" for path in listed))
    found = _find_images(moved, None)
    assert (asked, list(found.training), found.first_missing) == ([], listed, "")
    drawn = draw_shown_scenes(listed, run.recipe, 6, 1000)
    assert len(drawn) == 6
    assert not [path for path in drawn if int(path.rpartition("-")[2]) % 2]
    assert len(asked) < 40
    with pytest.raises(InputError, match="is not a raster that can be opened"):
        draw_shown_scenes([path for path in listed if int(path.rpartition("-")[2]) % 2], run.recipe, 6, 1000)


def test_a_report_that_fails_is_a_warning(run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = Run(shutil.copytree(run.path, tmp_path / "broken"))
    broken.log_file.write_text("step,loss,seconds\n1,not a number,2\n")
    assert report_on(broken) is None
    assert f"no report was written: {broken.log_file}:1: has no column 'lr'" in caplog.text
    broken.weights_file.unlink()
    with pytest.raises(RunError, match="not finished"):
        write_run_report(Run(broken.path))


@pytest.mark.parametrize(("longest", "length"), [(1.0, 1), (1.99, 1), (2.0, 2), (499, 200), (0.06, 0.05), (7e4, 5e4)])
def test_bars_have_round_lengths(longest: float, length: float) -> None:
    assert round_length(longest) == pytest.approx(length)


def test_a_bar_is_as_long_as_it_says() -> None:
    drawn = draw_scale_bar(np.full((200, 400, 3), 100, np.uint8), metres=0.5)  # at most 70 m: 50 m, 100 pixels
    (columns,) = np.nonzero((drawn[-14] == 255).all(axis=1))
    assert len(columns) == pytest.approx(100, abs=2)


def test_an_outline_runs_between_regions() -> None:
    regions = np.repeat([[0, 0, 1]], 4, axis=0).astype(np.int32)
    drawn = outline(np.zeros((4, 3, 3), np.uint8), regions)
    assert drawn.any(axis=2).tolist() == [[False, False, True]] * 4
