"""`terrasift export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from terrasift.cli.options import RunPath, Set
from terrasift.cli.outcome import Outcome

EXAMPLE = (
    "Examples: terrasift export runs/city --out city.onnx --scene scene.tif;"
    " terrasift export runs/city --out city.onnx --scene scene.tif --for deepness"
)

_EXECUTE = {
    "onnx": "in Python, import onnxruntime; onnxruntime.InferenceSession({!r})",
    "torch": "in Python, import torch; torch.export.load({!r}).module()",
    "deepness": "in QGIS, Plugins > Deepness: choose {} as the model, then load its default parameters",
}


def command(
    run: RunPath,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=".onnx, or .pt2 for torch.export.load.")],
    scene: Annotated[
        str | None,
        typer.Option(metavar="SCENE", help="Whose context the network holds; not needed with predict.context=patch."),
    ] = None,
    program: Annotated[
        Literal["onnx", "torch", "deepness"] | None,
        typer.Option(
            "--for",
            metavar="PROGRAM",
            help="onnx: any runtime; torch: PyTorch; deepness: the QGIS plugin.",
            show_default="by the suffix",
        ),
    ] = None,
    changes: Set = None,
) -> Outcome:
    """Write a run as one file that other programs execute: band values in, classes out."""
    from terrasift.api import Run

    found = Run.open(run, changes or ()).export(out, scene, program)
    return Outcome(
        written={out: ""},
        lines=[f"beside the run, {found}"],
        next=_EXECUTE[program or ("torch" if out.suffix.lower() == ".pt2" else "onnx")].format(str(out)),
        facts=found._asdict(),
    )
