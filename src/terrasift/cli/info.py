"""`terrasift info`."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLE = "Examples: terrasift info scene.tif; terrasift info paper; terrasift info runs/city --report"


def command(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A raster, a recipe's name or file, or a run's folder.")],
    report: Annotated[bool, typer.Option("--report", help="Write a run's report.html, anew if it is there.")] = False,
) -> None:
    """Say what a raster, a recipe or a run is."""
    from terrasift.report.describe import describe

    typer.echo(describe(path))
    if report:
        from terrasift.api import Run
        from terrasift.report.run import write_run_report

        typer.echo(f"wrote {write_run_report(Run.open(path))}: open it in a browser")
