"""A run beside the baselines: one row each, for a terminal or a page."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["COLUMNS", "ComparedRow", "compared_rows", "untaken_lines"]

COLUMNS = {"accuracy": "accuracy", "mean_iou": "mean IoU", "weighted_iou": "weighted IoU", "mean_f1": "mean F1"}
"""The scores that are compared, and what they are called; per cent."""


class ComparedScore(NamedTuple):
    """One score of one row."""

    text: str
    is_best: bool
    """Whether no row has more."""


class ComparedRow(NamedTuple):
    """The run, or a baseline."""

    name: str
    scores: list[ComparedScore]
    """One for each of `COLUMNS`."""
    seconds: list[str]
    """Of training or fitting, and of segmenting."""


def compared_rows(content: dict[str, Any], run: str = "this run") -> list[ComparedRow]:
    """The best classifier of a run and every baseline, as `Evaluation.to_dict` has them; none without a baseline.

    Parameters
    ----------
    content
        `Evaluation.to_dict`, of this version or an earlier one.
    run
        What the run's row is called.
    """
    methods = _methods(content, run)
    if len(methods) < 2:
        return []
    most = {name: max((scores[name] or 0.0) for scores in methods.values()) for name in COLUMNS}
    return [
        ComparedRow(
            method,
            [ComparedScore(_percent(scores[name]), is_best=scores[name] == most[name]) for name in COLUMNS],
            [_seconds(scores["seconds"], name) for name in ("training", "segmenting")],
        )
        for method, scores in methods.items()
    ]


def untaken_lines(content: dict[str, Any], run: str = "this run") -> list[str]:
    """For each row that has such classes, which ones no cluster became: a map never shows them."""
    return [
        f"no cluster became: {', '.join(scores['untaken'])} ({method})"
        for method, scores in _methods(content, run).items()
        if scores.get("untaken")
    ]


def _methods(content: dict[str, Any], run: str) -> dict[str, dict[str, Any]]:
    best = next(entry for entry in content["classifiers"] if entry["classifier"] == content["best_classifier"])
    methods = {run: {**best, "seconds": content.get("seconds")}}
    return methods | {scores["name"]: scores for scores in content.get("baselines", ())}


def _percent(score: float | None) -> str:
    return "–" if score is None else f"{100 * score:.1f}"


def _seconds(seconds: dict[str, float | None] | None, name: str) -> str:
    value = (seconds or {}).get(name)
    return "–" if value is None else f"{value:,.1f}"
