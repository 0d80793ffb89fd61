"""Recipes as YAML: written with every key and what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel

__all__ = ["lines_of"]


def lines_of(settings: BaseModel, indent: str = "") -> Iterator[str]:
    """The lines of a tree of settings."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield f"{indent}{name}:  # {field.description}"
            yield from lines_of(value, indent + "  ")
        else:
            yield f"{indent}{name}: {_scalar(value)}  # {field.description}"


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        return repr(value) if "e" not in repr(value) or "." in repr(value) else repr(value).replace("e", ".0e")
    if isinstance(value, tuple):
        entries = [json.dumps(entry) if isinstance(entry, str) else _scalar(entry) for entry in value]
        return f"[{', '.join(entries)}]"
    return str(yaml.safe_dump(value, width=10_000)).removesuffix("\n").removesuffix("\n...")
