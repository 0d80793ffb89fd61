"""`terrasift demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: terrasift demo --out demo"


def command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for all it makes.")] = Path("demo"),
) -> None:
    """Everything below on generated scenes: train, map, evaluate, and a page of pictures."""
    from terrasift.report.demo import demo

    page = demo(out)
    typer.echo(f"wrote {out / 'map.tif'}, the class map: open it in a GIS")
    typer.echo(f"wrote {page}, the pictures: open it in a browser")
    typer.echo("next: terrasift train IMAGE... --out RUN  (with your own images)")
