"""Tables of scores for the terminal, narrow enough for 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from terrasift.blocks.choices import RegionsSeen
from terrasift.evaluation import ClassifierScores, Evaluation
from terrasift.metrics import CLASS_SCORES, COMPARED, FACTS
from terrasift.report.comparison import ComparedRow

__all__ = ["class_table", "comparison_table", "region_table"]


def comparison_table(rows: Sequence[ComparedRow]) -> Table:
    """The run beside the baselines."""
    table = _table("beside k-means: the same pixels, as many clusters, mapped in the same way", "per cent")
    for column in (*COMPARED.values(), "training s", "segmenting s"):
        table.add_column(column.replace(" ", "\n"), justify="right", no_wrap=True)
    for row in rows:
        scores = (f"[bold]{score.text}[/]" if score.is_best else score.text for score in row.scores)
        table.add_row(row.name, *scores, *row.seconds)
    return table


def class_table(evaluation: Evaluation, scores: ClassifierScores) -> Table:
    """Scores of each class, their means, and the overall ones."""
    matrix = scores.confusion
    chosen = ", best on the mapping set" if len(evaluation.classifiers) > 1 and scores is evaluation.best else ""
    table = _table(f"classifier {scores.classifier}{chosen}", "per cent")
    for title in (*CLASS_SCORES.values(), "pixels"):
        table.add_column(title, justify="right", no_wrap=True)
    for index, name in enumerate(evaluation.classes):
        found = (FACTS[f"mean_{key}"].text(getattr(matrix, key)[index]) for key in CLASS_SCORES)
        table.add_row(name, *found, f"{matrix.support[index]:,}")
    table.add_section()
    means = (FACTS[f"mean_{key}"].text(getattr(matrix, f"mean_{key}")) for key in CLASS_SCORES)
    table.add_row("mean", *means, f"{matrix.total:,}")
    overall, weighted, kappa = (FACTS[key].text(getattr(matrix, key)) for key in ("accuracy", "weighted_iou", "kappa"))
    table.caption = f"overall accuracy {overall}   weighted IoU {weighted}   kappa {kappa}"
    return table


def region_table(scores: ClassifierScores, regions: RegionsSeen) -> Table:
    """Region metrics of each image, where they are few, and their means."""
    means = scores.regions
    names = [name for name in FACTS if name in means]
    table = _table(f"regions of the {regions} of classifier {scores.classifier}", "image")
    for name in names:
        fact = FACTS[name]
        table.add_column(f"{fact.symbol}{fact.arrow}", justify="right", no_wrap=True)
    if len(scores.images) <= _MOST_IMAGES:
        for path, found in scores.images.items():
            table.add_row(Path(path).name, *(FACTS[name].text(found[name]) for name in names))
        table.add_section()
    table.add_row(f"mean of {len(scores.images)}", *(FACTS[name].text(means[name]) for name in names))
    return table


_MOST_IMAGES = 20  # more are in the JSON file only


def _table(title: str, first: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, min_width=10, overflow="fold")
    return table
