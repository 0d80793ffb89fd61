"""What is wrong with a recipe, in words, and what its keys may be: both from its schema."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from terrasift.errors import SettingError
from terrasift.files import KeyPath

__all__ = ["Key", "explain", "keys_of"]


class Key(NamedTuple):
    """One setting of a recipe."""

    name: str
    """Dotted."""
    meaning: str
    allowed: str
    """What it may be, in words."""
    default: Any


def keys_of(model: type[BaseModel]) -> list[Key]:
    """Every key of a tree of settings, in its order."""
    schema = model.model_json_schema()
    return list(_walk(model, schema, schema, ""))


def _walk(model: type[BaseModel], node: dict[str, Any], schema: dict[str, Any], prefix: str) -> Iterator[Key]:
    properties = _keys(node, schema)
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from _walk(type(field.default), properties[name], schema, f"{prefix}{name}.")
        else:
            allowed = _allowed(properties[name], schema)
            yield Key(f"{prefix}{name}", field.description or "", allowed, field.default)


def explain(model: type[BaseModel], at: Callable[[KeyPath], str], error: ValidationError) -> SettingError:
    """The first thing that is wrong, and how many more there are; `at` says how a line about a key begins."""
    problems = error.errors()
    first = problems[0]
    schema = model.model_json_schema()
    key, node = _key_at(first["loc"], schema)
    wrong_keys = {_wrong_key(problem, schema) for problem in problems}
    others = f" (and {len(wrong_keys) - 1} more wrong keys)" if len(wrong_keys) > 1 else ""
    if first["type"] == "value_error":
        return SettingError(at(tuple(key)), f"{first['ctx']['error']}{others}")
    if first["type"] in _NO_KEY:
        wrong, allowed = str(first["loc"][-1]), sorted(_keys(node, schema))
        elsewhere = [
            f"{parent}.{wrong}" for parent, child in _keys(schema, schema).items() if wrong in _keys(child, schema)
        ]
        near = elsewhere or difflib.get_close_matches(wrong, allowed, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return SettingError(
            f"{at((*key, wrong))}: {'.'.join([*key, _short(wrong)])}",
            f"is not a key{others}",
            f"{hint}allowed: {', '.join(allowed)}",
        )
    problem = "is missing" if first["type"] == "missing" else f"{_shown(first['input'])} is wrong"
    return SettingError(
        f"{at(tuple(key))}: {'.'.join(key)}", f"{problem}{others}", f"allowed: {_allowed(node, schema)}"
    )


def _shown(value: Any) -> str:
    try:
        return _short(json.dumps(value, default=str))
    except (TypeError, ValueError):  # a date as a key
        return _short(repr(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_LONGEST = 80


_NO_KEY = ("extra_forbidden", "invalid_key")


def _wrong_key(problem: ErrorDetails, schema: dict[str, Any]) -> str:
    unknown = problem["loc"][-1:] if problem["type"] in _NO_KEY else ()
    return ".".join(map(str, [*_key_at(problem["loc"], schema)[0], *unknown]))


def _key_at(location: Sequence[int | str], schema: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The key that pydantic's location is in, and its schema."""
    node, key = schema, []
    for part in location:  # items of lists and branches of unions stand in it too: they are not part of a key
        keys = _keys(node, schema)
        if part in keys:
            node = keys[str(part)]
            key.append(str(part))
    return key, node


def _keys(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for branch in node.get("anyOf", [node]):
        resolved = _resolve(branch, schema)
        if "properties" in resolved:
            return dict(resolved["properties"])
    return {}


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return dict(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]) if "$ref" in node else node


def _allowed(node: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a value may be, in words, from its JSON schema."""
    node = _resolve(node, schema)
    if "anyOf" in node:
        return " or ".join(_allowed(branch, schema) for branch in node["anyOf"])
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return ", ".join(map(str, node["enum"]))
    if "properties" in node:
        return f"the keys {', '.join(node['properties'])}"
    if node.get("type") == "array":
        if "prefixItems" in node:
            return f"a list of {len(node['prefixItems'])}, each {_allowed(node['prefixItems'][0], schema)}"
        return f"a list, each {_allowed(node['items'], schema)}"
    limits = [f"{words} {node[name]:.10g}" for name, words in _LIMITS.items() if name in node]
    return " ".join([_TYPES[node["type"]], " ".join(limits)]).strip()


_LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
}
