"""`terrasift export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from terrasift.cli.options import RunPath, Set
from terrasift.cli.outcome import Outcome

EXAMPLE = "Example: terrasift export runs/city --out city.onnx --scene scene.tif"

_EXECUTE = {
    ".onnx": "in Python, onnxruntime.InferenceSession('{}')",
    ".pt2": "in Python, torch.export.load('{}').module()",
}


def command(
    run: RunPath,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=".onnx, or .pt2 for torch.export.load.")],
    scene: Annotated[
        str | None,
        typer.Option(metavar="SCENE", help="Whose context the network holds; not needed with predict.context=patch."),
    ] = None,
    changes: Set = None,
) -> Outcome:
    """Write a run as one file that other programs execute: band values in, classes out."""
    from terrasift.api import Run

    found = Run.open(run, changes or ()).export(out, scene)
    return Outcome(
        written={out: ""},
        lines=[f"beside the run, {found}"],
        next=_EXECUTE[out.suffix.lower()].format(out),
        facts=found._asdict(),
    )
