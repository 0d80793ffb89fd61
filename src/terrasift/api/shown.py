"""What a run says of itself, in a line or in a notebook."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from terrasift.errors import TerrasiftError
from terrasift.notebook import html_table
from terrasift.opened import OpenedRun

__all__ = ["run_html", "run_line"]


def run_line(run: OpenedRun) -> str:
    """Where it is and what is known of it; damaged files are left out."""
    return f"Run({str(run.path)!r}: {'; '.join(text for _, text, is_known in _facts(run) if is_known)})"


def run_html(run: OpenedRun) -> str:
    """The same as a table, with a line for each file that is damaged, and the legend."""
    table = html_table(f"Run {run.path}", [(name, text) for name, text, _ in _facts(run)])
    try:
        legend = run.legend._repr_html_() if run.has_begun and run.is_mapped else ""
    except TerrasiftError:  # said in the table
        legend = ""
    return table + Markup(legend)


def _facts(run: OpenedRun) -> Iterator[tuple[str, str, bool]]:
    """Name, text, and whether it is known, rather than what is wrong."""
    for name, tell in _TOLD.items():
        try:
            text, is_known = tell(run), True
        except TerrasiftError as error:
            text, is_known = str(error), False
        if text:
            yield name, text, is_known


def _state(run: OpenedRun) -> str:
    if not run.has_begun:
        return "nothing trained yet"
    return "" if run.is_finished else "not finished"


def _network(run: OpenedRun) -> str:
    if not run.has_begun:
        return ""
    recipe = run.recipe
    return f"{recipe.extractor}, {len(recipe.measured_scaling.low)} bands, {recipe.clusters} clusters"


def _training(run: OpenedRun) -> str:
    log, images = run.log, len(run.trained_on)
    return "" if log is None else f"{log.steps:,} steps on {images:,} images in {log.seconds.sum():,.0f} s"


def _legend(run: OpenedRun) -> str:
    if not run.has_begun:
        return ""
    return f"{len(run.legend.classes)} classes" if run.is_mapped else "clusters without names"


def _evaluation(run: OpenedRun) -> str:
    found = run.evaluation
    return "" if found is None else found.best.confusion.summary


_TOLD = {
    "state": _state,
    "network": _network,
    "training": _training,
    "legend": _legend,
    "evaluation": _evaluation,
}
