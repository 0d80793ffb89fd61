"""What is read of cells that are done, against the same sums done by hand."""

from __future__ import annotations

import csv
import json
import math
import statistics
from pathlib import Path
from typing import Any

import pytest

from terrasift.study.experiments import SUPERVISED, Cell, find_experiments
from terrasift.study.folder import Study
from terrasift.study.published import PUBLISHED_SCORES
from terrasift.study.results import CellResult, Row, collect_results, table_rows, write_csv

NAMES = list(PUBLISHED_SCORES.values())


def write_cell(study: Study, cell: Cell, seed: int, dataset: str, values: list[float | None], best: int = 1) -> Path:
    """An evaluation whose classifiers have one value in all their scores."""
    folder = study.cell_folder(cell, seed)
    folder.mkdir(parents=True, exist_ok=True)
    classifiers: list[dict[str, Any]] = [
        {
            "classifier": number,
            **{name: value for name in NAMES if name in SUPERVISED},
            "regions": {name: value for name in NAMES if name not in SUPERVISED},
        }
        for number, value in enumerate(values, 1)
    ]
    views = {dataset: {"best_classifier": best, "classifiers": classifiers}}
    content = {"seconds": {"training": 2.0, "evaluation": 1.0}, "data": views}
    (folder / "cell.json").write_text(json.dumps(content))
    return folder


def cell_of(experiment: str, variant: str) -> Cell:
    (found,) = find_experiments([experiment])
    return next(cell for cell in found.cells if cell.variant == variant)


def study_of(path: Path, scenes: Path, seeds: int = 1) -> Study:
    return Study(path, scenes, changes=["patch=64", "width=4"], seeds=seeds)


def test_nothing_done_gives_nothing(tmp_path: Path, scenes: Path) -> None:
    assert collect_results(study_of(tmp_path, scenes)) == []
    assert table_rows([]) == []


def test_a_run_that_tables_share_is_read_in_each(tmp_path: Path, scenes: Path) -> None:
    study = study_of(tmp_path, scenes)
    folder = write_cell(study, cell_of("classifiers", "2 classifier(s)"), 0, "here", [0.3, None], best=2)
    results = collect_results(study)
    assert {result.folder for result in results} == {folder}
    assert [(r.experiment, r.variant, r.classifier, r.best) for r in results] == [
        (experiment, variant, number, number == 2)
        for experiment, variant in (
            ("classifiers", "2 classifier(s)"),
            ("loss", "WCE"),
            ("class-refinement", "external algorithm"),
        )
        for number in (1, 2)
    ]
    assert results[0].scores == dict.fromkeys(NAMES, 0.3)
    assert all(math.isnan(value) for value in results[1].scores.values())
    assert results[0].seconds == {"training": 2.0, "evaluation": 1.0}


def test_only_seeds_asked_for_are_read(tmp_path: Path, scenes: Path) -> None:
    study = study_of(tmp_path, scenes, seeds=2)
    for seed in range(3):
        write_cell(study, cell_of("augmentation", "none"), seed, "here", [0.1 * seed])
    assert [result.seed for result in collect_results(study)] == [0, 1]


def test_rows_are_means_over_seeds_beside_the_published(tmp_path: Path, scenes: Path) -> None:
    study = study_of(tmp_path, scenes, seeds=3)
    first, second = [0.30, 0.36, 0.33], [0.40, 0.41, 0.45]
    for seed, pair in enumerate(zip(first, second, strict=True)):
        write_cell(study, cell_of("class-refinement", "superpixels"), seed, "potsdam", [*pair])
    rows = [row for row in table_rows(collect_results(study)) if row.experiment == "class-refinement"]
    assert [(row.table, row.variant, row.classifier, row.seeds) for row in rows] == [
        ("VIII", "superpixels", 1, 3),
        ("VIII", "superpixels", 2, 3),
    ]
    for row, values in zip(rows, (first, second), strict=True):
        for name in NAMES:
            assert row.mean[name] == pytest.approx(statistics.mean(values))
            assert row.spread[name] == pytest.approx(statistics.stdev(values))
    assert rows[0].published["accuracy"] == pytest.approx(0.626)
    assert rows[1].published["mean_iou"] == pytest.approx(0.331)
    assert rows[1].published["boundary_displacement_error"] == 10.5


@pytest.mark.parametrize(("experiment", "variant"), [("augmentation", "none"), ("baselines", "study's architecture")])
def test_where_the_study_names_no_classifier_the_best_counts(
    experiment: str, variant: str, tmp_path: Path, scenes: Path
) -> None:
    study = study_of(tmp_path, scenes, seeds=2)
    cell = cell_of(experiment, variant)
    write_cell(study, cell, 0, "potsdam3", [0.1, 0.9], best=2)
    write_cell(study, cell, 1, "potsdam3", [0.5, 0.2], best=1)
    (row,) = [row for row in table_rows(collect_results(study)) if row.experiment == experiment]
    assert row.classifier is None
    assert row.mean["mean_f1"] == pytest.approx(0.7)
    assert bool(row.published) is (experiment == "augmentation")


def test_one_seed_has_no_spread_and_other_data_no_published_figures(tmp_path: Path, scenes: Path) -> None:
    study = study_of(tmp_path, scenes)
    write_cell(study, cell_of("feature-extractor", "SEEK"), 0, "here", [0.2])
    row = next(row for row in table_rows(collect_results(study)) if row.experiment == "feature-extractor")
    assert all(math.isnan(value) for value in row.spread.values())
    assert row.published == {}


def test_rows_go_by_experiment_then_data_set_then_cell() -> None:
    results = [
        CellResult(experiment, dataset, variant, 0, 1, True, dict.fromkeys(NAMES, 0.5), Path(variant), {})
        for experiment, variant in (
            ("feature-extractor", "Kan"),
            ("feature-extractor", "SEEK"),
            ("learning-rate", "DIC; lr 1e-4 to 1e-5"),
        )
        for dataset in ("potsdam", "potsdam3")
    ]
    assert [(row.experiment, row.dataset, row.variant) for row in table_rows(results)] == [
        ("learning-rate", "potsdam", "DIC; lr 1e-4 to 1e-5"),
        ("learning-rate", "potsdam3", "DIC; lr 1e-4 to 1e-5"),
        ("feature-extractor", "potsdam", "SEEK"),
        ("feature-extractor", "potsdam", "Kan"),
        ("feature-extractor", "potsdam3", "SEEK"),
        ("feature-extractor", "potsdam3", "Kan"),
    ]


def test_csv_holds_every_row(tmp_path: Path) -> None:
    scores = {name: 0.1 + index for index, name in enumerate(NAMES)}
    undefined = dict.fromkeys(NAMES, math.nan)
    rows = [
        Row("V", "feature-extractor", "potsdam", "SEEK", 1, 2, scores, dict.fromkeys(NAMES, 1 / 3), scores),
        Row("", "baselines", 'here, "there"', "k-means", None, 1, undefined, undefined, {}),
    ]
    write_csv(rows, tmp_path / "report.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]
    with (tmp_path / "report.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert list(first)[:9] == [
        *("table", "experiment", "dataset", "variant", "classifier", "seeds"),
        *("accuracy", "accuracy_spread", "accuracy_published"),
    ]
    assert len(first) == 6 + 3 * 9
    assert (first["classifier"], first["seeds"], first["mean_iou"], first["mean_iou_spread"]) == (
        *("1", "2", "1.1", "0.333333"),
    )
    assert float(first["segmentation_covering_published"]) == pytest.approx(8.1)
    assert (second["dataset"], second["classifier"], second["table"]) == ('here, "there"', "", "")
    assert {second[name] for name in list(second)[6:]} == {""}
