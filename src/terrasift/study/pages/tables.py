"""The study's tables: ours beside what was published, for each data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from terrasift.metrics import FACTS
from terrasift.study.experiments import Experiment
from terrasift.study.published import PUBLISHED_SCORES, published_of
from terrasift.study.results import Row

__all__ = ["StudyTable", "published_tables", "score_columns", "study_score_tables"]


class Column(NamedTuple):
    """The head of one score."""

    symbol: str
    title: str
    unit: str


class ScoreCell(NamedTuple):
    """One number."""

    text: str
    spread: str = ""
    style: str = ""
    """``best``, ``better``, ``worse`` or nothing."""


class Line(NamedTuple):
    """One line of numbers, and whose they are."""

    whose: str
    cells: list[ScoreCell]


class TableRow(NamedTuple):
    """One cell's classifier."""

    variant: str
    classifier: str
    lines: list[Line]


class StudyTable(NamedTuple):
    """One experiment on one data set."""

    caption: str
    rows: list[TableRow]


def score_columns() -> list[Column]:
    """The heads of the nine scores, arrows included."""
    return [
        Column(f"{FACTS[name].symbol} {FACTS[name].arrow}", FACTS[name].title, FACTS[name].unit)
        for name in PUBLISHED_SCORES.values()
    ]


def study_score_tables(experiment: Experiment, rows: Sequence[Row]) -> list[StudyTable]:
    """A table for each data set with rows of the experiment; best scores of a column are marked, theirs and ours."""
    tables = []
    mine = [row for row in rows if row.experiment == experiment.name]
    for dataset in dict.fromkeys(row.dataset for row in mine):
        chosen = [row for row in mine if row.dataset == dataset]
        ours = _best([row.mean for row in chosen])
        theirs = _best([row.scores for row in published_of(experiment.name, dataset)])
        tables.append(StudyTable(_caption(experiment, dataset), [_row(row, ours, theirs) for row in chosen]))
    return tables


def published_tables(experiment: Experiment) -> list[StudyTable]:
    """The published figures alone, for each of the study's data sets."""
    tables = []
    for dataset in ("potsdam", "potsdam3"):
        published = published_of(experiment.name, dataset)
        best = _best([row.scores for row in published])
        rows = [
            TableRow(row.variant, _classifier(row.classifier), [_line("published", row.scores, {}, best)])
            for row in published
        ]
        if rows:
            tables.append(StudyTable(_caption(experiment, dataset), rows))
    return tables


def _row(row: Row, ours: Mapping[str, float], theirs: Mapping[str, float]) -> TableRow:
    lines = [_line("ours" if row.seeds == 1 else f"ours, {row.seeds} seeds", row.mean, row.spread, ours)]
    if row.published:
        lines.append(_line("published", row.published, {}, theirs))
        lines.append(Line("difference", [_difference(row, name) for name in PUBLISHED_SCORES.values()]))
    return TableRow(row.variant, _classifier(row.classifier), lines)


def _line(whose: str, scores: Mapping[str, float], spreads: Mapping[str, float], best: Mapping[str, float]) -> Line:
    cells = []
    for name in PUBLISHED_SCORES.values():
        facts, spread = FACTS[name], spreads.get(name, float("nan"))
        style = "best" if facts.printed(scores[name]) == best.get(name) else ""
        cells.append(ScoreCell(facts.text(scores[name]), facts.text(spread).strip("–"), style))
    return Line(whose, cells)


def _difference(row: Row, name: str) -> ScoreCell:
    difference = row.mean[name] - row.published[name]
    facts = FACTS[name]
    style = "better" if facts.is_better(difference) else "worse" if facts.is_better(-difference) else ""
    return ScoreCell(facts.difference_text(difference), style=style)


def _best(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The best of each score as it is printed, so that what looks equal is."""
    best = {}
    for name in PUBLISHED_SCORES.values():
        shown = [FACTS[name].printed(row[name]) for row in rows if row[name] == row[name]]
        if shown:
            best[name] = max(shown) if FACTS[name].higher_is_better else min(shown)
    return best


def _caption(experiment: Experiment, dataset: str) -> str:
    table = f"Table {experiment.table}, " if experiment.table else ""
    return f"{table}{experiment.name}, on {dataset}"


def _classifier(number: int | None) -> str:
    return "best" if number is None else str(number)
