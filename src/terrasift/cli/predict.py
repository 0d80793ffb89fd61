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
        list[str],
        typer.Argument(metavar="SCENE...", help="Files, folders, 'patterns*.tif', lists.txt, or any path GDAL opens."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE|DIR", help="A .tif or .png; a folder for many scenes.")],
    clusters: Annotated[bool, typer.Option("--clusters", help="Write clusters, whatever the legend says.")] = False,
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Write MAP.confidence.tif too: the winner's softmax, per cent.")
    ] = False,
    vector: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Polygons of one scene too: .gpkg or .geojson.")
    ] = None,
    min_area: Annotated[
        float, typer.Option(metavar="M2", min=0, help="Smallest region, square metres (pixels without a CRS).")
    ] = 0.0,
    changes: Set = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with maps that were interrupted; skip those that are done.")
    ] = False,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Processes of this machine (Dask).")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers compute the windows.")
    ] = None,
) -> None:
    """Write a class map for each scene, on the scene's own grid."""
    from terrasift.api import Run

    opened = Run.open(run, changes or ())
    try:
        done = opened.predict_all(
            scenes,
            out,
            clusters=clusters,
            confidence=confidence,
            vector=vector,
            min_area=min_area,
            resume=resume,
            workers=workers,
            scheduler=scheduler,
        )
    except KeyboardInterrupt:
        typer.echo("terrasift: interrupted; go on with the same command and --resume", err=True)
        raise typer.Exit(130) from None
    for path in (*done.maps, *([vector] if vector else []), *([done.mosaic] if done.mosaic else [])):
        typer.echo(f"wrote {path}")
    if done.failed:
        for line in done.failed.values():
            typer.echo(f"terrasift: {line}", err=True)
        typer.echo(f"terrasift: {len(done.failed)} of {len(done.failed) + len(done.maps)} scenes failed", err=True)
        raise typer.Exit(2)
    if clusters or not opened.is_mapped:
        typer.echo(f"next: terrasift evaluate {run} IMAGE... --masks DIR --classes FILE  (names the clusters)")
    else:
        typer.echo(f"next: open {done.mosaic or done.maps[-1]} in QGIS")
