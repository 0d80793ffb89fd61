"""Legend files read; what is wrong in one is said with its line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from terrasift.errors import InputError
from terrasift.files import KeyPath, YamlText, in_words, read_yaml
from terrasift.legend.land_class import (
    CLASSIFIERS,
    COLOR_MEND,
    MOST_CLASSES,
    LandClass,
    is_color,
    name_problem,
    repeated,
)

__all__ = ["LegendContent", "check_content", "read_legend"]

_KEYS = ("classes", "ignore", "classifier", "taught", "weights")
_CLASS_KEYS = ("name", "color", "clusters")
_CLASS_MEND = 'write {name: road, color: "#808080"}, with clusters: [0, 5] if known'


class LegendContent(NamedTuple):
    """What a legend file holds."""

    classes: tuple[LandClass, ...]
    ignore: tuple[str, ...]
    classifier: int
    taught: str
    weights: str


def read_legend(
    path: str | os.PathLike[str], clusters: int | None = None, classifiers: int | None = None
) -> LegendContent:
    """Read a legend file; arguments and errors as for `Legend.load`."""
    return _checked(_Source(read_yaml(path, mend="name a classes file")), clusters, classifiers)


def check_content(where: object, content: Any) -> LegendContent:
    """The same from what such a file holds; errors begin with `where` and have no line."""
    return _checked(_Source(YamlText(where, content)), None, None)


class _Source:
    """What a file holds, and the errors about its parts."""

    def __init__(self, text: YamlText) -> None:
        self.at, self.line = text.at, text.line
        self.content: dict[Any, Any] = text.content if isinstance(text.content, dict) else {}

    def wrong(self, place: KeyPath, what: str, mend: str) -> InputError:
        """The error for a part."""
        return InputError(self.at(place), f"{in_words(place)} {what}", mend)

    def check_keys(self, place: KeyPath, value: dict[Any, Any], allowed: Sequence[str]) -> None:
        """Check that a part has no unknown keys."""
        unknown = [key for key in value if key not in allowed]
        if unknown:
            raise self.wrong((*place, str(unknown[0])), "is an unknown key", f"allowed are {', '.join(allowed)}")


def _checked(source: _Source, clusters: int | None, classifiers: int | None) -> LegendContent:
    classes = _classes(source)
    ignored = _ignored(source)
    classifier = source.content.get("classifier", 1)
    if type(classifier) is not int or classifier not in CLASSIFIERS:
        raise source.wrong(("classifier",), f"is {classifier!r}", "allowed are 1 and 2")
    if classifiers is not None and classifier > classifiers:
        raise source.wrong(("classifier",), f"is {classifier}, but the run has one", "write classifier: 1")
    taught = _name(source, "taught", "it names what `terrasift teach` wrote: leave it as it was")
    weights = _name(source, "weights", "it names weights.safetensors: leave it as it was, or out")
    _check_clusters(source, classes, None if taught else clusters)  # outputs of a taught classifier: the run knows them
    _check_distinct(source, classes, ignored)
    return LegendContent(classes, ignored, classifier, taught, weights)


def _name(source: _Source, key: str, mend: str) -> str:
    value = source.content.get(key, "")
    if not isinstance(value, str):
        raise source.wrong((key,), f"is {value!r}", mend)
    return value


def _classes(source: _Source) -> tuple[LandClass, ...]:
    listed = source.content.get("classes")
    if not isinstance(listed, list) or not listed:
        mend = 'write one line for each: - {name: road, color: "#808080"}'
        raise InputError(source.at(("classes",)), "has no list 'classes'", mend)
    source.check_keys((), source.content, _KEYS)
    if len(listed) > MOST_CLASSES:
        raise source.wrong(("classes",), f"has {len(listed)} entries", f"a class map holds at most {MOST_CLASSES}")
    return tuple(_class(source, ("classes", index), entry) for index, entry in enumerate(listed))


def _class(source: _Source, place: KeyPath, entry: Any) -> LandClass:
    if not isinstance(entry, dict) or not {"name", "color"} <= set(entry):
        raise source.wrong(place, "is not a class", _CLASS_MEND)
    source.check_keys(place, entry, _CLASS_KEYS)
    clusters = entry.get("clusters") or []
    if not isinstance(clusters, list) or not all(type(k) is int and k >= 0 for k in clusters):
        raise source.wrong((*place, "clusters"), "is not a list of cluster numbers", "write clusters: [0, 5]")
    wrong = name_problem(entry["name"])
    if wrong:
        raise source.wrong((*place, "name"), *wrong)
    return LandClass(entry["name"], _color(source, (*place, "color"), entry["color"]), tuple(clusters))


def _ignored(source: _Source) -> tuple[str, ...]:
    listed = source.content.get("ignore") or []
    if not isinstance(listed, list):
        raise source.wrong(("ignore",), "is not a list", 'write ignore: ["#000000"]')
    return tuple(_color(source, ("ignore", index), color) for index, color in enumerate(listed))


def _color(source: _Source, place: KeyPath, value: Any) -> str:
    if not is_color(value):
        raise source.wrong(place, f"{value!r} is not a colour", COLOR_MEND)
    return str(value).upper()


def _check_clusters(source: _Source, classes: Sequence[LandClass], clusters: int | None) -> None:
    for index, entry in enumerate(classes):
        for number, cluster in enumerate(entry.clusters):
            if clusters is not None and cluster >= clusters:
                place = ("classes", index, "clusters", number)
                raise source.wrong(place, f"is {cluster}", f"the clusters are 0 to {clusters - 1}")


def _check_distinct(source: _Source, classes: Sequence[LandClass], ignored: Sequence[str]) -> None:
    names: list[tuple[KeyPath, object]] = [(("classes", i, "name"), entry.name) for i, entry in enumerate(classes)]
    colors: list[tuple[KeyPath, object]] = [(("classes", i, "color"), entry.color) for i, entry in enumerate(classes)]
    colors += [(("ignore", i), color) for i, color in enumerate(ignored)]
    clusters: list[tuple[KeyPath, object]] = [
        (("classes", i, "clusters", j), cluster)
        for i, entry in enumerate(classes)
        for j, cluster in enumerate(entry.clusters)
    ]
    for what, listed in (("name", names), ("colour", colors), ("cluster", clusters)):
        again = repeated(value for _, value in listed)
        if again:
            (first, value), (place, _) = listed[again[0]], listed[again[1]]
            line = source.line(first)
            other = f"{in_words(first)} on line {line}" if line else in_words(first)
            raise source.wrong(place, f"names {what} {value} twice", f"{other} has it; give it to one class")
