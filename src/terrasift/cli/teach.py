"""`terrasift teach`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrasift.cli.options import RunPath
from terrasift.cli.outcome import Outcome

if TYPE_CHECKING:
    from terrasift.api import Run
    from terrasift.teaching import MapPoint, Taught

EXAMPLE = "Examples: terrasift teach runs/city clicks.gpkg; terrasift teach runs/city --suggest 20 --out next.gpkg"


def command(
    run: RunPath,
    labels: Annotated[
        str | None,
        typer.Argument(
            metavar="[LABELS]",
            help="Points or polygons with a column `class` (.gpkg, .geojson, .shp), a CSV of x, y, class, or sparse "
            "masks; else those clicked in `terrasift view`.",
        ),
    ] = None,
    scenes: Annotated[
        list[str] | None,
        typer.Option("--scene", metavar="SCENE", help="Where labels are sought; else the training images. Repeatable."),
    ] = None,
    classes: Annotated[
        Path | None, typer.Option("--classes", metavar="FILE", help="Names and colours of the classes.")
    ] = None,
    suggest: Annotated[
        int | None, typer.Option("--suggest", metavar="N", min=1, help="Say where N more labels would help most.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where those go: .gpkg, .geojson or .csv.")
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the legend before this one; again takes this one.")
    ] = False,
) -> Outcome:
    """Teach a run your classes by a few labelled points or polygons."""
    from terrasift.api import Run
    from terrasift.errors import SettingError
    from terrasift.teaching import check_points_path, write_points

    if (suggest is None) != (out is None):
        given, lacks = ("--suggest", "--out FILE") if suggest else ("--out", "--suggest N")
        raise SettingError(given, f"needs {lacks}", "suggestions are points written to a file")
    if undo and (labels or suggest):
        raise SettingError("--undo", "teaches nothing", "give it alone")
    if out is not None:
        check_points_path(out)
    opened = Run.open(run)
    if undo:
        return _undone(opened)
    taught, points = None, []
    if labels is not None or suggest is None:
        taught = opened.teach(labels, scenes=scenes or None, classes=classes)
    if suggest is not None:
        points = taught.suggest(suggest) if taught else opened.suggest(suggest, scenes=scenes or None)
    if out is not None:
        write_points(out, points)
    return _outcome(opened, taught, points, out)


def _undone(run: Run) -> Outcome:
    from terrasift.errors import some_of

    legend = run.undo_legend()
    return Outcome(
        shown=[f"the legend is again: {some_of(legend.names)}"],
        written={run.legend_file: ""},
        next=f"terrasift predict {run.path} SCENE --out map.tif",
        facts={"classes": legend.names, "taught": bool(legend.taught)},
    )


def _outcome(run: Run, taught: Taught | None, points: list[MapPoint], out: Path | None) -> Outcome:
    from terrasift.report.terminal.teach import teach_table

    written = {out: f"{len(points)} places to label next: fill in their column `class`"} if out else {}
    follows = f"open {out} in QGIS, then: terrasift teach {run.path} {out}"
    if taught is not None:
        written = {run.legend_file: "", run.taught_file: ""} | written
        follows = f"terrasift predict {run.path} SCENE --out map.tif"
    return Outcome(
        shown=[teach_table(taught), *taught.remarks] if taught else [],
        written=written,
        lines=[f"the legend before this one: terrasift teach {run.path} --undo"] if taught else [],
        next=follows,
        facts=taught.to_dict() if taught else {},
        content={"suggestions": [point.to_dict() for point in points]} if out else {},
    )
