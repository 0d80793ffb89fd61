"""A run beside the baselines: one row each, for a terminal or a page."""

from __future__ import annotations

import math
from typing import NamedTuple

from terrasift.evaluation import BaselineScores, ClassifierScores, Evaluation, Seconds
from terrasift.metrics import COMPARED, FACTS

__all__ = ["ComparedRow", "compared_rows", "untaken_lines"]


class ComparedScore(NamedTuple):
    """One score of one row."""

    text: str
    is_best: bool
    """Whether no row has more."""


class ComparedRow(NamedTuple):
    """The run, or a baseline."""

    name: str
    scores: list[ComparedScore]
    """One for each of `COMPARED`."""
    seconds: list[str]
    """Of training or fitting, and of segmenting."""


def compared_rows(evaluation: Evaluation, run: str = "this run") -> list[ComparedRow]:
    """The best classifier of a run and every baseline; none without a baseline.

    Parameters
    ----------
    evaluation
        Of the run.
    run
        What the run's row is called.
    """
    if not evaluation.baselines:
        return []
    methods = _methods(evaluation, run)
    seconds = {run: evaluation.seconds} | {scores.name: scores.seconds for scores in evaluation.baselines}
    found = {method: [getattr(scores.confusion, name) for name in COMPARED] for method, scores in methods.items()}
    most = [
        max((0.0 if math.isnan(score) else score) for score in column) for column in zip(*found.values(), strict=True)
    ]
    return [
        ComparedRow(
            method,
            [
                ComparedScore(FACTS[name].text(score), is_best=score == top)
                for name, score, top in zip(COMPARED, scores, most, strict=True)
            ],
            _seconds(seconds[method]),
        )
        for method, scores in found.items()
    ]


def untaken_lines(evaluation: Evaluation, run: str = "this run") -> list[str]:
    """For each row that has such classes, which ones no cluster became: a map never shows them."""
    return [
        f"no cluster became: {', '.join(evaluation.classes[index] for index in scores.untaken)} ({method})"
        for method, scores in _methods(evaluation, run).items()
        if scores.untaken
    ]


def _methods(evaluation: Evaluation, run: str) -> dict[str, ClassifierScores | BaselineScores]:
    return {run: evaluation.best, **{scores.name: scores for scores in evaluation.baselines}}


def _seconds(seconds: Seconds | None) -> list[str]:
    return ["–" if value is None else f"{value:,.1f}" for value in seconds or (None, None)]
