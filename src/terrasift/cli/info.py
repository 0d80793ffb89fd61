"""`terrasift info`."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLE = "Examples: terrasift info scene.tif; terrasift info paper; terrasift info runs/city"


def command(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A raster, a recipe's name or file, or a run's folder.")],
) -> None:
    """Say what a raster, a recipe or a run is."""
    from terrasift.report.describe import describe

    typer.echo(describe(path))
