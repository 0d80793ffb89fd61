"""`terrasift info`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from terrasift.cli.outcome import Outcome

EXAMPLE = "Examples: terrasift info scene.tif; terrasift info runs/city --report; terrasift info map.tif --areas"


def command(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A raster, a recipe's name or file, or a run's folder.")],
    report: Annotated[bool, typer.Option("--report", help="Write a run's report.html, anew if it is there.")] = False,
    areas: Annotated[bool, typer.Option("--areas", help="Say how much ground each class of a map covers.")] = False,
    zones: Annotated[
        Path | None, typer.Option(metavar="FILE", help="And in each polygon of this file; by its column 'name'.")
    ] = None,
) -> Outcome:
    """Say what a raster, a recipe or a run is."""
    from terrasift.raster import class_areas, is_soon_counted
    from terrasift.report.terminal.describe import describe

    shown, written = [describe(path)], {}
    facts: dict[str, Any] = {"text": shown[0]}
    if areas or zones or is_soon_counted(path):
        from terrasift.report.terminal.areas import area_lines

        found = class_areas(path, zones)
        shown += area_lines(found)
        facts["areas"] = found.to_dict()
    if report:
        from terrasift.api import Run

        written[Run.open(path).report()] = "open it in a browser"
    return Outcome(shown, written, facts=facts)
