"""What a labelled sample says of a map: accuracies and areas with intervals, and what to know before trusting them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from terrasift.assessment.estimators import (
    Estimate,
    Stratified,
    area_shares,
    error_matrix,
    overall_accuracy,
    producers_accuracies,
    users_accuracies,
)
from terrasift.assessment.mapped import WITHOUT_CLASS, MappedPoints, classes_of_other_map, classes_of_sample
from terrasift.assessment.notes import notes_on
from terrasift.assessment.sample import Point, Sample
from terrasift.assessment.strata import Labelled
from terrasift.errors import InputError
from terrasift.notebook import data_frame

if TYPE_CHECKING:
    import pandas

__all__ = ["Assessment", "ClassFacts", "assess"]

_LARGE_SHARE = 0.05  # of a stratum: above it the finite population correction matters (Cochran 1977, section 2.1)


@dataclass(frozen=True)
class ClassFacts:
    """A class of the map, of the reference, or of both.

    Attributes
    ----------
    name, color
        As the map has them; grey if it has none.
    mapped
        What the map shows of it, in the unit of areas; None where it shows clusters.
    area
        What there truly is of it.
    users, producers
        Its accuracies; None where the map shows clusters.
    """

    name: str
    color: str
    mapped: float | None
    area: Estimate
    users: Estimate | None
    producers: Estimate | None


@dataclass(frozen=True)
class Assessment:
    """The accuracy of a map and the area of its classes.

    Attributes
    ----------
    map
        The map that was assessed.
    digest
        Of the map that was sampled.
    method
        The paper whose equations were used.
    unit
        Of areas: ``ha`` or ``pixels``.
    total
        The area of the map.
    rows
        Of the error matrix: classes of the map, or groups of clusters.
    classes
        Its columns.
    counts, proportions
        (rows, columns): the error matrix in points and in shares of the area.
    overall
        Overall accuracy; None where the map shows clusters.
    strata
        What was sampled.
    notes
        What to know, each in one line.
    """

    map: str
    digest: str
    method: str
    unit: str
    total: float
    rows: tuple[str, ...]
    classes: tuple[ClassFacts, ...]
    counts: NDArray[np.int64]
    proportions: NDArray[np.float64]
    overall: Estimate | None
    strata: tuple[Labelled, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        overall = "" if self.overall is None else f"overall accuracy {self.overall.value:.1%}, "
        return f"Assessment({overall}{len(self.classes)} classes, {self.labelled} points)"

    def to_frame(self) -> pandas.DataFrame:
        """A row for each class, by name: what the map shows, and what there truly is, give or take; accuracies."""
        areas = [entry.area for entry in self.classes]
        columns = {
            "class": [entry.name for entry in self.classes],
            "mapped": [entry.mapped for entry in self.classes],
            self.unit: [area.value for area in areas],
            "give_or_take": [area.half_width for area in areas],
            "users_accuracy": [entry.users and entry.users.value for entry in self.classes],
            "producers_accuracy": [entry.producers and entry.producers.value for entry in self.classes],
        }
        return data_frame(columns, "class")

    @property
    def labelled(self) -> int:
        """How many points have a label."""
        return int(self.counts.sum())

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON; what is not defined is None."""
        return {
            "map": self.map,
            "digest": self.digest,
            "method": self.method,
            "labelled": self.labelled,
            "unit": self.unit,
            "total_area": self.total,
            "overall_accuracy": _content(self.overall),
            "classes": [
                {
                    "name": entry.name,
                    "mapped_area": entry.mapped,
                    "area": _content(entry.area),
                    "users_accuracy": _content(entry.users),
                    "producers_accuracy": _content(entry.producers),
                }
                for entry in self.classes
            ],
            "error_matrix": {
                "rows": list(self.rows),
                "columns": [entry.name for entry in self.classes],
                "counts": self.counts.tolist(),
                "proportions": self.proportions.tolist(),
            },
            "strata": [entry._asdict() for entry in self.strata],
            "notes": list(self.notes),
        }

    def figures(self) -> Iterator[dict[str, Any]]:
        """A row for each figure: class, measure, unit, estimate, standard error and 95 % interval."""
        measures: list[tuple[str, str, str, Estimate | None]] = [("", "overall accuracy", "", self.overall)]
        for entry in self.classes:
            measures.append((entry.name, "user's accuracy", "", entry.users))
            measures.append((entry.name, "producer's accuracy", "", entry.producers))
            measures.append((entry.name, "area", self.unit, entry.area))
        for name, measure, unit, found in measures:
            if found is not None:
                yield {"class": name, "measure": measure, "unit": unit, **(_content(found) or {})}


