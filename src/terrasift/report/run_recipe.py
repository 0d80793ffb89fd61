"""The recipe of a run as a table: every key, its value, what it means, and what differs from the study's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from terrasift.recipe import Recipe

__all__ = ["RecipeKey", "recipe_keys"]


class RecipeKey(NamedTuple):
    """One setting."""

    key: str
    """Dotted."""
    value: str
    meaning: str
    default: str
    """What it would be if nobody had set it; empty where it is that."""


def recipe_keys(recipe: Recipe) -> list[RecipeKey]:
    """Every key of a recipe in its order; the measured scaling is no choice, and differs from nothing."""
    return list(_keys(recipe, Recipe(), ""))


def _keys(settings: BaseModel, defaults: BaseModel | None, prefix: str) -> Iterator[RecipeKey]:
    for name, field in type(settings).model_fields.items():
        value, default = getattr(settings, name), getattr(defaults, name, None)
        if isinstance(value, BaseModel):
            yield from _keys(value, default, f"{prefix}{name}.")
        else:
            other = "" if defaults is None or value == default else _text(default)
            yield RecipeKey(f"{prefix}{name}", _text(value), field.description or "", other)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value)
