"""The page on which the points of a sample are labelled: one file, offline, by number keys or by touch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from terrasift.assessment import Sample
from terrasift.files import write_text
from terrasift.report.assessment.chips import SIDE, Chip
from terrasift.report.pages import render
from terrasift.report.pictures import embed_photo

__all__ = ["write_labelling_page"]

_KEYS = "123456789abcdefghijklmopqrstuvwxyz"  # n goes to the next point without a label


def write_labelling_page(sample: Sample, chips: Sequence[Chip], path: str | os.PathLike[str]) -> Path:
    """Write the page. It shows each point's surroundings, never what the map says there; it keeps what is entered."""
    content = {
        "key": f"terrasift {sample.digest[:16]} {sample.seed} {len(sample.points)}",
        "side": SIDE,
        "classes": [
            {"name": entry.name, "color": entry.color, "key": key}
            for entry, key in zip(sample.classes, _padded(len(sample.classes)), strict=True)
        ],
        "points": [_point(sample, number, chip) for number, chip in enumerate(chips)],
    }
    return write_text(path, render("report/assessment/labelling.html.j2", name=Path(sample.map).name, content=content))


def _padded(count: int) -> list[str]:
    return [*_KEYS[:count], *[""] * (count - len(_KEYS))]


def _point(sample: Sample, number: int, chip: Chip) -> dict[str, Any]:
    point = sample.points[number]
    columns = ("id", "x", "y") if point.longitude is None else ("id", "x", "y", "longitude", "latitude")
    return {
        **{name: getattr(point, name) for name in columns},
        "pixel": chip.pixel,
        "chip": None if chip.rgb is None else embed_photo(chip.rgb, quality=92),
    }
