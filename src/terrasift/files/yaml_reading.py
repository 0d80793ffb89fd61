"""YAML with positions: every error can say on which line it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from terrasift.errors import InputError, TerrasiftError
from terrasift.files.reading import Kind, read_text

__all__ = ["KeyPath", "YamlText", "in_words", "parse_yaml", "read_yaml"]

KeyPath: TypeAlias = tuple[int | str, ...]
"""Of a part of a text: ``("classes", 2, "color")`` is the third class's colour."""

_MOST_BYTES = 16 << 20  # a legend of 65535 classes has 5 MB
_MOST_NODES = 1_000_000  # with all aliases written out
_DEEPEST = 32
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with it


@dataclass(frozen=True)
class YamlText:
    """What a YAML text holds, and where each part of it stands.

    Attributes
    ----------
    where
        What an error begins with: the file.
    content
        Dictionaries, lists, texts, numbers, booleans, dates and None.
    root
        The parsed text; None where `content` did not come from one, and no part has a line.
    """

    where: object
    content: Any
    root: yaml.Node | None = None

    def at(self, place: KeyPath) -> str:
        """How an error about a part begins: the file, and the line where there is one."""
        line = self.line(place)
        return f"{self.where}:{line}" if line else str(self.where)

    def line(self, place: KeyPath) -> int | None:
        """Where a part begins, or else what should hold it; the first line is 1. None without a text."""
        if self.root is None:
            return None
        node, line = self.root, 1
        for step in place:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
        return line


def read_yaml(path: str | os.PathLike[str], kind: Kind = InputError, mend: str = "") -> YamlText:
    """Read a YAML file of at most 16 MB.

    Raises
    ------
    TerrasiftError
        Of the kind asked for: if the file cannot be read, is not YAML, writes a key twice, is nested deeper than 32,
        is larger than a million parts once its aliases are written out, or asks for more than plain data by a tag.
    """
    return parse_yaml(read_text(path, kind, mend, _MOST_BYTES), path, kind, mend)


def parse_yaml(text: str, where: object, kind: Kind = InputError, mend: str = "") -> YamlText:
    """The same from a text; `where` begins the line of an error."""
    try:
        _check_depth(text, where, kind)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if root is not None:
                _check_twice(root, where, kind)
                _check_size(root, where, kind)
            return YamlText(where, None if root is None else loader.construct_document(root), root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        place = f"{where}:{error.problem_mark.line + 1}" if error.problem_mark else where
        raise kind(place, f"is not YAML ({error.problem or error.context})", mend) from error
    except TerrasiftError:
        raise
    except Exception as error:  # an impossible date, a number of 5000 digits: PyYAML stumbles over values in many ways
        raise kind(where, f"is not YAML that can be read ({error})", mend) from error


def in_words(place: KeyPath) -> str:
    """A place as it is read aloud: ``classes[2].color``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


def _check_depth(text: str, where: object, kind: Kind) -> None:
    depth = 0
    event: Any
    for event in yaml.parse(text, _Loader):  # one by one: nothing is built yet, however deep
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise kind(f"{where}:{event.start_mark.line + 1}", "is nested too deep", f"allowed are {_DEEPEST} levels")


def _check_twice(root: yaml.Node, where: object, kind: Kind) -> None:
    """Of keys written twice YAML's readers keep the last one without a word."""
    stack: list[tuple[yaml.Node, KeyPath]] = [(root, ())]
    seen = set()
    while stack:
        node, place = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys: set[tuple[str, str]] = set()
            for key, value in node.value:
                name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else ("", str(id(key)))
                if name in keys:
                    line = key.start_mark.line + 1
                    raise kind(f"{where}:{line}", f"{in_words((*place, name[1]))} is written twice", "keep one")
                keys.add(name)
                stack.append((value, (*place, name[1])))
        elif isinstance(node, yaml.SequenceNode):
            stack += [(child, (*place, index)) for index, child in enumerate(node.value)]


def _check_size(root: yaml.Node, where: object, kind: Kind) -> None:
    sizes: dict[int, int] = {}
    open_: set[int] = set()

    def size(node: yaml.Node, depth: int) -> int:
        if id(node) in open_:
            raise kind(f"{where}:{node.start_mark.line + 1}", "holds itself by an alias", "write it out")
        if depth > _DEEPEST:
            raise kind(f"{where}:{node.start_mark.line + 1}", "is nested too deep by aliases", "write it out")
        if id(node) not in sizes:
            open_.add(id(node))
            children = [child for pair in node.value for child in pair] if isinstance(node, yaml.MappingNode) else ()
            children = node.value if isinstance(node, yaml.SequenceNode) else children
            sizes[id(node)] = 1 + sum(size(child, depth + 1) for child in children)
            open_.remove(id(node))
        if sizes[id(node)] > _MOST_NODES:
            what = f"has more than {_MOST_NODES:,} parts once its aliases are written out"
            raise kind(f"{where}:{node.start_mark.line + 1}", what, "use fewer")
        return sizes[id(node)]

    size(root, 0)


def _child(node: yaml.Node, step: int | str) -> tuple[yaml.Node, int] | None:
    """A part of a part, and its line."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark.line + 1
    return None
