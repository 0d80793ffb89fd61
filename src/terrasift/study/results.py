"""What a study has found so far: every score of every cell that is done."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terrasift.files import whole
from terrasift.study.cells import read_cell
from terrasift.study.experiments import EXPERIMENTS, Cell, Experiment
from terrasift.study.folder import Study
from terrasift.study.published import PUBLISHED_SCORES, published_of

__all__ = ["CellResult", "Row", "collect_results", "table_rows", "write_csv"]


@dataclass(frozen=True)
class CellResult:
    """One classifier of one cell, seed and data set.

    Attributes
    ----------
    scores
        By the names of `published.PUBLISHED_SCORES`, in the units of `metrics.FACTS`; NaN where undefined.
    best
        Whether it is the cell's most accurate classifier on the mapping set.
    folder
        The cell's run.
    seconds
        Of training and evaluation.
    machine
        Where that was, in words; empty where the cell does not say.
    """

    experiment: str
    dataset: str
    variant: str
    seed: int
    classifier: int
    best: bool
    scores: dict[str, float]
    folder: Path
    seconds: dict[str, float]
    machine: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table: one cell's classifier on one data set, over its seeds, beside what was published.

    Attributes
    ----------
    classifier
        1 or 2; None where the study names none: there the classifier that maps best.
    mean, spread
        Of the seeds, by score; the spread is the standard deviation (n - 1), NaN for a single seed.
    published
        By score; empty where nothing was published.
    """

    table: str
    experiment: str
    dataset: str
    variant: str
    classifier: int | None
    seeds: int
    mean: dict[str, float]
    spread: dict[str, float]
    published: dict[str, float]


def collect_results(study: Study) -> list[CellResult]:
    """The results of all cells that are done, in the order of the tables."""
    found: list[CellResult] = []
    for experiment in EXPERIMENTS:
        for cell in experiment.cells:
            for seed in range(study.seeds):
                found += _read(study, experiment.name, cell, seed)
    return found


def table_rows(results: Sequence[CellResult]) -> list[Row]:
    """Means over seeds, in the order of the tables: data set by data set within an experiment."""
    rows = []
    datasets = list(dict.fromkeys(result.dataset for result in results))
    for experiment in EXPERIMENTS:
        for dataset in datasets:
            for cell in experiment.cells:
                mine = [
                    result
                    for result in results
                    if (result.experiment, result.dataset, result.variant) == (experiment.name, dataset, cell.variant)
                ]
                for classifier in _classifiers(experiment, mine):
                    chosen = [r for r in mine if (r.best if classifier is None else r.classifier == classifier)]
                    rows.append(_row(experiment.table, chosen, classifier))
    return rows


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Every row with each score's mean, spread and published value."""
    columns = ["table", "experiment", "dataset", "variant", "classifier", "seeds"]
    for name in PUBLISHED_SCORES.values():
        columns += [name, f"{name}_spread", f"{name}_published"]
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:
            line: dict[str, Any] = {name: getattr(row, name) for name in columns[:6]}
            for name in PUBLISHED_SCORES.values():
                values = (row.mean.get(name), row.spread.get(name), row.published.get(name))
                line |= dict(zip((name, f"{name}_spread", f"{name}_published"), map(_number, values), strict=True))
            writer.writerow(line)


def _read(study: Study, experiment: str, cell: Cell, seed: int) -> list[CellResult]:
    folder = study.cell_folder(cell, seed)
    content = read_cell(folder)
    if content is None:
        return []
    return [
        CellResult(
            experiment,
            dataset,
            cell.variant,
            seed,
            scores["classifier"],
            scores["classifier"] == evaluation["best_classifier"],
            {name: _score(scores, name) for name in PUBLISHED_SCORES.values()},
            folder,
            content["seconds"],
            content.get("machine", ""),
        )
        for dataset, evaluation in content["data"].items()
        for scores in evaluation["classifiers"]
    ]


def _score(scores: dict[str, Any], name: str) -> float:
    value = scores[name] if name in scores else scores["regions"][name]
    return math.nan if value is None else float(value)


def _classifiers(experiment: Experiment, results: Sequence[CellResult]) -> list[int | None]:
    if experiment.shows_best:
        return [None] if results else []
    return [*sorted({result.classifier for result in results})]


def _row(table: str, results: Sequence[CellResult], classifier: int | None) -> Row:
    first = results[0]
    values = {name: np.array([result.scores[name] for result in results]) for name in PUBLISHED_SCORES.values()}
    rows = published_of(first.experiment, first.dataset)
    same = (row.scores for row in rows if (row.variant, row.classifier) == (first.variant, classifier))
    return Row(
        table,
        first.experiment,
        first.dataset,
        first.variant,
        classifier,
        len(results),
        {name: float(value.mean()) for name, value in values.items()},
        {name: float(value.std(ddof=1)) if len(value) > 1 else math.nan for name, value in values.items()},
        next(same, {}),
    )


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.6g}"
