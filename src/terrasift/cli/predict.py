"""`terrasift predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from terrasift.cli.options import RunPath, Set

EXAMPLE = "Example: terrasift predict runs/city scene.tif --out map.tif"


def command(
    run: RunPath,
    scenes: Annotated[
        list[str], typer.Argument(metavar="SCENE...", help="Files, folders, 'patterns*.tif', or any path GDAL opens.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE|DIR", help="A .tif or .png; a folder for many scenes.")],
    clusters: Annotated[bool, typer.Option("--clusters", help="Write clusters, whatever the legend says.")] = False,
    vector: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Polygons of one scene too: .gpkg or .geojson.")
    ] = None,
    min_area: Annotated[
        float, typer.Option(metavar="M2", min=0, help="Smallest polygon, square metres (pixels without a CRS).")
    ] = 0.0,
    changes: Set = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with maps that were interrupted.")] = False,
) -> None:
    """Write a class map for each scene, on the scene's own grid."""
    from terrasift.api import Run

    opened = Run.open(run, changes or ())
    try:
        written = opened.predict_all(scenes, out, clusters=clusters, vector=vector, min_area=min_area, resume=resume)
    except KeyboardInterrupt:
        typer.echo("terrasift: interrupted; go on with the same command and --resume", err=True)
        raise typer.Exit(130) from None
    for path in (*written, *([vector] if vector else [])):
        typer.echo(f"wrote {path}")
    if clusters or not opened.is_mapped:
        typer.echo(f"next: terrasift evaluate {run} IMAGE... --masks DIR --classes FILE  (names the clusters)")
    else:
        typer.echo(f"next: open {written[-1]} in QGIS")
