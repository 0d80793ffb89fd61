"""`terrasift evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrasift.cli.options import Images, Json, RunPath, Set
from terrasift.files import write_text
from terrasift.mapping import Mapping, Regions

if TYPE_CHECKING:
    from terrasift.evaluation import ClassifierScores

EXAMPLE = (
    "Example: terrasift evaluate runs/city test/images --masks test/masks --classes classes.yaml "
    "--map-images known/images --map-masks known/masks"
)


def command(
    run: RunPath,
    images: Images,
    masks: Annotated[Path, typer.Option(metavar="DIR", help="Folder with a mask of the same name for each image.")],
    classes: Annotated[Path, typer.Option(metavar="FILE", help="YAML: names and colours of the classes.")],
    map_images: Annotated[
        list[str] | None,
        typer.Option(metavar="IMAGE", help="Labelled images that decide which class each cluster is. Repeatable."),
    ] = None,
    map_masks: Annotated[Path | None, typer.Option(metavar="DIR", help="Their masks; else the same folder.")] = None,
    mapping: Annotated[
        Mapping,
        typer.Option(help="majority: many to one; hungarian: one to one; legend: score the run's legend as it is."),
    ] = "majority",
    regions: Annotated[Regions, typer.Option(help="What the region metrics see.")] = "classes",
    no_baselines: Annotated[
        bool, typer.Option("--no-baselines", help="Leave out k-means, scored beside the run on the same pixels.")
    ] = False,
    keep_legend: Annotated[
        bool, typer.Option("--keep-legend", help="Leave the run's legend alone; else it takes this mapping.")
    ] = False,
    result: Json = None,
    changes: Set = None,
) -> None:
    """Score a run against labels, and learn from them which class each cluster is."""
    from rich.console import Console

    from terrasift.api import Run, labelled_images
    from terrasift.legend import Legend
    from terrasift.report.comparison import compared_rows, untaken_lines
    from terrasift.report.run import report_on
    from terrasift.report.run_evaluation import keep_evaluation
    from terrasift.report.tables import class_table, comparison_table, region_table

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
    console = Console()
    for scores in evaluation.classifiers:
        console.print(class_table(evaluation, scores))
        console.print(region_table(scores, regions))
    content = evaluation.to_dict()
    if rows := compared_rows(content):
        console.print(comparison_table(rows))
    for line in untaken_lines(content):
        typer.echo(line)
    if evaluation.best.left_out:
        typer.echo(_left_out(evaluation.best))
    flattered = map_images is None and mapping != "legend"
    if flattered:
        typer.echo("clusters were mapped on the test images themselves, which flatters the scores: see --map-images")
    tested = labelled_images(images, masks)
    kept = keep_evaluation(opened, evaluation, Legend.load(classes), tested, flattered=flattered, regions=regions)
    if result is not None:
        result.parent.mkdir(parents=True, exist_ok=True)
        write_text(result, json.dumps(content, indent=2) + "\n")
    page = report_on(opened)
    for path in filter(None, (kept, result, page)):
        typer.echo(f"wrote {path}")
    if mapping != "legend" and not keep_legend:
        typer.echo(f"wrote {opened.legend_file}, with the clusters of classifier {evaluation.best.classifier}")
        if before is not None and before != opened.legend:
            typer.echo(
                f"the classes it had are replaced, and kept in {opened.legend_file.with_suffix('.previous.yaml')}"
            )
            typer.echo(f"to have them back: terrasift legend {run} --undo; to score them: --mapping legend")
        typer.echo(f"next: terrasift predict {run} SCENE --out map.tif")


def _left_out(scores: ClassifierScores) -> str:
    share = scores.left_out / (scores.left_out + scores.confusion.total)
    return f"{100 * share:.1f} per cent of the labelled pixels lie in clusters without a class, and count nowhere"
