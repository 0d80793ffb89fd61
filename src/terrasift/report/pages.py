"""Pages: one HTML file each, which needs no other file and no network to be looked at."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["render"]


def render(template: str, **content: Any) -> str:
    """A template, named by its path inside the package, filled; whatever is filled in is text, never markup."""
    environment = Environment(
        loader=PackageLoader("terrasift", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**content)
