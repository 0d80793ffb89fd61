"""The report of an assessment: a page with a figure, a table of every figure as CSV, and all of it as JSON."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from terrasift.assessment import Assessment, Estimate
from terrasift.files import write_text
from terrasift.report.pages import render
from terrasift.report.pictures import embed_figure
from terrasift.report.words import area_text

__all__ = ["assessment_lines", "write_assessment"]


class Row(NamedTuple):
    """A class, as a table shows it."""

    name: str
    color: str
    mapped: str
    area: str
    users: str
    producers: str


def write_assessment(assessment: Assessment, folder: str | os.PathLike[str]) -> list[Path]:
    """Write ``report.html``, ``report.csv`` and ``report.json`` into a folder that exists."""
    folder = Path(folder)
    return [
        write_text(folder / "report.html", _page(assessment)),
        write_text(folder / "report.csv", _table(assessment)),
        write_text(folder / "report.json", json.dumps(assessment.to_dict(), indent=1, allow_nan=False) + "\n"),
    ]


def assessment_lines(assessment: Assessment) -> list[str]:
    """The figures for a terminal, with their 95 % intervals."""
    header = Row("class", "", f"mapped, {assessment.unit}", f"area, {assessment.unit}", "user's", "producer's")
    rows = [header, *_rows(assessment)]
    shown = [[row.name, row.mapped, row.area, row.users, row.producers] for row in rows]
    if assessment.overall is None:
        shown = [[row.name, row.area] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = [
        "  ".join([name.ljust(widths[0]), *(text.rjust(width) for text, width in zip(texts, widths[1:], strict=True))])
        for name, *texts in shown
    ]
    if assessment.overall is not None:
        lines.append(f"overall accuracy {_percent(assessment.overall)}")
    lines.append(f"estimated by {assessment.method}, with 95 % intervals")
    return lines


def _page(assessment: Assessment) -> str:
    matrix = zip(assessment.rows, assessment.counts.tolist(), assessment.proportions.tolist(), strict=True)
    return render(
        "report/assessment/page.html.j2",
        name=Path(assessment.map).name,
        assessment=assessment,
        overall=None if assessment.overall is None else _percent(assessment.overall),
        total=area_text(assessment.total, assessment.unit),
        figure=embed_figure(_figure(assessment)),
        rows=_rows(assessment),
        matrix=[
            (name, counts, sum(counts), [f"{share:.4f}" for share in shares], f"{sum(shares):.4f}")
            for name, counts, shares in matrix
        ],
        sums=[f"{share:.4f}" for share in assessment.proportions.sum(axis=0)],
        points=assessment.counts.sum(axis=0).tolist(),
    )


def _rows(assessment: Assessment) -> list[Row]:
    return [
        Row(
            name=entry.name,
            color=entry.color,
            mapped="–" if entry.mapped is None else area_text(entry.mapped, assessment.unit),
            area=" ± ".join(area_text(value, assessment.unit) for value in (entry.area.value, entry.area.half_width)),
            users=_percent(entry.users),
            producers=_percent(entry.producers),
        )
        for entry in assessment.classes
    ]


def _percent(found: Estimate | None) -> str:
    if found is None or found.value != found.value:
        return "–"
    low, high = found.interval
    return f"{100 * found.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _table(assessment: Assessment) -> str:
    text = io.StringIO()
    names = ["class", "measure", "unit", "estimate", "standard_error", "low", "high"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(assessment.figures())
    return text.getvalue()


def _figure(assessment: Assessment) -> Figure:
    """Estimated areas with their intervals, and the map's own beside them."""
    classes = assessment.classes
    figure = Figure(figsize=(7.5, 1.0 + 0.55 * len(classes)))
    axes = figure.subplots()
    places = list(range(len(classes)))
    areas = [entry.area for entry in classes]
    axes.barh(
        [place - 0.19 for place in places],
        [area.value for area in areas],
        height=0.36,
        color=[entry.color for entry in classes],
        edgecolor="#444444",
        linewidth=0.8,
        label="estimated, with its 95 % interval",
        xerr=[
            [area.value - area.interval[0] for area in areas],
            [area.interval[1] - area.value for area in areas],
        ],
        error_kw={"capsize": 3, "elinewidth": 1.2},
    )
    mapped = [(place, entry.mapped) for place, entry in enumerate(classes) if entry.mapped is not None]
    if mapped:
        axes.barh(
            [place + 0.19 for place, _ in mapped],
            [area for _, area in mapped],
            height=0.36,
            color="#ffffff",
            edgecolor="#444444",
            hatch="////",
            linewidth=0.8,
            label="on the map",
        )
    axes.set_yticks(places, [entry.name if len(entry.name) < 30 else f"{entry.name[:28]}…" for entry in classes])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("hectares" if assessment.unit == "ha" else assessment.unit)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.0 + 0.9 / (1 + len(classes))), ncols=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure
