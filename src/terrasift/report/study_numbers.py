"""Scores and their differences as the study prints them: shares in per cent, as many decimals as its tables have."""

from __future__ import annotations

from terrasift.metrics import FACTS
from terrasift.study.experiments import SUPERVISED

__all__ = ["difference_text", "is_better", "printed", "score_text", "unit_of"]

_DECIMALS = {"variation_of_information": 2, "boundary_displacement_error": 1, **dict.fromkeys(SUPERVISED, 1)}


def unit_of(score: str) -> str:
    """The unit it is printed in; empty for indices."""
    return "%" if score in SUPERVISED else FACTS[score].unit


def printed(score: str, value: float) -> float:
    """A score in its unit, rounded as the study rounds it: what ties are judged by."""
    return round(value * (100 if score in SUPERVISED else 1), _DECIMALS.get(score, 3)) + 0.0  # + 0.0: no minus zero


def score_text(score: str, value: float) -> str:
    """A score, or a dash where it is not defined."""
    return "–" if value != value else f"{printed(score, value):.{_DECIMALS.get(score, 3)}f}"


def difference_text(score: str, value: float) -> str:
    """A difference of two scores, with its sign."""
    if value != value:
        return "–"
    shown = printed(score, value)
    sign = "+" if shown > 0 else "−" if shown < 0 else ""
    return f"{sign}{abs(shown):.{_DECIMALS.get(score, 3)}f}"


def is_better(score: str, difference: float) -> bool:
    """Whether a difference, as printed, is towards the better."""
    shown = printed(score, difference)
    return shown > 0 if FACTS[score].higher_is_better else shown < 0
