"""`terrasift evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrasift.blocks.choices import Mapping, RegionsSeen
from terrasift.cli.options import ImagesArgument, RunPath, Set
from terrasift.cli.outcome import Outcome

if TYPE_CHECKING:
    from terrasift.evaluation import ClassifierScores

EXAMPLE = (
    "Example: terrasift evaluate runs/city test/images --masks test/masks --classes classes.yaml "
    "--map-images known/images --map-masks known/masks"
)


def command(
    run: RunPath,
    images: ImagesArgument,
    classes: Annotated[Path, typer.Option(metavar="FILE", help="YAML: names and colours of the classes.")],
    masks: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="A mask of the same name for each image; else 'masks' beside its folder. Repeatable."
        ),
    ] = None,
    map_images: Annotated[
        list[str] | None,
        typer.Option(metavar="IMAGE", help="Labelled images that decide which class each cluster is. Repeatable."),
    ] = None,
    map_masks: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Their masks; else as --masks. Repeatable.")
    ] = None,
    mapping: Annotated[
        Mapping,
        typer.Option(help="majority: many to one; hungarian: one to one; legend: score the run's legend as it is."),
    ] = "majority",
    regions: Annotated[RegionsSeen, typer.Option(help="What the region metrics see.")] = "classes",
    no_baselines: Annotated[
        bool, typer.Option("--no-baselines", help="Leave out k-means, scored beside the run on the same pixels.")
    ] = False,
    keep_legend: Annotated[
        bool, typer.Option("--keep-legend", help="Leave the run's legend alone; else it takes this mapping.")
    ] = False,
    changes: Set = None,
) -> Outcome:
    """Score a run against labels, and learn from them which class each cluster is."""
    from terrasift.api import Run
    from terrasift.report.comparison import compared_rows, untaken_lines
    from terrasift.report.run import report_on
    from terrasift.report.terminal.scores import class_table, comparison_table, region_table

    opened = Run.open(run, changes or ())
    before = opened.legend if opened.is_mapped else None
    evaluation = opened.evaluate(
        images,
        masks,
        classes,
        map_images=map_images,
        map_masks=map_masks,
        mapping=mapping,
        regions=regions,
        baselines=not no_baselines,
        keep_legend=keep_legend,
    )
    content = evaluation.to_dict()
    flattered = bool(evaluation.truth and evaluation.truth.flattered)
    page = report_on(opened)
    shown: list[Any] = []
    for scores in evaluation.classifiers:
        shown += [class_table(evaluation, scores), region_table(scores, regions)]
    if rows := compared_rows(evaluation):
        shown.append(comparison_table(rows))
    shown += untaken_lines(evaluation)
    if evaluation.best.left_out:
        shown.append(_left_out(evaluation.best))
    if evaluation.best.unlabelled:
        shown.append(_unlabelled(evaluation.best, keep_legend=keep_legend))
    if flattered:
        shown.append("clusters were mapped on the test images themselves, which flatters the scores: see --map-images")
    written, lines, follows = {opened.evaluation_file: ""} | ({page: ""} if page else {}), [], ""
    if mapping != "legend" and not keep_legend:
        written[opened.legend_file] = f"with the clusters of classifier {evaluation.best.classifier}"
        follows = f"terrasift predict {run} SCENE --out map.tif"
        if before is not None and before != opened.legend:
            previous = opened.legend_file.with_suffix(".previous.yaml")
            lines.append(f"the classes it had are replaced, and kept in {previous}")
            lines.append(f"to have them back: terrasift legend {run} --undo; to score them: --mapping legend")
    facts = {"flattered": flattered, "legend_changed": bool(follows)}
    return Outcome(shown, written, lines, next=follows, facts=facts, content=content)


def _unlabelled(scores: ClassifierScores, *, keep_legend: bool) -> str:
    count, share = len(scores.unlabelled), 100 * scores.unlabelled_share
    stay = "" if keep_legend else "; the legend gives them no class"
    return (
        f"{count} of {len(scores.mapping)} clusters ({share:.1f} per cent of the test images) meet no labelled pixel; "
        f"they are scored as the most frequent class{stay}"
    )


def _left_out(scores: ClassifierScores) -> str:
    share = scores.left_out / (scores.left_out + scores.confusion.total)
    return f"{100 * share:.1f} per cent of the labelled pixels lie in clusters without a class, and count nowhere"
