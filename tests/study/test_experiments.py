"""The experiments against the rows of the study's tables."""

from __future__ import annotations

import csv
import io
import json
from importlib import resources
from typing import Any

import pytest
from rich.console import Console

from terrasift import Recipe, SettingError
from terrasift.metrics import FACTS
from terrasift.study.experiments import EXPERIMENTS, STUDY_DEFAULTS, Claim, Experiment, find_experiments
from terrasift.study.listing import experiment_tables, row_count
from terrasift.study.published import PUBLISHED_SCORES, published_rows

PUBLISHED = [experiment for experiment in EXPERIMENTS if experiment.table]


def lines_of_csv() -> list[dict[str, str]]:
    text = resources.files("terrasift.study").joinpath("published.csv").read_text("utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def test_the_eight_tables_in_their_order() -> None:
    assert [experiment.table for experiment in EXPERIMENTS] == [
        "II",
        "III",
        "IV",
        "V",
        "VI",
        "VII",
        "VIII",
        "IX",
        "",
        "",
    ]
    assert [experiment.figure for experiment in EXPERIMENTS[:7]] == ["4 and 5", "6", "7", "", "8", "9", "10"]


@pytest.mark.parametrize("dataset", ["potsdam", "potsdam3"])
@pytest.mark.parametrize("experiment", PUBLISHED, ids=lambda experiment: experiment.name)
def test_cells_are_the_rows_of_the_table(experiment: Experiment, dataset: str) -> None:
    lines = [
        (line["variant"], line["classifier"])
        for line in lines_of_csv()
        if (line["table"], line["experiment"], line["dataset"]) == (experiment.table, experiment.name, dataset)
    ]
    ours: list[tuple[str, str]] = []
    for cell in experiment.cells:
        count = {**STUDY_DEFAULTS, **cell.changes}["classifiers"]
        numbers = [""] if experiment.table == "IX" else [str(n) for n in range(1, count + 1)]
        ours += [(cell.variant, number) for number in numbers]
    assert ours == lines
    assert row_count(experiment) == len(lines)


def test_published_values_are_those_of_the_file() -> None:
    for line, row in zip(lines_of_csv(), published_rows(), strict=True):
        assert (row.variant, row.dataset) == (line["variant"], line["dataset"])
        for short, name in PUBLISHED_SCORES.items():
            shown = row.scores[name] * (100 if short in ("acc", "iou", "wiou", "f1") else 1)
            assert shown == pytest.approx(float(line[short]))


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_every_cell_is_a_valid_recipe_of_its_own(experiment: Experiment) -> None:
    recipes = []
    for cell in experiment.cells:
        changes = {**STUDY_DEFAULTS, **cell.changes}
        recipe = Recipe.load("paper", [f"{key}={json.dumps(value)}" for key, value in changes.items()])
        for key, value in changes.items():
            found: Any = recipe
            for part in key.split("."):
                found = getattr(found, part)
            assert found == value
        recipes.append((cell.method, cell.clusters_are_classes, recipe.model_dump_json()))
    assert len({cell.variant for cell in experiment.cells}) == len(experiment.cells)
    assert len(set(recipes)) == len(recipes)


@pytest.mark.parametrize(
    ("experiment", "claim"),
    [(experiment, claim) for experiment in EXPERIMENTS for claim in experiment.claims],
    ids=lambda value: value.name if isinstance(value, Experiment) else None,
)
def test_claims_are_about_cells_that_are_there(experiment: Experiment, claim: Claim) -> None:
    variants = {cell.variant for cell in experiment.cells}
    assert claim.pairs
    for better, worse in claim.pairs:
        assert better in variants
        assert worse in variants
        assert better != worse
    assert len(set(claim.pairs)) == len(claim.pairs)
    assert set(claim.scores) <= set(PUBLISHED_SCORES.values()) <= set(FACTS)


def test_one_better_cell_is_paired_with_all_worse() -> None:
    claim = Claim("", ("accuracy",), ("a",), ("b", "c"))
    assert claim.pairs == (("a", "b"), ("a", "c"))
    with pytest.raises(ValueError, match="zip"):
        _ = Claim("", ("accuracy",), ("a", "b"), ("c",)).pairs


def test_find_experiments_keeps_the_order_of_the_tables() -> None:
    assert [e.name for e in find_experiments(["loss", "learning-rate", "loss"])] == ["learning-rate", "loss"]
    assert find_experiments(["all"]) == EXPERIMENTS
    assert find_experiments(["loss", "all"]) == EXPERIMENTS
    assert find_experiments([]) == ()


@pytest.mark.parametrize("names", [["los"], ["loss", "Loss"], ["all", "no"], [""]])
def test_find_experiments_refuses_other_names(names: list[str]) -> None:
    with pytest.raises(SettingError, match=r"is no experiment.*learning-rate.*baselines, targets, or all"):
        find_experiments(names)


def test_the_list_fits_80_columns_and_names_every_cell() -> None:
    console = Console(width=80, file=io.StringIO())
    tables = experiment_tables()
    for table in tables:
        console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 80
    assert len(tables) == len(EXPERIMENTS)
    words = " ".join(text.split())
    for experiment in EXPERIMENTS:
        assert f"{experiment.name}: {experiment.title}" in words
        assert f"{len(experiment.cells)} cells, {row_count(experiment)} rows" in words
    assert "losses.mumford_shah=1.0" in words
    assert "Table II, figures 4 and 5; 9 cells" in words
