"""Legends changed: each operation gives a new one, checked."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import SettingError, some_of
from terrasift.legend.colours import class_colors, is_automatic, named_color
from terrasift.legend.land_class import COLOR_MEND, LandClass, is_color, name_problem
from terrasift.legend.legend import Legend

__all__ = [
    "color_by_name",
    "find_class",
    "join_classes",
    "legend_of_groups",
    "recolor_class",
    "rename_class",
    "split_cluster",
]


def legend_of_groups(mapping: NDArray[np.integer[Any]], classifier: int = 1, ignore: Sequence[str] = ()) -> Legend:
    """A legend of classes that have no names yet: ``class 0``, ``class 1``...

    Parameters
    ----------
    mapping
        (K,), class of each cluster, from 0 on; -1 for none.
    classifier
        Whose clusters they are.
    ignore
        Colours that the legend ignores, and the classes do not get.
    """
    count = int(mapping.max()) + 1
    classes = tuple(
        LandClass(f"class {index}", color, tuple(np.flatnonzero(mapping == index).tolist()))
        for index, color in enumerate(class_colors(count, ignore))
    )
    return Legend(classes, tuple(ignore), classifier)


def find_class(legend: Legend, text: str) -> int:
    """Index of the class of that name, or of that index; SettingError if there is neither."""
    if text in legend.names:
        return legend.names.index(text)
    if text.isdecimal() and int(text) < len(legend.classes):
        return int(text)
    listed = some_of([f"{index} {name}" for index, name in enumerate(legend.names)], 12)
    raise SettingError("legend", f"has no class {text!r}", f"its classes are {listed}")


def rename_class(legend: Legend, index: int, name: str) -> Legend:
    """Give a class another name; SettingError if it is none (`name_problem`), or another class's."""
    wrong = name_problem(name)
    if wrong:
        raise SettingError("legend", f"cannot call a class {name!r}: the name {wrong[0]}", wrong[1])
    if name in legend.names and legend.names.index(name) != index:
        raise SettingError("legend", f"has a class {name!r} already", "join the two, or use another name")
    return _with(legend, index, name=name)


def recolor_class(legend: Legend, index: int, color: str) -> Legend:
    """Give a class another colour; SettingError if it is none, or is taken."""
    if not is_color(color):
        raise SettingError("legend", f"{color!r} is not a colour", COLOR_MEND)
    color = color.upper()
    others = [entry.color for place, entry in enumerate(legend.classes) if place != index]
    if color in (*others, *legend.ignore):
        owner = f"that of {_owner(legend, color)}" if color in others else "ignored"
        raise SettingError("legend", f"colour {color} is {owner} already", "use another")
    return _with(legend, index, color=color)


def color_by_name(legend: Legend, index: int) -> Legend:
    """Give a class the colour that its name stands for, if it stands for one and nobody has chosen another."""
    entry = legend.classes[index]
    taken = [*(other.color for place, other in enumerate(legend.classes) if place != index), *legend.ignore]
    color = named_color(entry.name, taken) if is_automatic(entry.color, entry.clusters) else None
    return legend if color is None else _with(legend, index, color=color)


def join_classes(legend: Legend, indices: Sequence[int]) -> Legend:
    """Put the clusters of several classes into the first one named; the others go."""
    first, *others = dict.fromkeys(indices)
    if not others:
        raise SettingError("legend", f"class {legend.names[first]!r} cannot be joined with itself", "name two")
    clusters = itertools.chain.from_iterable(legend.classes[index].clusters for index in (first, *others))
    joined = _with(legend, first, clusters=tuple(sorted(clusters)))
    classes = tuple(entry for index, entry in enumerate(joined.classes) if index not in others)
    return dataclasses.replace(legend, classes=classes)


def split_cluster(legend: Legend, cluster: int) -> Legend:
    """Take a cluster out of its class, if any, into a new one, the last; SettingError if it is alone in its class."""
    holder = next((index for index, entry in enumerate(legend.classes) if cluster in entry.clusters), None)
    if holder is not None:
        left = tuple(other for other in legend.classes[holder].clusters if other != cluster)
        if not left:
            name = legend.names[holder]
            raise SettingError("legend", f"cluster {cluster} is alone in class {name!r}", "there is nothing to split")
        legend = _with(legend, holder, clusters=left)
    taken = [*(entry.color for entry in legend.classes), *legend.ignore]
    new = LandClass(_free_name(legend, f"cluster {cluster}"), class_colors(1, taken)[0], (cluster,))
    return dataclasses.replace(legend, classes=(*legend.classes, new))


def _with(legend: Legend, index: int, **changes: Any) -> Legend:
    classes = list(legend.classes)
    classes[index] = dataclasses.replace(classes[index], **changes)
    return dataclasses.replace(legend, classes=tuple(classes))


def _owner(legend: Legend, color: str) -> str:
    return next(entry.name for entry in legend.classes if entry.color == color)


def _free_name(legend: Legend, name: str) -> str:
    names = itertools.chain([name], (f"{name} ({number})" for number in itertools.count(2)))
    return next(candidate for candidate in names if candidate not in legend.names)
