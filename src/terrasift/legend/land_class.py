"""One class, and what legends must hold to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from terrasift.errors import InputError

__all__ = ["CLASSIFIERS", "COLOR_MEND", "IGNORE", "MOST_CLASSES", "LandClass", "check_distinct", "is_color", "repeated"]

IGNORE = 255
"""The label of pixels that count nowhere, in uint8 label maps."""

MOST_CLASSES = 65535
"""That a class map holds."""

CLASSIFIERS = (1, 2)
"""Whose clusters a legend's classes can hold."""

COLOR_MEND = 'write it as "#RRGGBB", in quotes'


@dataclass(frozen=True)
class LandClass:
    """One class: its name, its colour as ``#RRGGBB``, and the clusters that belong to it."""

    name: str
    color: str
    clusters: tuple[int, ...] = ()


def is_color(value: object) -> bool:
    """Whether a value is a colour as legends write them."""
    return isinstance(value, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", value) is not None


def check_distinct(where: object, classes: Sequence[LandClass], ignore: Sequence[str]) -> None:
    """Check that no name, colour or cluster is given twice; InputError if one is."""
    values: dict[str, list[object]] = {
        "name": [entry.name for entry in classes],
        "colour": [*(entry.color for entry in classes), *ignore],
        "cluster": [cluster for entry in classes for cluster in entry.clusters],
    }
    for what, listed in values.items():
        again = repeated(listed)
        if again is not None:
            raise InputError(where, f"names one {what} twice: {listed[again[1]]}", f"give every {what} to one class")


def repeated(values: Iterable[object]) -> tuple[int, int] | None:
    """Places of the first value that comes again: where it stood first, and where again."""
    first: dict[object, int] = {}
    for place, value in enumerate(values):
        if value in first:
            return first[value], place
        first[value] = place
    return None
