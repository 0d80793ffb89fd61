"""One class, and what legends must hold to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from terrasift.errors import InputError

__all__ = [
    "CLASSIFIERS",
    "COLOR_MEND",
    "IGNORE",
    "MOST_CLASSES",
    "LandClass",
    "is_color",
    "name_problem",
    "repeated",
    "spans",
]

IGNORE = 255
"""The label of pixels that count nowhere, in uint8 label maps."""

MOST_CLASSES = 65535
"""That a class map holds."""

CLASSIFIERS = (1, 2)
"""Whose clusters a legend's classes can hold."""

COLOR_MEND = 'write it as "#RRGGBB", in quotes'


@dataclass(frozen=True)
class LandClass:
    """One class: its name, its colour as ``#RRGGBB``, and the clusters that belong to it.

    Raises
    ------
    InputError
        If the name is none: see `name_problem`.
    """

    name: str
    color: str
    clusters: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        wrong = name_problem(self.name)
        if wrong:
            raise InputError(f"class {self.name!r}", f"has a name that {wrong[0]}", wrong[1])

    @property
    def is_named(self) -> bool:
        """Whether somebody has named it: not so ``cluster 12`` and ``class 3``, as clusters and what joins them are."""
        return re.fullmatch(r"(cluster|class) \d+( \(\d+\))?", self.name) is None


def name_problem(name: object) -> tuple[str, str] | None:
    """What keeps something from being the name of a class, and the mend; None if nothing does.

    A name is text of up to 200 characters, with something to be seen in it and no control characters. That no two
    classes have one is the legend's to see to.
    """
    if not isinstance(name, str):
        return f"is {name!r}, not text", "write it in quotes"
    if not name.strip():
        return "is empty", "give every class a name"
    if len(name) > _LONGEST_NAME:
        return f"has {len(name)} characters", f"allowed are {_LONGEST_NAME}"
    if any(unicodedata.category(letter) in _NO_TEXT for letter in name):
        return "holds a control character", "write it in letters, on one line"
    return None


_LONGEST_NAME = 200
_NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of characters, separators of lines and paragraphs


def spans(clusters: Iterable[int]) -> str:
    """Cluster numbers in few words: ``0-3, 7``."""
    groups = groupby(enumerate(sorted(clusters)), lambda pair: pair[1] - pair[0])
    runs = [[cluster for _, cluster in group] for _, group in groups]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def is_color(value: object) -> bool:
    """Whether a value is a colour as legends write them."""
    return isinstance(value, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", value) is not None


def repeated(values: Iterable[object]) -> tuple[int, int] | None:
    """Places of the first value that comes again: where it stood first, and where again."""
    first: dict[object, int] = {}
    for place, value in enumerate(values):
        if value in first:
            return first[value], place
        first[value] = place
    return None
