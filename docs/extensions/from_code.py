"""Directives that write what the code knows best: `recipe-keys`, `metric-facts` and `command-help`."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from docutils.nodes import Node
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.testing import CliRunner

from terrasift.cli import app as command_line
from terrasift.metrics import FACTS
from terrasift.recipe import Recipe


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives."""
    app.add_directive("recipe-keys", RecipeKeys)
    app.add_directive("metric-facts", FactsOfMetrics)
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class _FromCode(SphinxDirective, ABC):
    """A directive that stands for Markdown made when the page is built."""

    def run(self) -> list[Node]:
        return self.parse_text_to_nodes(self.markdown(), allow_section_headings=True)

    @abstractmethod
    def markdown(self) -> str: ...


class RecipeKeys(_FromCode):
    """A table of every key of a recipe."""

    def markdown(self) -> str:
        """From the model's fields and its JSON schema."""
        rows = list(_key_rows(Recipe, Recipe.model_json_schema()))
        return _table(("key", "type", "default", "meaning"), rows)


class FactsOfMetrics(_FromCode):
    """A table of all scores, which way is better, and their range."""

    def markdown(self) -> str:
        """From `terrasift.metrics.FACTS`."""
        rows = []
        for name, facts in FACTS.items():
            better = "higher" if facts.higher_is_better else "lower"
            unit = facts.unit.strip("%")  # the values are shares
            limits = f"{facts.lower:g} to {facts.upper:g} {unit}".replace("inf", "∞").strip()
            rows.append((facts.title, facts.symbol, f"`{name}`", better, limits))
        return _table(("score", "in tables", "in Python and JSON", "better", "range"), rows)


class CommandHelp(_FromCode):
    """What `--help` prints, for the command line and each of its commands."""

    def markdown(self) -> str:
        """From the command line itself."""
        os.environ["COLUMNS"] = "80"
        names = [command.name or "" for command in command_line.registered_commands]
        return "\n".join(line for name in ("", *names) for line in _help(name))


def _key_rows(model: type[BaseModel], schema: dict[str, Any], prefix: str = "") -> Iterator[Sequence[str]]:
    """A row for each key; the keys of a group follow it, dotted."""
    properties = schema["$defs"][model.__name__]["properties"] if prefix else schema["properties"]
    for name, field in model.model_fields.items():
        group = _group(field)
        kind = "group of keys" if group else _kind(properties[name])
        yield f"`{prefix}{name}`", kind, _default(field), field.description or ""
        if group:
            yield from _key_rows(group, schema, f"{prefix}{name}.")


def _group(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a field that holds keys of its own."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _default(field: FieldInfo) -> str:
    if field.is_required() or isinstance(field.default, BaseModel):
        return ""
    return f"`{field.default if isinstance(field.default, str) else json.dumps(field.default)}`"


def _kind(node: dict[str, Any]) -> str:
    """What a value may be, in words, from its JSON schema."""
    if "anyOf" in node:
        return ", or ".join(_kind(branch) for branch in node["anyOf"])
    if "enum" in node:
        return ", ".join(f"`{choice}`" for choice in node["enum"])
    if node["type"] == "array":
        return f"list, each a {_kind(node.get('items') or node['prefixItems'][0])}"
    limits = [f"{words} {node[limit]:.10g}" for limit, words in LIMITS.items() if limit in node]
    return " ".join([KINDS[node["type"]], *limits])


KINDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "`true` or `false`",
    "null": "`null`",
}
LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}


def _help(command: str) -> list[str]:
    shown = CliRunner().invoke(command_line, [command, "--help"] if command else ["--help"], prog_name="terrasift")
    lines = [line.rstrip() for line in shown.stdout.strip("\n").splitlines()]
    return [f"### terrasift {command}".rstrip(), "", "```text", *lines, "```", ""]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
