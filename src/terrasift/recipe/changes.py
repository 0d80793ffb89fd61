"""Single settings changed: a dictionary in Python, ``KEY=VALUE`` on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from terrasift.errors import SettingError, TerrasiftError
from terrasift.files import KeyPath, parse_yaml

__all__ = ["Changes", "apply_changes"]

Changes: TypeAlias = Mapping[str, Any] | Sequence[str]
"""``{"clusters": 50, "refinement.area": 64}``, or ``["clusters=50", "refinement.area=64"]``. A dictionary inside stands
for the keys of a group: ``{"refinement": {"area": 64}}`` leaves the group's other keys alone."""


def apply_changes(tree: dict[str, Any], changes: Changes) -> set[KeyPath]:
    """Change keys of a tree; which ones they were.

    Raises
    ------
    SettingError
        If a change is not written as one. What the keys and values may be is the recipe's to say.
    """
    if isinstance(changes, str):
        raise SettingError("changes", f"is the text {changes!r}", 'write a dictionary: {"clusters": 50}')
    pairs = changes.items() if isinstance(changes, Mapping) else map(_parsed, changes)
    changed = [pair for key, value in pairs for pair in _leaves(str(key), value)]
    for place, value in changed:
        _set(tree, place, value)
    return {place for place, _ in changed}


def _parsed(change: str) -> tuple[str, Any]:
    key, separator, text = change.partition("=")
    if not separator or not key:
        raise SettingError(change, "is not KEY=VALUE", "write it so: refinement.area=64")
    try:
        return key, parse_yaml(text, key).content
    except TerrasiftError as error:
        raise SettingError(key, f"{text!r} is not a YAML value", "quote it") from error


def _leaves(key: str, value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for below, inner in value.items():
            yield from _leaves(f"{key}.{below}", inner)
    elif isinstance(value, os.PathLike):
        yield tuple(key.split(".")), os.fspath(value)
    else:
        yield (
            tuple(key.split(".")),
            value.tolist() if hasattr(value, "tolist") else value,
        )  # NumPy's numbers are numbers


def _set(tree: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    *parents, last = place
    for parent in parents:
        below = tree.setdefault(parent, {})
        if not isinstance(below, dict):
            below = tree[parent] = {}
        tree = below
    tree[last] = value
