"""What labels have taught, as a table."""

from __future__ import annotations

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from terrasift.teaching import Taught

__all__ = ["teach_table"]


def teach_table(taught: Taught) -> Table:
    """Each class with its labelled superpixels and how many of those were recognised unseen, and all together."""
    lesson, legend = taught.lesson, taught.legend
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_footer=lesson.accuracy is not None)
    table.add_column("class", "expected", overflow="fold")
    table.add_column("colour", no_wrap=True)
    table.add_column("labelled superpixels", str(int(lesson.regions.sum())), justify="right")
    table.add_column("recognised unseen", _percent(lesson.accuracy, lesson.interval), justify="right")
    for place, index in enumerate(lesson.classes):
        entry = legend.classes[index]
        color = f"[{entry.color}]██[/] {entry.color}"
        row = None if lesson.confusion is None else lesson.confusion[place]
        share = float(row[place] / row.sum()) if row is not None and row.sum() else None
        table.add_row(escape(entry.name), color, str(int(lesson.regions[place])), _percent(share))
    return table


def _percent(share: float | None, interval: tuple[float, float] | None = None) -> str:
    if share is None or np.isnan(share):
        return "too few to say"
    between = f" ({100 * interval[0]:.0f} to {100 * interval[1]:.0f})" if interval else ""
    return f"{100 * share:.0f} %{between}"
