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
    changes: Set = None,
) -> None:
    """Write a class map for each scene, on the scene's own grid."""
    from terrasift.api import Run

    opened = Run.open(run, changes or ())
    written = opened.predict_all(scenes, out, clusters=clusters)
    for path in written:
        typer.echo(f"wrote {path}")
    if clusters or not opened.is_mapped:
        typer.echo(f"next: terrasift evaluate {run} IMAGE... --masks DIR --classes FILE  (names the clusters)")
    else:
        typer.echo(f"next: open {written[-1]} in QGIS")
