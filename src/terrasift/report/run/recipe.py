"""The recipe of a run as a table: every key, its value, what it means, and what differs from the study's."""

from __future__ import annotations

import functools
import json
from typing import NamedTuple

from terrasift.recipe import Recipe, Scaling

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
    rows = []
    for key in Recipe.keys():  # noqa: SIM118  # no dictionary
        value = functools.reduce(getattr, key.name.split("."), recipe)
        if isinstance(value, Scaling):
            parts = ((f"{key.name}.{part}", field.description or "") for part, field in Scaling.model_fields.items())
            rows += [RecipeKey(name, _text(getattr(value, name.split(".")[1])), meaning, "") for name, meaning in parts]
        else:
            rows.append(
                RecipeKey(key.name, _text(value), key.meaning, "" if value == key.default else _text(key.default))
            )
    return rows


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value)
