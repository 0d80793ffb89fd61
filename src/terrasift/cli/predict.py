"""`terrasift predict`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from terrasift.cli.options import RunPath, Set
from terrasift.cli.outcome import Outcome

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
        bool, typer.Option("--confidence", help="Write MAP.confidence.tif too: how likely the class is, per cent.")
    ] = False,
    vector: Annotated[
        Path | None,
        typer.Option(metavar="FILE|DIR", help="Polygons too: .gpkg or .geojson; a folder for many scenes."),
    ] = None,
    probabilities: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A band for each class too, per cent: a .tif for one scene.")
    ] = None,
    min_area: Annotated[
        float, typer.Option(metavar="M2", min=0, help="Smallest region, square metres (pixels without a CRS).")
    ] = 0.0,
    changes: Set = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what stands at --out.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with maps that were interrupted; skip those that are done.")
    ] = False,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Processes of this machine (Dask).")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers compute the windows.")
    ] = None,
) -> Outcome:
    """Write a class map for each scene, on the scene's own grid."""
    from terrasift.api import Run
    from terrasift.prediction import MapOptions

    opened = Run.open(run, changes or ())
    done = opened.predict_all(
        scenes,
        out,
        MapOptions(clusters, confidence, vector, min_area, resume, probabilities),
        overwrite=overwrite,
        workers=workers,
        scheduler=scheduler,
    )
    failures = list(done.failed.values())
    if failures:
        failures.append(f"{len(failures)} of {len(failures) + len(done.maps)} scenes failed")
    follows = f"open {done.mosaic or done.maps[-1]} in QGIS" if done.maps else ""
    if clusters or not opened.is_mapped:
        follows = (
            f"terrasift legend {run} --merge-to auto  (or see them: terrasift view {run} {shlex.quote(scenes[0])})"
        )
    return Outcome(
        written=dict.fromkeys((*done.maps, *done.polygons, *filter(None, [done.mosaic, probabilities])), ""),
        failures=failures,
        next=follows,
        facts={"maps": done.maps, "polygons": done.polygons, "mosaic": done.mosaic, "failed": done.failed},
    )
