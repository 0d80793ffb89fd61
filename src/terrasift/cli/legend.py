"""`terrasift legend`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrasift.cli.options import RunPath
from terrasift.cli.outcome import Outcome

if TYPE_CHECKING:
    from terrasift.legend import Legend
    from terrasift.run import RunFolder

EXAMPLE = "Examples: terrasift legend runs/city --merge-to 8; terrasift legend runs/city --name 0=road --name 1=water"


def command(
    run: RunPath,
    merge_to: Annotated[
        str | None,
        typer.Option(metavar="N|auto", help="Join the clusters into N classes without labels: those that look alike."),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(metavar="IMAGE", help="Where --merge-to looks; else the training images. Repeatable."),
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option("--name", metavar="CLASS=NAME", help="Name a class. Repeatable.")
    ] = None,
    colors: Annotated[
        list[str] | None, typer.Option("--color", metavar="CLASS=#RRGGBB", help="Recolour a class. Repeatable.")
    ] = None,
    merges: Annotated[
        list[str] | None,
        typer.Option("--merge", metavar="A,B[,C]", help="Put classes together, by index or name. Repeatable."),
    ] = None,
    splits: Annotated[
        list[int] | None,
        typer.Option("--split", metavar="CLUSTER", help="Take a cluster into a class of its own. Repeatable."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the legend before this one; again takes this one.")
    ] = False,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Take a legend file, checked against the run.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Make each cluster a class of its own again.")] = False,
) -> Outcome:
    """Show a run's legend; name, recolour, join and split its classes."""
    from terrasift.legend.changes import change_legend
    from terrasift.report.terminal.legend import legend_rows, legend_table
    from terrasift.run import RunFolder

    opened = RunFolder(run)
    _only_one({"--merge-to": merge_to, "--undo": undo, "--from": source, "--reset": reset})
    count = _number(merge_to, images)

    def begun() -> Legend:
        if merge_to:
            return _merged(run, count, images)
        if undo:
            return opened.previous_legend
        if source is not None:
            return opened.load_legend(source)
        return opened.cluster_legend if reset else opened.legend

    def change() -> Legend:
        legend = begun()
        return change_legend(
            legend,
            opened.clusters_of(legend),
            merges=merges or (),
            splits=splits or (),
            colors=colors or (),
            names=names or (),
        )

    changed = any((merge_to, undo, source, reset, merges, splits, colors, names))
    legend = opened.change_legend(change) if changed else opened.legend
    pixels = opened.cluster_pixels
    page = _report(run) if changed and opened.is_finished else None
    return Outcome(
        shown=[legend_table(legend, pixels)],
        written=({opened.legend_file: ""} if changed else {}) | ({page: ""} if page else {}),
        lines=[f"the legend before this one: terrasift legend {run} --undo"] if changed else [],
        next=_next(opened, legend),
        facts={"classifier": legend.classifier, "changed": changed},
        content={"classes": legend_rows(legend, pixels)},
    )


def _only_one(options: dict[str, object]) -> None:
    from terrasift.errors import SettingError

    given = [name for name, value in options.items() if value]
    if len(given) > 1:
        raise SettingError(given[1], f"cannot be given with {given[0]}", "each replaces the whole legend: give one")


def _number(merge_to: str | None, images: list[str] | None) -> int | None:
    from terrasift.errors import SettingError

    if images and merge_to is None:
        raise SettingError("--images", "are where --merge-to looks", "give --merge-to too")
    if merge_to in (None, "auto"):
        return None
    if not merge_to.isdecimal() or int(merge_to) < 1:
        raise SettingError("--merge-to", f"is {merge_to}", "write a number, or auto")
    return int(merge_to)


def _merged(path: Path, classes: int | None, images: list[str] | None) -> Legend:
    """Imported only where clusters are merged: a listing does without PyTorch."""
    from terrasift.api import Run
    from terrasift.errors import SettingError

    try:
        return Run(path).merged_legend(classes, images)
    except SettingError as error:
        where = "--merge-to" if error.where == "classes" else error.where
        raise SettingError(where, error.what, error.mend) from error


def _report(path: Path) -> Path | None:
    from terrasift.api import Run
    from terrasift.report.run import report_on

    return report_on(Run(path))


def _next(run: RunFolder, legend: Legend) -> str:
    if not run.is_mapped:
        return f"terrasift legend {run.path} --merge-to auto"
    unnamed = next((index for index, entry in enumerate(legend.classes) if not entry.is_named), None)
    if unnamed is not None:
        return f"terrasift legend {run.path} --name {unnamed}=NAME"
    return f"terrasift predict {run.path} SCENE --out map.tif"
