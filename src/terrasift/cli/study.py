"""`terrasift study list`, `run` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from terrasift.cli.options import Set
from terrasift.cli.outcome import Outcome
from terrasift.cli.speaking import spoken

EXAMPLE = "Example: terrasift study run loss classifiers --data potsdam --out study --seeds 3"

app = typer.Typer(help="Reproduce the ablation study: its experiments, tables and figures.", no_args_is_help=True)


@app.command("list", epilog="Example: terrasift study list")
@spoken
def list_command() -> Outcome:
    """The experiments, their tables, and the settings of every cell."""
    from terrasift.study.experiments import EXPERIMENTS
    from terrasift.study.listing import experiment_tables

    return Outcome(
        experiment_tables(),
        next="terrasift study run NAME... --data DIR --out DIR",
        facts={entry.name: {cell.variant: cell.changes for cell in entry.cells} for entry in EXPERIMENTS},
    )


@app.command("run", epilog=EXAMPLE)
@spoken
def run_command(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Experiments (`terrasift study list`), or all.")
    ],
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Potsdam as prepared, or any folder with images/ and masks/.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the study; an existing one goes on.")],
    classes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Classes of the masks; else classes.yaml in --data.")
    ] = None,
    budget: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the study's training steps, for a small machine.")
    ] = 1.0,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Repeat each cell with seeds 0 to N - 1.")] = 1,
    changes: Set = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Cells side by side on this machine (Dask).")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers take the cells.")
    ] = None,
) -> Outcome:
    """Train and score the cells of experiments, then write the report. Cells that are done are skipped."""
    from terrasift.study.engine import run_study
    from terrasift.study.experiments import find_experiments
    from terrasift.study.folder import Study
    from terrasift.study.pages import write_report

    experiments = find_experiments(names)
    study = Study(out, data, classes, budget, changes or (), seeds)
    study.begin()
    failed = run_study(study, experiments, seeds, workers=workers, scheduler=scheduler)
    failures = [f"failed: {failure.name}: {failure.reason}" for failure in failed]
    if failures:
        failures.append("mend what failed and give the same command again: the rest is done")
    return Outcome(
        written={write_report(study): ""},
        failures=failures,
        next=f"open {study.path / 'report.html'} in a browser",
        facts={"failed": {failure.name: failure.reason for failure in failed}},
    )


@app.command("report", epilog="Example: terrasift study report study")
@spoken
def report_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")],
) -> Outcome:
    """Write the report of what is done so far: report.html and report.csv."""
    from terrasift.study.folder import Study
    from terrasift.study.pages import write_report

    return Outcome(written={write_report(Study.open(folder)): "open it in a browser"})
