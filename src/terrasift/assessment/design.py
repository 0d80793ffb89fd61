"""How a sample is to be drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrasift.assessment.allocation import Allocation, allocate, points_needed
from terrasift.assessment.strata import Stratum
from terrasift.errors import SettingError

__all__ = ["SampleDesign", "parse_expected"]


@dataclass(frozen=True)
class SampleDesign:
    """How a stratified random sample of a map's pixels is drawn.

    Attributes
    ----------
    per_class, total, standard_error
        One of them says how many points: in each stratum; in all; or as many as give overall accuracy this standard
        error by Olofsson et al. (2014), eq. 13.
    allocation
        Of points to strata: ``equal``; ``proportional`` to their pixels; ``neyman``, to pixels times the standard
        deviation that `expected` lets expect (Cochran 1977, eq. 5.26). Each stratum gets two at least.
    expected
        User's accuracy that the strata may have, one number or by name; without it 0.5, which needs the most points.
    clusters
        The map shows clusters that are no classes yet: its strata are groups of them, each of 5 % of the map at least.
    classes
        A classes file that names the map's values, or with `clusters` the classes to label with.
    seed
        Of the draw.

    Raises
    ------
    SettingError
        If not exactly one number says how many points, or it is not above 0.
    """

    per_class: int | None = None
    total: int | None = None
    standard_error: float | None = None
    allocation: Allocation = "proportional"
    expected: float | Mapping[str, float] | None = None
    clusters: bool = False
    classes: str | os.PathLike[str] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        names = ("per_class", "total", "standard_error")
        numbers = {name: value for name in names if (value := getattr(self, name)) is not None}
        if len(numbers) != 1:
            mend = "give `per_class`, `total` or `standard_error`"
            raise SettingError("how many points", "is not said by exactly one number", mend)
        for name, value in numbers.items():
            if not value > 0:
                raise SettingError(name, f"{value:g} is not above 0", "give a number above 0")

    def points(self, strata: Sequence[Stratum]) -> NDArray[np.int64]:
        """(H,): how many each stratum gets; SettingError if `expected` does not fit them, or they are too small."""
        pixels, accuracies = np.array([stratum.pixels for stratum in strata]), self._accuracies(strata)
        if self.per_class is not None:
            return np.asarray(np.minimum(pixels, self.per_class))
        number = self.total or 0
        if self.standard_error is not None:
            assumed = np.full(len(strata), _WORST) if accuracies is None else accuracies
            number = points_needed(pixels, assumed, self.standard_error)
        return allocate(pixels, number, self.allocation, accuracies)

    def _accuracies(self, strata: Sequence[Stratum]) -> NDArray[np.float64] | None:
        if self.expected is None:
            return None
        names = [stratum.name for stratum in strata]
        given = dict(self.expected) if isinstance(self.expected, Mapping) else dict.fromkeys(names, self.expected)
        for name, value in given.items():
            if name not in names:
                raise SettingError("expected", f"{name} is no stratum of the map", f"they are {', '.join(names)}")
            if not 0 <= value <= 1:
                raise SettingError("expected", f"{name}: {value:g} is no accuracy", "give a number from 0 to 1")
        missing = [name for name in names if name not in given]
        if missing:
            raise SettingError("expected", f"says nothing of {', '.join(missing)}", "give the accuracy of every class")
        return np.array([given[name] for name in names], np.float64)


_WORST = 0.5  # the accuracy that needs the most points


def parse_expected(texts: Sequence[str]) -> float | dict[str, float] | None:
    """Accuracies to expect as a command takes them: one number, or ``CLASS=NUMBER`` each; None for none.

    Examples
    --------
    >>> parse_expected(["0.8"]), parse_expected(["wood=0.9", "water=1"])
    (0.8, {'wood': 0.9, 'water': 1.0})

    Raises
    ------
    SettingError
        If a number is none, or numbers with and without a class are mixed.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise SettingError("expected", f"{text!r} is no accuracy", "write 0.8, or forest=0.8") from None
    if "" in found:
        if len(texts) > 1:
            raise SettingError("expected", "is one number and others too", "give one for all, or one of each class")
        return found[""]
    return found or None
