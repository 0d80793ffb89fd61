"""`terrasift train`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from terrasift.cli.options import ImagesArgument, Set
from terrasift.cli.outcome import Outcome

EXAMPLE = "Example: terrasift train 'ortho/*.tif' --out runs/city --recipe default --set clusters=50"


def command(
    images: ImagesArgument,
    out: Annotated[Path, typer.Option("--out", metavar="RUN", help="Folder of the run.")],
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="paper, default, demo, or a YAML file; else default."),
    ] = None,
    changes: Set = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where superpixels are kept for the next run.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep no superpixels once the run is trained.")] = False,
    cache_limit: Annotated[float, typer.Option(metavar="GB", min=0, help="Largest size of that cache.")] = 10.0,
) -> Outcome | None:
    """Train a network on images that nobody has labelled."""
    from terrasift.api import train
    from terrasift.recipe import Recipe
    from terrasift.report.run import report_on

    trained = train(
        images,
        out,
        Recipe.load(recipe or "default", changes or ()) if recipe or changes else None,
        resume=resume,
        cache=cache,
        use_cache=not no_cache,
        cache_limit=cache_limit * 1e9,
    )
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return None  # one of several processes of a training: the first speaks for all
    page = report_on(trained)
    return Outcome(
        written={trained.path: ""} | ({page: "open it in a browser"} if page else {}),
        next=f"terrasift predict {trained.path} SCENE --out map.tif",
        facts={"run": trained.path, "seconds": trained.training_seconds},
    )
