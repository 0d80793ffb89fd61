"""The figures of the study's Tables II to IX, as published."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["PUBLISHED_SCORES", "PublishedRow", "published_of", "published_rows"]

PUBLISHED_SCORES = {
    "acc": "accuracy",
    "iou": "mean_iou",
    "wiou": "weighted_iou",
    "f1": "mean_f1",
    "voi": "variation_of_information",
    "pri": "probabilistic_rand_index",
    "gce": "global_consistency_error",
    "bde": "boundary_displacement_error",
    "sc": "segmentation_covering",
}
"""The nine scores of the tables in their order: the column of ``published.csv`` to the key of `metrics.FACTS`."""

_IN_PER_CENT = ("acc", "iou", "wiou", "f1")


@dataclass(frozen=True)
class PublishedRow:
    """A row of a table.

    Attributes
    ----------
    experiment, variant
        As `experiments.EXPERIMENTS` calls them.
    dataset
        ``potsdam`` or ``potsdam3``.
    classifier
        1 or 2; None where the study does not say (Table IX).
    scores
        By the names of `PUBLISHED_SCORES`, in the units of `metrics.FACTS`: shares, not per cent.
    """

    table: str
    experiment: str
    dataset: str
    variant: str
    classifier: int | None
    scores: dict[str, float]


def published_of(experiment: str, dataset: str) -> list[PublishedRow]:
    """The rows of one experiment on one data set."""
    return [row for row in published_rows() if (row.experiment, row.dataset) == (experiment, dataset)]


@cache
def published_rows() -> tuple[PublishedRow, ...]:
    """Every row of Tables II to IX in their order."""
    text = resources.files("terrasift.study").joinpath("published.csv").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return tuple(_row(columns) for columns in csv.DictReader(lines))


def _row(columns: dict[str, str]) -> PublishedRow:
    return PublishedRow(
        columns["table"],
        columns["experiment"],
        columns["dataset"],
        columns["variant"],
        int(columns["classifier"]) if columns["classifier"] else None,
        {
            name: float(columns[short]) / (100 if short in _IN_PER_CENT else 1)
            for short, name in PUBLISHED_SCORES.items()
        },
    )  # fmt: skip
