"""`terrasift legend`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrasift.cli.options import RunPath
from terrasift.cli.outcome import Outcome

if TYPE_CHECKING:
    from terrasift.clusters import ClusterFacts
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
    from terrasift.errors import RunError
    from terrasift.legend.changes import change_legend
    from terrasift.report.kept_facts import kept_pixels
    from terrasift.report.legend_table import legend_rows, legend_table
    from terrasift.run import RunFolder

    opened = RunFolder(run)
    seen = opened.legend_digest
    _only_one({"--merge-to": merge_to, "--undo": undo, "--from": source, "--reset": reset})
    count = _number(merge_to, images)
    facts = _facts(run, images) if merge_to else None
    begun = _begin(opened, facts, count, source, undo=undo, reset=reset)
    legend = change_legend(
        begun, opened.recipe.clusters, merges=merges or (), splits=splits or (), colors=colors or (), names=names or ()
    )
    changed = any((merge_to, undo, source, reset, merges, splits, colors, names))
    if changed and opened.save_legend(legend, seen) is None:
        raise RunError(opened.legend_file, "has been changed elsewhere meanwhile", "look at it, and try again")
    pixels = kept_pixels(opened) if facts is None else facts.pixels
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


def _begin(
    run: RunFolder, facts: ClusterFacts | None, classes: int | None, source: Path | None, *, undo: bool, reset: bool
) -> Legend:
    """The legend that single changes are made to."""
    from terrasift.errors import RunError
    from terrasift.legend import Legend

    recipe = run.recipe
    if undo:
        previous = run.legend_file.with_name("legend.previous.yaml")
        if not previous.exists():
            raise RunError(run.path, "has no legend before this one", "nothing to undo")
        source = previous
    if source is not None:
        return Legend.load(source, recipe.clusters, recipe.classifiers)
    if reset:
        return Legend.of_clusters(recipe.clusters)
    if facts is not None:
        from terrasift.clusters.legends import merged_legend

        return merged_legend(facts, classes, run.legend)
    return run.legend


def _facts(path: Path, images: list[str] | None) -> ClusterFacts:
    from terrasift.api import Run
    from terrasift.clusters import gather_facts
    from terrasift.data.scenes import find_scenes, is_there
    from terrasift.errors import RunError
    from terrasift.report.run_facts import facts_of

    run = Run(path)
    if images:
        return gather_facts(run.predictor, find_scenes(images), run.legend.classifier)
    facts = facts_of(run, [image for image in run.images if is_there(image)])
    if facts is None:
        raise RunError(run.path, "its training images are not where they were", "name images of the kind: --images")
    return facts


def _report(path: Path) -> Path | None:
    """Imported only where it is written: a listing does without PyTorch."""
    from terrasift.api import Run
    from terrasift.report.run import report_on

    return report_on(Run(path))


def _next(run: RunFolder, legend: Legend) -> str:
    if not run.is_mapped:
        return f"terrasift legend {run.path} --merge-to auto"
    unnamed = next((index for index, name in enumerate(legend.names) if name == f"class {index}"), None)
    if unnamed is not None:
        return f"terrasift legend {run.path} --name {unnamed}=NAME"
    return f"terrasift predict {run.path} SCENE --out map.tif"