def assess(
    sample: Sample, references: Mapping[int, str], other_map: str | os.PathLike[str] | None = None
) -> Assessment:
    """Estimate accuracies and areas from a sample's labels.

    Where the strata are the map's classes, by the equations of Olofsson et al. (2014); where they are not, or where a
    stratum was sampled by more than a twentieth, by those of Stehman (2014): see `estimators`.

    Parameters
    ----------
    sample
        As it was drawn.
    references
        What points truly are, by `id`: names of the map's classes, values of the map, or names of other classes.
    other_map
        Assess this map, on the grid of the sample's own, by the same points.

    Raises
    ------
    InputError
        If a stratum has no labelled point, or if the other map lies on another grid.
    """
    points = [point for point in sample.points if point.id in references]
    strata = _labelled_strata(sample, points)
    mapped = classes_of_sample(sample, points) if other_map is None else classes_of_other_map(sample, points, other_map)
    columns, reference = _references(sample, mapped, [references[point.id] for point in points])
    fractions = [stratum.labelled / stratum.pixels for stratum in strata]
    is_stehman = sample.clusters or other_map is not None or max(fractions) > _LARGE_SHARE
    stratified = _stratified(sample, points, finite=is_stehman)
    rows = [*mapped.names, *(name for name in columns if name not in mapped.names and not mapped.are_clusters)]
    counts, proportions = error_matrix(stratified, mapped.places, reference, len(rows), len(columns))
    total = sum(stratum.area for stratum in sample.strata)
    facts = _class_facts(stratified, mapped, rows, columns, reference, total)
    overall = None
    if not mapped.are_clusters:
        overall = overall_accuracy(stratified, mapped.places, _among(rows, columns)[reference])
    return Assessment(
        map=sample.map if other_map is None else os.fspath(other_map),
        digest=sample.digest,
        method="Stehman (2014)" if is_stehman else "Olofsson et al. (2014)",
        unit=sample.unit,
        total=total,
        rows=tuple(rows),
        classes=facts,
        counts=counts,
        proportions=proportions,
        overall=overall,
        strata=strata,
        notes=tuple(notes_on(sample, strata, rows, columns, counts, mapped)),
    )


def _class_facts(
    stratified: Stratified,
    mapped: MappedPoints,
    rows: Sequence[str],
    columns: Sequence[str],
    reference: NDArray[np.int64],
    total: float,
) -> tuple[ClassFacts, ...]:
    areas = area_shares(stratified, reference, len(columns))
    users: Sequence[Estimate | None] = [None] * len(rows)
    producers: Sequence[Estimate | None] = users
    among = _among(rows, columns)
    if not mapped.are_clusters:
        users = users_accuracies(stratified, mapped.places, among[reference], len(rows))
        producers = producers_accuracies(stratified, mapped.places, among[reference], len(rows))
    return tuple(
        ClassFacts(
            name=name,
            color=mapped.colors.get(name, "#808080"),
            mapped=None if mapped.are_clusters else mapped.areas.get(name, 0.0),
            area=areas[place].times(total),
            users=users[among[place]],
            producers=producers[among[place]],
        )
        for place, name in enumerate(columns)
    )


def _among(rows: Sequence[str], columns: Sequence[str]) -> NDArray[np.int64]:
    """The row of each column; where rows are clusters, that of none matters."""
    return np.array([rows.index(name) if name in rows else 0 for name in columns], np.int64)


def _stratified(sample: Sample, points: Sequence[Point], *, finite: bool) -> Stratified:
    return Stratified(
        np.array([point.stratum for point in points]),
        np.array([stratum.pixels for stratum in sample.strata]),
        np.array([stratum.area for stratum in sample.strata]),
        np.array([point.area for point in points]),
        finite=finite,
    )


def _labelled_strata(sample: Sample, points: Sequence[Point]) -> tuple[Labelled, ...]:
    counts = np.bincount([point.stratum for point in points], minlength=len(sample.strata))
    drawn = sample.points_of_strata
    strata = tuple(
        Labelled(stratum.name, stratum.pixels, int(drawn[place]), int(counts[place]))
        for place, stratum in enumerate(sample.strata)
    )
    empty = [stratum for stratum in strata if not stratum.labelled]
    if empty:
        share = sum(stratum.pixels for stratum in empty) / sum(stratum.pixels for stratum in strata)
        raise InputError(
            ", ".join(stratum.name for stratum in empty),
            f"no point of this part of the map, {share:.1%} of it, has a reference",
            "label two or more of each",
        )
    return strata


def _references(sample: Sample, mapped: MappedPoints, texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Classes of the map and of the reference, and the place of each point's reference among them."""
    names = [*(entry.name for entry in sample.classes)]
    if not mapped.are_clusters:
        names += [name for name in mapped.names if name not in [*names, WITHOUT_CLASS]]
    known = {str(entry.value): entry.name for entry in sample.classes}
    known |= {name.casefold(): name for name in names}
    found = [known.get(text.casefold(), text) for text in texts]
    names += [name for name in dict.fromkeys(found) if name not in names]
    return names, np.array([names.index(name) for name in found], np.int64)


def _content(found: Estimate | None) -> dict[str, float | None] | None:
    if found is None:
        return None
    low, high = found.interval
    figures = {"estimate": found.value, "standard_error": found.standard_error, "low": low, "high": high}
    return {name: None if value != value else value for name, value in figures.items()}
