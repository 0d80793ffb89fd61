"""`terrasift demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from terrasift.cli.outcome import Outcome

EXAMPLE = "Example: terrasift demo --out demo"


def command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for all it makes.")] = Path("demo"),
) -> Outcome:
    """Everything below on generated scenes: train, map, evaluate, and a page of pictures."""
    from terrasift.demo.walk import demo

    page = demo(out)
    return Outcome(
        written={out / "map.tif": "the class map, open it in a GIS", page: "the pictures, open them in a browser"},
        next="terrasift train IMAGE... --out RUN  (with your own images)",
    )
