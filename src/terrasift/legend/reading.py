"""Legend files read; what is wrong in one is said with its line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from terrasift.errors import InputError
from terrasift.legend.land_class import CLASSIFIERS, COLOR_MEND, MOST_CLASSES, LandClass, is_color, repeated

__all__ = ["LegendContent", "check_content", "read_legend"]

_KEYS = ("classes", "ignore", "classifier", "taught")
_CLASS_KEYS = ("name", "color", "clusters")
_CLASS_MEND = 'write {name: road, color: "#808080"}, with clusters: [0, 5] if known'

_Place = tuple[int | str, ...]
"""Of a part of a file: ``("classes", 2, "color")`` is the third class's colour."""


class LegendContent(NamedTuple):
    """What a legend file holds."""

    classes: tuple[LandClass, ...]
    ignore: tuple[str, ...]
    classifier: int
    taught: str


def read_legend(
    path: str | os.PathLike[str], clusters: int | None = None, classifiers: int | None = None
) -> LegendContent:
    """Read a legend file; arguments and errors as for `Legend.load`."""
    try:
        loader = yaml.SafeLoader(Path(path).read_text(encoding="utf-8"))
        root = loader.get_single_node()
        content = loader.construct_document(root) if root is not None else None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "name a classes file") from error
    except yaml.MarkedYAMLError as error:
        where = f"{path}:{error.problem_mark.line + 1}" if error.problem_mark else path
        raise InputError(where, f"is not YAML ({error.problem or error.context})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(path, f"is not YAML ({error})") from error
    return _checked(_Source(path, content, root), clusters, classifiers)


def check_content(where: object, content: Any) -> LegendContent:
    """The same from what such a file holds; errors begin with `where` and have no line."""
    return _checked(_Source(where, content), None, None)


class _Source:
    """What a file holds, and on which line each part of it stands."""

    def __init__(self, where: object, content: Any, root: yaml.Node | None = None) -> None:
        self._where = where
        self._root = root
        self.content: dict[Any, Any] = content if isinstance(content, dict) else {}

    def wrong(self, place: _Place, what: str, mend: str) -> InputError:
        """The error for a part."""
        return InputError(self.at(place), f"{_words(place)} {what}", mend)

    def at(self, place: _Place) -> object:
        """How an error about a part begins: the file, and the line."""
        line = self.line(place)
        return f"{self._where}:{line}" if line else self._where

    def line(self, place: _Place) -> int | None:
        """Where a part begins, or else what should hold it; the first line is 1. None without a file."""
        if self._root is None:
            return None
        node, line = self._root, 1
        for step in place:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
        return line

    def check_keys(self, place: _Place, value: dict[Any, Any], allowed: Sequence[str]) -> None:
        """Check that a part has no unknown keys, and none twice."""
        unknown = [key for key in value if key not in allowed]
        if unknown:
            raise self.wrong((*place, str(unknown[0])), "is an unknown key", f"allowed are {', '.join(allowed)}")
        node = self._root
        for step in place:
            node = (_child(node, step) or (None, 0))[0]
        if isinstance(node, yaml.MappingNode) and len(node.value) > len(value):
            key = next(key.value for index, (key, _) in enumerate(node.value) if _comes_again(node, index))
            raise self.wrong((*place, key), "is written twice", "keep one")


def _comes_again(node: yaml.MappingNode, index: int) -> bool:
    return any(node.value[index][0].value == key.value for key, _ in node.value[index + 1 :])


def _child(node: yaml.Node | None, step: int | str) -> tuple[yaml.Node, int] | None:
    """A part of a part, and its line."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark.line + 1
    return None


def _words(place: _Place) -> str:
    """As it is read aloud: classes[2].color."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


def _checked(source: _Source, clusters: int | None, classifiers: int | None) -> LegendContent:
    classes = _classes(source)
    ignored = _ignored(source)
    classifier = source.content.get("classifier", 1)
    if type(classifier) is not int or classifier not in CLASSIFIERS:
        raise source.wrong(("classifier",), f"is {classifier!r}", "allowed are 1 and 2")
    if classifiers is not None and classifier > classifiers:
        raise source.wrong(("classifier",), f"is {classifier}, but the run has one", "write classifier: 1")
    taught = source.content.get("taught", "")
    if not isinstance(taught, str):
        raise source.wrong(("taught",), f"is {taught!r}", "it names what `terrasift teach` wrote: leave it as it was")
    _check_clusters(source, classes, None if taught else clusters)  # outputs of a taught classifier: the run knows them
    _check_distinct(source, classes, ignored)
    return LegendContent(classes, ignored, classifier, taught)


def _classes(source: _Source) -> tuple[LandClass, ...]:
    listed = source.content.get("classes")
    if not isinstance(listed, list) or not listed:
        mend = 'write one line for each: - {name: road, color: "#808080"}'
        raise InputError(source.at(("classes",)), "has no list 'classes'", mend)
    source.check_keys((), source.content, _KEYS)
    if len(listed) > MOST_CLASSES:
        raise source.wrong(("classes",), f"has {len(listed)} entries", f"a class map holds at most {MOST_CLASSES}")
    return tuple(_class(source, ("classes", index), entry) for index, entry in enumerate(listed))


def _class(source: _Source, place: _Place, entry: Any) -> LandClass:
    if not isinstance(entry, dict) or not {"name", "color"} <= set(entry):
        raise source.wrong(place, "is not a class", _CLASS_MEND)
    source.check_keys(place, entry, _CLASS_KEYS)
    clusters = entry.get("clusters") or []
    if not isinstance(clusters, list) or not all(type(k) is int and k >= 0 for k in clusters):
        raise source.wrong((*place, "clusters"), "is not a list of cluster numbers", "write clusters: [0, 5]")
    return LandClass(str(entry["name"]), _color(source, (*place, "color"), entry["color"]), tuple(clusters))


def _ignored(source: _Source) -> tuple[str, ...]:
    listed = source.content.get("ignore") or []
    if not isinstance(listed, list):
        raise source.wrong(("ignore",), "is not a list", 'write ignore: ["#000000"]')
    return tuple(_color(source, ("ignore", index), color) for index, color in enumerate(listed))


def _color(source: _Source, place: _Place, value: Any) -> str:
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
    names: list[tuple[_Place, object]] = [(("classes", i, "name"), entry.name) for i, entry in enumerate(classes)]
    colors: list[tuple[_Place, object]] = [(("classes", i, "color"), entry.color) for i, entry in enumerate(classes)]
    colors += [(("ignore", i), color) for i, color in enumerate(ignored)]
    clusters: list[tuple[_Place, object]] = [
        (("classes", i, "clusters", j), cluster)
        for i, entry in enumerate(classes)
        for j, cluster in enumerate(entry.clusters)
    ]
    for what, listed in (("name", names), ("colour", colors), ("cluster", clusters)):
        again = repeated(value for _, value in listed)
        if again:
            (first, value), (place, _) = listed[again[0]], listed[again[1]]
            line = source.line(first)
            other = f"{_words(first)} on line {line}" if line else _words(first)
            raise source.wrong(place, f"names {what} {value} twice", f"{other} has it; give it to one class")
