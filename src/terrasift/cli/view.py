"""`terrasift view`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from terrasift.cli.options import RunPath
from terrasift.cli.outcome import Outcome
from terrasift.errors import not_installed

EXAMPLE = "Example: terrasift view runs/city ortho/sheet_7.tif"


def command(
    run: RunPath,
    scenes: Annotated[
        list[str], typer.Argument(metavar="SCENE...", help="Files, folders, 'patterns*.tif', or any path GDAL opens.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE|DIR", help="Where exported maps go.", show_default="RUN/maps")
    ] = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0: a free one.")] = 0,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Listen there; any but the default lets other machines in.")
    ] = "127.0.0.1",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, and leave it at that.")] = False,
) -> Outcome:
    """See scenes and their clusters in the browser, and name them."""
    from terrasift.viewer.sockets import bound_socket

    bound_socket(host, port).close()  # what is wrong with it is said before anything is loaded
    from terrasift.api import Run

    try:
        from terrasift.viewer.serving import view
    except ImportError as error:
        raise not_installed("view", error.name, "viewer") from error
    with contextlib.suppress(KeyboardInterrupt):
        view(Run.open(run), scenes, out, host=host, port=port, browser=not no_browser)
    return Outcome(["stopped"])
