"""`terrasift prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from terrasift.cli.outcome import Outcome

EXAMPLE = "Example: terrasift prepare potsdam downloads/Potsdam --out potsdam"


def command(
    dataset: Annotated[Literal["potsdam"], typer.Argument(metavar="DATASET", help="The benchmark.")],
    raw: Annotated[
        Path, typer.Argument(metavar="RAW", help="The folder with 4_Ortho_RGBIR and 5_Labels_*, as folders or zips.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the patches go. A killed preparation goes on there.")],
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Draws the test patches.")] = 0,
    partial: Annotated[bool, typer.Option("--partial", help="Go on with the tiles that are there.")] = False,
) -> Outcome:
    """Cut a benchmark's tiles, as they are given out, into the patches that others compare on."""
    from terrasift.data.potsdam import load_potsdam, prepare_potsdam

    data = load_potsdam(prepare_potsdam(raw, out, seed=seed, partial=partial))
    trained = len(data.unlabelled_train) + len(data.labelled_train)
    return Outcome(
        written={out: f"{trained} patches to train on, {len(data.labelled_test)} to test"},
        next=f"terrasift study run all --data {out} --out study",
        facts={"patches_to_train": trained, "patches_to_test": len(data.labelled_test)},
    )
