"""Tables of scores for the terminal, narrow enough for 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from terrasift.blocks.choices import RegionsSeen
from terrasift.evaluation import ClassifierScores, Evaluation
from terrasift.metrics import FACTS
from terrasift.metrics.averages import mean_of_defined
from terrasift.report.comparison import COLUMNS, ComparedRow

__all__ = ["class_table", "comparison_table", "region_table"]


def comparison_table(rows: Sequence[ComparedRow]) -> Table:
    """The run beside the baselines."""
    table = _table("beside k-means: the same pixels, as many clusters, mapped in the same way", "per cent")
    for column in (*COLUMNS.values(), "training s", "segmenting s"):
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
    for column in ("accuracy", "precision", "recall", "specificity", "F1", "IoU", "pixels"):
        table.add_column(column, justify="right", no_wrap=True)
    columns = (matrix.class_accuracy, matrix.precision, matrix.recall, matrix.specificity, matrix.f1, matrix.iou)
    for index, name in enumerate(evaluation.classes):
        table.add_row(name, *(_number(100 * column[index], 1) for column in columns), f"{matrix.support[index]:,}")
    table.add_section()
    table.add_row("mean", *(_number(100 * mean_of_defined(column), 1) for column in columns), f"{matrix.total:,}")
    overall, weighted = _number(100 * matrix.accuracy, 1), _number(100 * matrix.weighted_iou, 1)
    table.caption = f"overall accuracy {overall}   weighted IoU {weighted}   kappa {_number(matrix.kappa, 3)}"
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
            table.add_row(Path(path).name, *(_number(found[name], _DECIMALS.get(name, 3)) for name in names))
        table.add_section()
    table.add_row(f"mean of {len(scores.images)}", *(_number(means[name], _DECIMALS.get(name, 3)) for name in names))
    return table


_MOST_IMAGES = 20  # more are in the JSON file only
_DECIMALS = {"variation_of_information": 2, "boundary_displacement_error": 1}


def _table(title: str, first: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, min_width=10, overflow="fold")
    return table


def _number(value: float, decimals: int) -> str:
    return "-" if value != value else f"{value:.{decimals}f}"
