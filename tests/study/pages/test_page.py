"""The page of a study: two cells trained for a few steps, the others written by hand."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
import re
import shutil
import statistics
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from terrasift import Run
from terrasift.legend import Legend
from terrasift.metrics import FACTS
from terrasift.raster import Raster, read_labels
from terrasift.study.claims import judge_claims
from terrasift.study.engine import run_study
from terrasift.study.experiments import EXPERIMENTS, SUPERVISED, find_experiments
from terrasift.study.folder import Study
from terrasift.study.pages import write_report
from terrasift.study.pages.tables import study_score_tables
from terrasift.study.pages.times import time_parts
from terrasift.study.published import PUBLISHED_SCORES
from terrasift.study.results import CellResult, collect_results, table_rows
from terrasift.study.samples import choose_images

NAMES = list(PUBLISHED_SCORES.values())
LOWER_IS_BETTER = ("variation_of_information", "global_consistency_error", "boundary_displacement_error")
DECIMALS = dict(zip(NAMES, (1, 1, 1, 1, 2, 3, 3, 1, 3), strict=True))
TINY = ("width=4", "patch=64", "batch_size=4", "epochs=4", "clusters=8", "compute.device=cpu")
VOID = ("meta", "img", "br", "link", "hr", "input")
ODD = 'a <b> & "c"'


class Page(HTMLParser):
    """Checks that tags are balanced; keeps tables as captions and rows of (text, class) cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.captions: list[str] = []
        self.tables: list[list[list[tuple[str, str]]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
            self.captions.append("")
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append(("", dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "caption" in self.open:
            self.captions[-1] += data
        elif "td" in self.open or "th" in self.open:
            text, style = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = (f"{text} {data}".strip(), style)

    def table(self, caption: str) -> list[list[tuple[str, str]]]:
        (found,) = [rows for rows, name in zip(self.tables, self.captions, strict=True) if caption in name]
        return found


def write_cells(study: Study, dataset: str) -> dict[tuple[str, str, int, int], dict[str, float]]:
    """Scores near the published ones for every cell that is not done, and which they are."""
    chance = random.Random(1)
    written: dict[tuple[str, str, int, int], dict[str, float]] = {}
    for experiment in EXPERIMENTS:
        for cell in experiment.cells:
            for seed in range(study.seeds):
                folder = study.cell_folder(cell, seed)
                if (experiment.name, cell.variant, seed) == ("loss", "WCE+L1", 1):
                    continue
                if (experiment.name, cell.variant) == ("augmentation", "colour"):
                    folder.mkdir(parents=True)
                    (folder / "failed.txt").write_text("Traceback\nRuntimeError: <out> & about\n")
                elif not (folder / "cell.json").exists():
                    numbers = range(1, study.recipe(cell, seed).classifiers + 1)
                    values = {n: {name: chance.uniform(0.2, 0.7) for name in NAMES} for n in numbers}
                    write_evaluation(folder, dataset, values, 2 if len(values) == 2 else 1)
                    written |= {(experiment.name, cell.variant, seed, n): found for n, found in values.items()}
    return written


def write_evaluation(folder: Path, dataset: str, values: dict[int, dict[str, float]], best: int) -> None:
    classifiers: list[dict[str, Any]] = [
        {
            "classifier": number,
            **{name: found[name] for name in SUPERVISED},
            "regions": {name: found[name] for name in NAMES if name not in SUPERVISED},
        }
        for number, found in values.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    views = {dataset: {"best_classifier": best, "classifiers": classifiers}}
    content = {"machine": "of hand", "seconds": {"training": 4000.0, "evaluation": 2.0}, "data": views}
    (folder / "cell.json").write_text(json.dumps(content))


@pytest.fixture(scope="module")
def study(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """With two networks that are trained, on data that passes for the study's."""
    folder = tmp_path_factory.mktemp("report")
    shutil.copytree(scenes, folder / "potsdam")
    made = Study(folder / "study", folder / "potsdam", budget=0.25, changes=TINY, seeds=2)
    made.begin()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("terrasift.study.data._PUBLISHED_ON", ())
        assert run_study(made, find_experiments(["classifiers"]), 1) == []
        yield made


@pytest.fixture(scope="module")
def written(study: Study) -> dict[tuple[str, str, int, int], dict[str, float]]:
    return write_cells(study, "potsdam")


@pytest.fixture(scope="module")
def text(study: Study, written: object) -> str:
    timing = {"cell": "none", "device": "a <GPU>", "batch": 4, "steps": 5, "seconds": {"data": 1.0, "forward": 3.0}}
    (study.path / "timing.json").write_text(json.dumps(timing))
    return write_report(study).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_page_stands_alone_and_can_be_read_aloud(page: Page, text: str, study: Study) -> None:
    assert "http" not in text
    assert "@import" not in text
    assert {"report.html", "report.csv"} <= {path.name for path in study.path.iterdir()}
    assert not list(study.path.rglob("*.partial"))
    targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for tag, attributes in page.tags:
        if tag == "img":
            assert attributes["alt"]
            assert re.match(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]{200,}$", attributes["src"] or "")
        if tag == "th":
            assert attributes["scope"] in ("row", "col", "rowgroup")
        if tag == "a":
            assert attributes["href"] == "report.csv" or (attributes["href"] or "").removeprefix("#") in targets
    assert all(caption.strip() for caption in page.captions)
    assert "prefers-color-scheme" in text


def test_every_table_says_that_it_is_scaled(page: Page) -> None:
    mark = "scaled: 25 % of the study's steps: epochs and images by its square root each"
    scored = [caption for caption in page.captions if " on potsdam" in caption]
    assert len(scored) == len(EXPERIMENTS)
    assert all(mark in caption for caption in scored)


def shown(name: str, value: float) -> str:
    return f"{value * (100 if name in SUPERVISED else 1):.{DECIMALS[name]}f}"


def published_lines() -> dict[tuple[str, str], dict[str, float]]:
    content = resources.files("terrasift.study").joinpath("published.csv").read_text("utf-8")
    lines = csv.DictReader(line for line in content.splitlines() if not line.startswith("#"))
    return {
        (line["variant"], line["classifier"]): {name: float(line[short]) for short, name in PUBLISHED_SCORES.items()}
        for line in lines
        if (line["table"], line["dataset"]) == ("II", "potsdam")
    }


def test_ours_published_and_difference(
    page: Page, written: dict[tuple[str, str, int, int], dict[str, float]], study: Study
) -> None:
    """The table of learning rates, whose cells were all written by hand but the one that `classifiers` shares."""
    rows = page.table("learning-rate, on potsdam")[1:]
    cells = list(find_experiments(["learning-rate"])[0].cells)
    published = published_lines()
    assert len(rows) == 3 * len(cells)
    for number, cell in enumerate(cells):
        if cell.variant == "DIC; lr 1e-4 to 1e-5":  # one seed of it was trained
            continue
        ours, theirs, differences = rows[3 * number : 3 * number + 3]
        assert [text for text, _ in ours[:3]] == [cell.variant, "1", "ours, 2 seeds"]
        assert (theirs[0][0], differences[0][0]) == ("published", "difference")
        for column, name in enumerate(NAMES):
            values = [written["learning-rate", cell.variant, seed, 1][name] for seed in (0, 1)]
            mean, spread = statistics.mean(values), statistics.stdev(values)
            assert ours[3 + column][0] == f"{shown(name, mean)} ± {shown(name, spread)}"
            value = published[cell.variant, "1"][name]
            assert theirs[1 + column][0] == f"{value:.{DECIMALS[name]}f}"
            scale = 100 if name in SUPERVISED else 1
            difference, style = differences[1 + column]
            number_shown = float(difference.replace("−", "-"))
            assert number_shown == pytest.approx(mean * scale - value, abs=0.51 * 10 ** -DECIMALS[name])
            assert difference[0] in "+−0"
            better = (number_shown < 0) == (name in LOWER_IS_BETTER)
            assert style == ("" if number_shown == 0 else "better" if better else "worse")


@pytest.mark.parametrize("column", range(9))
def test_the_best_of_each_column_is_bold(column: int, page: Page) -> None:
    choose = min if NAMES[column] in LOWER_IS_BETTER else max
    for whose, first in (("ours, 2 seeds", 3), ("published", 1)):
        rows = page.table("learning-rate, on potsdam")[1:]
        cells = [row[first + column] for row in rows if row[first - 1][0] == whose]
        values = [float(text.split()[0]) for text, _ in cells]
        assert len(values) == 9
        assert [style == "best" for _, style in cells] == [value == choose(values) for value in values]


def test_a_published_best_whose_row_is_missing_passes_its_bold_to_no_other() -> None:
    """Table V on Potsdam without SEEK and DIC, which hold all the best scores."""
    (experiment,) = find_experiments(["feature-extractor"])
    results = [CellResult(experiment.name, "potsdam", "Kan", 0, 1, True, dict.fromkeys(NAMES, 0.5), Path(), {})]
    ((_, (row,)),) = study_score_tables(experiment, table_rows(results))
    ours, published, _ = row.lines
    assert [cell.style for cell in ours.cells] == ["best"] * 9
    assert [cell.style for cell in published.cells] == [""] * 9


def test_claims_are_shown_as_they_were_judged(page: Page, study: Study) -> None:
    findings = judge_claims(collect_results(study))
    rows = page.table("Claims of the study")[1:]
    assert len(rows) == len(findings) > 20
    for row, finding in zip(rows, findings, strict=True):
        _, score, ours, theirs, pairs, verdict = (" ".join(text.split()) for text, _ in row[-6:])
        assert verdict.split(" ", 1)[1] == finding.verdict
        assert row[-1][1] == f"text {finding.verdict.replace(' ', '-')}"
        assert pairs == f"{finding.in_favour} of {finding.pairs}"
        scale = 100 if finding.score in SUPERVISED else 1
        near = 0.51 * 10 ** -DECIMALS[finding.score]
        difference, spread = ours.replace("−", "-").split(" ± ")
        assert float(difference) == pytest.approx(scale * finding.difference, abs=near)
        assert float(spread) == pytest.approx(scale * finding.spread, abs=near)
        assert (theirs == "–") == (finding.published is None)
        assert score.endswith("%") == (finding.score in SUPERVISED)


def test_claims_without_cells_and_cells_not_done_are_named(text: str) -> None:
    assert "<li>augmentation: No augmentation is best</li>" in text
    assert "<li>failed: colour (seed 0): RuntimeError: &lt;out&gt; &amp; about</li>" in text
    assert "<li>not begun: WCE+L1 (seed 1)</li>" in text
    assert text.count("not begun") == 1


def test_samples_are_test_images_in_the_colours_of_the_classes(page: Page, study: Study) -> None:
    pictures = {attributes["alt"]: attributes["src"] for tag, attributes in page.tags if tag == "img"}
    colors = study.data.legend.rgb
    for image in choose_images(study.data):
        name = Path(image.scene).stem
        truth = pixels(pictures[f"truth of {name}"])
        assert np.array_equal(truth, colors[read_labels(image.mask, study.data.legend)])
        with Raster(image.scene) as raster:
            values, valid = raster.read()
        for cell in find_experiments(["classifiers"])[0].cells:
            folder = study.cell_folder(cell, 0)
            found = json.loads((folder / "cell.json").read_text())["data"]["potsdam"]
            best = found["best_classifier"] - 1
            low, high = (np.array(getattr(Run(folder).recipe.scaling, end)) for end in ("low", "high"))
            stretched = 255 * np.clip((values - low) / (high - low), 0, 1)
            assert np.abs(pixels(pictures[f"image of {name}"], "jpg") - stretched).mean() < 6  # lossy
            clusters = Run(folder).predictor.array(values, valid)[best]
            classes = np.array(found["classifiers"][best]["mapping"])[clusters]
            assert np.array_equal(pixels(pictures[f"{cell.variant}: classes of {name}"]), colors[classes])
            if cell.variant == "1 classifier(s)":
                shown = pixels(pictures[f"{cell.variant}: clusters of {name}"])
                assert np.array_equal(shown, Legend.of_clusters(8).rgb[clusters])


def pixels(uri: str | None, kind: str = "png") -> np.ndarray:
    content = imread(io.BytesIO(base64.b64decode((uri or "").split(",")[1])), format=kind)
    return (content * 255).round().astype(np.uint8)[:, :, :3] if kind == "png" else content


def test_the_images_that_show_most_classes_are_chosen(study: Study) -> None:
    counts = {
        image: len(set(np.unique(read_labels(image.mask, study.data.legend)).tolist()) - {255})
        for image in study.data.tested
    }
    chosen = choose_images(study.data)
    assert chosen == choose_images(study.data)
    assert sorted((counts[image] for image in chosen), reverse=True) == sorted(counts.values(), reverse=True)[:3]


def test_time_of_every_run_once_and_of_its_parts(page: Page, study: Study) -> None:
    rows = page.table("Time of every run")[1:]
    folders = {result.folder for result in collect_results(study)}
    assert len(rows) == len(folders) + 1
    assert rows[-1][0][0] == f"all {len(folders)} runs"
    assert [text for text, _ in rows[0][1:]] == ["0", "67 min", "2.0 s", "67 min"]
    parts = page.table("a step of 4 patches")
    assert [text for text, _ in parts[2][:3]] == ["forward", "3", "75.0 %"]


def test_csv_beside_it(text: str, study: Study) -> None:
    with (study.path / "report.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    rows = table_rows(collect_results(study))
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert (line["experiment"], line["variant"], line["dataset"]) == (row.experiment, row.variant, "potsdam")
        assert float(line["mean_iou"]) == pytest.approx(row.mean["mean_iou"], rel=1e-5)


def test_other_data_with_odd_names(scenes: Path, tmp_path: Path) -> None:
    shutil.copytree(scenes, tmp_path / ODD)
    study = Study(tmp_path / "study", tmp_path / ODD, changes=("patch=64",))
    study.begin()
    cell = find_experiments(["feature-extractor"])[0].cells[0]
    values = dict.fromkeys(NAMES, 0.5)
    write_evaluation(study.cell_folder(cell, 0), ODD, {1: values}, 1)
    text = write_report(study).read_text(encoding="utf-8")
    page = Page(text)
    assert "<b>" not in text
    assert "scaled" not in text
    rows = page.table(f"Table V, feature-extractor, on {ODD}")
    assert [text for text, _ in rows[1]] == [
        *("SEEK", "1", "ours", "50.0", "50.0", "50.0", "50.0", "0.50", "0.500", "0.500", "0.5", "0.500"),
    ]
    assert [row[2][0] for row in page.table("feature-extractor, on potsdam3")[1:]] == ["published"] * 3
    assert "of potsdam" not in text
    assert "Not begun: learning-rate" not in text  # its cells share the run
    assert "augmentation" in text.split("Not begun:")[1].split("</p>")[0]
    assert "of hand" in text


def test_a_verdict_without_repetition_says_so(text: str, scenes: Path, tmp_path: Path) -> None:
    warning = "No cell was repeated"
    assert warning not in text
    study = Study(tmp_path, scenes, changes=("patch=64",))
    for cell in find_experiments(["feature-extractor"])[0].cells:
        write_evaluation(study.cell_folder(cell, 0), "here", {1: dict.fromkeys(NAMES, 0.5)}, 1)
    assert warning in write_report(study).read_text(encoding="utf-8")


def test_a_study_with_nothing_done_still_has_a_page(scenes: Path, tmp_path: Path) -> None:
    study = Study(tmp_path, scenes, changes=("patch=64",))
    text = write_report(study).read_text(encoding="utf-8")
    Page(text)
    assert all(experiment.name in text for experiment in EXPERIMENTS)
    assert (tmp_path / "report.csv").read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "score", "difference"),
    [
        ("accuracy", 0.6094, "60.9", "+60.9"),
        ("mean_iou", -0.0312, "-3.1", "−3.1"),
        ("mean_f1", -0.0001, "0.0", "0.0"),
        ("variation_of_information", 1.754, "1.75", "+1.75"),
        ("global_consistency_error", 0.2814, "0.281", "+0.281"),
        ("boundary_displacement_error", 11.04, "11.0", "+11.0"),
        ("segmentation_covering", float("nan"), "–", "–"),
    ],
)
def test_numbers_as_the_study_prints_them(name: str, value: float, score: str, difference: str) -> None:
    assert FACTS[name].text(value) == score
    assert FACTS[name].difference_text(value) == difference


def test_only_a_difference_that_shows_is_better() -> None:
    assert FACTS["accuracy"].is_better(0.001)
    assert not FACTS["accuracy"].is_better(0.0001)
    assert FACTS["boundary_displacement_error"].is_better(-1.0)
    assert not FACTS["boundary_displacement_error"].is_better(1.0)


def test_nothing_measured_splits_into_nothing() -> None:
    assert time_parts(None) == time_parts({}) == time_parts({"data": 0.0}) == []
