"""`terrasift train`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from terrasift.cli.options import Images, Set

EXAMPLE = "Example: terrasift train 'ortho/*.tif' --out runs/city --recipe default --set clusters=50"


def command(
    images: Images,
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
) -> None:
    """Train a network on images that nobody has labelled."""
    from terrasift.api import train
    from terrasift.recipe import Recipe
    from terrasift.report.run import report_on

    try:
        run = train(
            images,
            out,
            Recipe.load(recipe or "default", changes or ()) if recipe or changes else None,
            resume=resume,
            cache=cache,
            use_cache=not no_cache,
            cache_limit=round(cache_limit * 1e9),
        )
    except KeyboardInterrupt:
        begun = (out / "recipe.yaml").exists()
        mend = "go on with the same command and --resume" if begun else "training had not begun: start it anew"
        typer.echo(f"terrasift: interrupted; {mend}", err=True)
        raise typer.Exit(130) from None
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return  # one of several processes of a training: the first speaks for all
    page = report_on(run)
    typer.echo(f"wrote {run.path}")
    if page:
        typer.echo(f"wrote {page}: open it in a browser")
    typer.echo(f"next: terrasift predict {run.path} SCENE --out map.tif")
