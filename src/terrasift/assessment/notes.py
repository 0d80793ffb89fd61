"""What to know before trusting an estimate, each in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrasift.assessment.allocation import FEW_POINTS
from terrasift.assessment.mapped import MappedPoints
from terrasift.assessment.sample import Sample
from terrasift.assessment.strata import Labelled, digest_of
from terrasift.errors import InputError
from terrasift.raster import ClassMap

__all__ = ["notes_on"]


def notes_on(
    sample: Sample,
    strata: Sequence[Labelled],
    rows: Sequence[str],
    columns: Sequence[str],
    counts: NDArray[np.int64],
    mapped: MappedPoints,
) -> Iterator[str]:
    """Lines about a map that has changed, missing labels, classes that the map does not know, and few points."""
    if Path(sample.map).is_file() and _digest(sample.map) != sample.digest:
        yield f"{sample.map} has changed since it was sampled: this is about the map as it was then"
    missing = len(sample.points) - int(counts.sum())
    if missing:
        yield (
            f"{missing} of {len(sample.points)} points have no reference and count nowhere: "
            "the estimate holds if what they are did not decide which ones were left out"
        )
    yield from _unknown(sample, columns, counts, mapped)
    single = [stratum.name for stratum in strata if stratum.labelled == 1 < stratum.pixels]
    if single:
        yield (
            f"one labelled point in {', '.join(single)}: its variance cannot be estimated and counts as 0, "
            "so that intervals are too narrow; label another"
        )
    few = [stratum.name for stratum in strata if 1 < stratum.labelled < min(FEW_POINTS, stratum.pixels)]
    if few:
        yield f"fewer than {FEW_POINTS} labelled points in {', '.join(few)}: intervals are rough"
    if mapped.are_clusters:
        yield "the map shows clusters, so that it has no accuracy: assess a map of classes by the same points"
        return
    right = [
        name for row, name in zip(counts, rows, strict=True) if name in columns and _is_right(row, columns.index(name))
    ]
    if right:
        yield f"no error was found in {', '.join(right)}: the sample saw none, which does not say that there is none"


def _digest(path: str) -> str:
    try:
        with ClassMap(path) as opened:
            return digest_of(opened)
    except InputError:  # no map any more
        return ""


def _is_right(row: NDArray[np.int64], column: int) -> bool:
    return bool(row.sum() == row[column] > 0)


def _unknown(sample: Sample, columns: Sequence[str], counts: NDArray[np.int64], mapped: MappedPoints) -> Iterator[str]:
    known = [*(entry.name for entry in sample.classes), *([] if mapped.are_clusters else mapped.names)]
    for column, name in enumerate(columns):
        if name not in known and known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            number = int(counts[:, column].sum())
            points = f"{number} point{'s' * (number > 1)}"
            yield f"{name} ({points}) is no class of the map and counts as one of its own{hint}"
