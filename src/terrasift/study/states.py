"""What has become of each cell of a study so far."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from terrasift.files import read_bytes
from terrasift.study.cells import FAILURE_FILE, is_done
from terrasift.study.experiments import Cell, Experiment
from terrasift.study.folder import Study

__all__ = ["CellState", "cell_states", "problems"]


class CellState(NamedTuple):
    """One cell and seed."""

    cell: Cell
    seed: int
    folder: Path
    state: Literal["done", "failed", "not finished", "not begun"]
    reason: str
    """The last line of what a failed one left; else empty."""


def cell_states(study: Study, experiment: Experiment) -> list[CellState]:
    """Every cell of an experiment, for all seeds the study has been asked for."""
    return [
        _state(cell, seed, study.cell_folder(cell, seed))
        for cell in experiment.cells
        for seed in range(study.seeds)
    ]  # fmt: skip


def problems(states: list[CellState]) -> list[str]:
    """The cells that are not done, in words: a line for each failure, one for all that wait."""
    lines = [f"failed: {_name(found)}: {found.reason}" for found in states if found.state == "failed"]
    for state in ("not finished", "not begun"):
        names = [_name(found) for found in states if found.state == state]
        if names:
            lines.append(f"{state}: {', '.join(names)}")
    return lines


def _name(found: CellState) -> str:
    return f"{found.cell.variant} (seed {found.seed})"


def _state(cell: Cell, seed: int, folder: Path) -> CellState:
    if is_done(folder):
        return CellState(cell, seed, folder, "done", "")
    if (folder / FAILURE_FILE).exists():
        lines = read_bytes(folder / FAILURE_FILE).decode(errors="replace").strip().splitlines()
        return CellState(cell, seed, folder, "failed", lines[-1] if lines else "")
    return CellState(cell, seed, folder, "not finished" if folder.exists() else "not begun", "")
