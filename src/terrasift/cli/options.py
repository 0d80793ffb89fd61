"""Options that several commands share, described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ImagesArgument", "RunPath", "Set"]

ImagesArgument = Annotated[
    list[str], typer.Argument(metavar="IMAGE...", help="Files, folders, 'patterns*.tif', or any path GDAL opens.")
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained run.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe's key, dotted: predict.window=256. Repeatable."),
]
