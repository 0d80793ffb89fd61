"""`terrasift evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from terrasift.cli.options import Images, Json, RunPath, Set
from terrasift.files import write_text
from terrasift.mapping import MappingMethod, Regions

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
    mapping: Annotated[MappingMethod, typer.Option(help="majority: many to one; hungarian: one to one.")] = "majority",
    regions: Annotated[Regions, typer.Option(help="What the region metrics see.")] = "classes",
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
    from terrasift.report.run import report_on
    from terrasift.report.run_evaluation import keep_evaluation
    from terrasift.report.tables import class_table, region_table

    opened = Run.open(run, changes or ())
    evaluation = opened.evaluate(
        images,
        masks,
        classes,
        map_images=map_images,
        map_masks=map_masks,
        mapping=mapping,
        regions=regions,
        keep_legend=keep_legend,
    )
    console = Console()
    for scores in evaluation.classifiers:
        console.print(class_table(evaluation, scores))
        console.print(region_table(scores, regions))
    if map_images is None:
        typer.echo("clusters were mapped on the test images themselves, which flatters the scores: see --map-images")
    tested = labelled_images(images, masks)
    kept = keep_evaluation(
        opened, evaluation, Legend.load(classes), tested, flattered=map_images is None, regions=regions
    )
    if result is not None:
        result.parent.mkdir(parents=True, exist_ok=True)
        write_text(result, json.dumps(evaluation.to_dict(), indent=2) + "\n")
    page = report_on(opened)
    for path in filter(None, (kept, result, page)):
        typer.echo(f"wrote {path}")
    if not keep_legend:
        typer.echo(f"wrote {opened.legend_file}, with the clusters of classifier {evaluation.best.classifier}")
        typer.echo(f"next: terrasift predict {run} SCENE --out map.tif")
