"""The experiments of the study and what each cell changes, for the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from terrasift.study.experiments import EXPERIMENTS, STUDY_DEFAULTS, Cell, Experiment

__all__ = ["experiment_tables", "row_count"]


def experiment_tables() -> list[Table]:
    """A table for each experiment, 80 columns wide at most: its cells, and what each one changes."""
    return [_table(experiment) for experiment in EXPERIMENTS]


def row_count(experiment: Experiment) -> int:
    """Rows of its table for each data set: two of a cell with two classifiers, but Table IX and ours show the best."""
    if experiment.shows_best:
        return len(experiment.cells)
    return sum(cell.changes.get("classifiers", STUDY_DEFAULTS["classifiers"]) for cell in experiment.cells)


def _table(experiment: Experiment) -> Table:
    found = [f"Table {experiment.table}" if experiment.table else "not in the study"]
    if experiment.figure:
        found.append(f"figure{'s' * ('and' in experiment.figure)} {experiment.figure}")
    counts = f"{len(experiment.cells)} cells, {row_count(experiment)} rows for each data set"
    table = Table(
        title=Text(f"{experiment.name}: {experiment.title}\n{', '.join(found)}; {counts}", style="bold"),
        caption=Text(f"on top of the recipe paper with {_settings(STUDY_DEFAULTS)}\n"),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        width=80,
    )
    table.add_column("cell", ratio=2, overflow="fold")
    table.add_column("changes", ratio=3, overflow="fold")
    for cell in experiment.cells:
        table.add_row(Text(cell.variant), Text(_changes(cell)))
    return table


def _changes(cell: Cell) -> str:
    parts = [] if cell.method == "network" else [f"({cell.method}, no network)"]
    if cell.clusters_are_classes:
        parts.append("clusters=as many as classes")
    if cell.changes:
        parts.append(_settings(cell.changes))
    return " ".join(parts) or "nothing"


def _settings(changes: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in changes.items())
