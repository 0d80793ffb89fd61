"""A legend as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.markup import escape
from rich.table import Table

from terrasift.legend import Legend, spans

__all__ = ["legend_rows", "legend_table"]


def legend_rows(legend: Legend, pixels: NDArray[np.int64] | None) -> list[dict[str, Any]]:
    """Index, name, colour, clusters and share of the pixels (None where not known) of each class, ready for JSON.

    Parameters
    ----------
    legend
        The legend.
    pixels
        (K,), of each cluster in a sample.
    """
    total = 0 if pixels is None else int(pixels.sum())
    return [
        {
            "class": index,
            "name": entry.name,
            "color": entry.color,
            "clusters": list(entry.clusters),
            "share": float(pixels[list(entry.clusters)].sum() / total) if pixels is not None and total else None,
        }
        for index, entry in enumerate(legend.classes)
    ]


def legend_table(legend: Legend, pixels: NDArray[np.int64] | None) -> Table:
    """The same for a terminal, the largest class first."""
    rows = sorted(legend_rows(legend, pixels), key=lambda row: -(row["share"] or 0.0))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("class", justify="right")
    table.add_column("name", overflow="fold")
    table.add_column("colour", no_wrap=True)
    if pixels is not None:
        table.add_column("share", justify="right")
    table.add_column("outputs" if legend.taught else "clusters", overflow="fold")
    for row in rows:
        share = [f"{100 * row['share']:.1f} %"] if row["share"] is not None else []
        color = f"[{row['color']}]██[/] {row['color']}"
        table.add_row(str(row["class"]), escape(row["name"]), color, *share, spans(row["clusters"]))
    return table
