"""How long cells took, and what the time of one splits into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from terrasift.report.words import duration
from terrasift.study.results import CellResult

__all__ = ["CellTime", "TimeSplit", "cell_times", "time_parts", "time_split"]


class CellTime(NamedTuple):
    """One run, by every name it has in the tables; seconds in words."""

    names: list[str]
    seed: str
    training: str
    evaluation: str
    total: str


class TimePart(NamedTuple):
    """One part of a cell's time."""

    name: str
    seconds: str
    percent: float


class TimeSplit(NamedTuple):
    """What the time of one step of a cell splits into."""

    cell: str
    device: str
    batch: int
    parts: list[TimePart]


def cell_times(results: Sequence[CellResult]) -> list[CellTime]:
    """Every run once, in the order of the tables, and the total as the last."""
    runs: dict[Path, CellResult] = {}
    names: dict[Path, dict[str, None]] = {}
    for result in results:
        runs.setdefault(result.folder, result)
        names.setdefault(result.folder, {})[f"{result.experiment}: {result.variant}"] = None
    times = [
        _time(list(names[folder]), str(found.seed), found.seconds["training"], found.seconds["evaluation"])
        for folder, found in runs.items()
    ]
    sums = (sum(found.seconds[part] for found in runs.values()) for part in ("training", "evaluation"))
    return [*times, _time([f"all {len(runs)} runs"], "", *sums)]


def time_split(timing: Mapping[str, Any] | None) -> TimeSplit | None:
    """Of what `read_timing` finds; None where nothing was measured."""
    if timing is None:
        return None
    return TimeSplit(timing["cell"], timing["device"], timing["batch"], time_parts(timing["seconds"]))


def time_parts(seconds: Mapping[str, float] | None) -> list[TimePart]:
    """Parts with their share of all; nothing if nothing was measured."""
    total = sum((seconds or {}).values())
    return [TimePart(name, f"{found:.3g}", 100 * found / total) for name, found in (seconds or {}).items() if total]


def _time(names: list[str], seed: str, training: float, evaluation: float) -> CellTime:
    return CellTime(names, seed, duration(training), duration(evaluation), duration(training + evaluation))
