"""`terrasift assess sample` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from terrasift.cli.outcome import Outcome
from terrasift.cli.speaking import spoken

EXAMPLE = "Example: terrasift assess sample map.tif --total 500 --scene scene.tif --out check"

app = typer.Typer(help="Check a map by a sample: its accuracy and areas, with 95 % intervals.", no_args_is_help=True)


@app.command("sample", epilog=EXAMPLE)
@spoken
def sample_command(
    path: Annotated[str, typer.Argument(metavar="MAP", help="A class map: one band of uint8 or uint16.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for the points and their page.")],
    scene: Annotated[
        str | None, typer.Option(metavar="SCENE", help="The image to look at: makes chips/ and label.html.")
    ] = None,
    per_class: Annotated[int | None, typer.Option(metavar="N", help="As many points in each stratum.")] = None,
    total: Annotated[int | None, typer.Option(metavar="N", help="As many points in all.")] = None,
    standard_error: Annotated[
        float | None, typer.Option(metavar="SE", help="As many as give overall accuracy this standard error: 0.01.")
    ] = None,
    allocation: Annotated[
        Literal["equal", "proportional", "neyman"], typer.Option(help="Of points to strata.")
    ] = "proportional",
    expected: Annotated[
        list[str] | None,
        typer.Option(metavar="[CLASS=]U", help="User's accuracy to expect, of all or of one class. Repeatable."),
    ] = None,
    clusters: Annotated[
        bool, typer.Option("--clusters", help="MAP shows clusters: strata are groups of them, 5 % of the map or more.")
    ] = False,
    classes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A classes file: names for MAP's values, or to label with.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the draw.")] = 0,
) -> Outcome:
    """Draw random pixels of each class, for people to say what is truly there."""
    from terrasift.assess import SampleDesign, sample
    from terrasift.assessment import parse_expected

    accuracies = parse_expected(expected or ())
    design = SampleDesign(per_class, total, standard_error, allocation, accuracies, clusters, classes, seed)
    done = sample(path, out, design, scene=scene)
    drawn = done.sample
    strata = [
        {"name": stratum.name, "pixels": stratum.pixels, "area": stratum.area, "points": points}
        for stratum, points in zip(drawn.strata, drawn.points_of_strata.tolist(), strict=True)
    ]
    return Outcome(
        shown=[f"{entry['name']}: {entry['points']} of {entry['pixels']:,} pixels" for entry in strata],
        written=dict.fromkeys(done.written, ""),
        lines=[f"note: {note}" for note in drawn.notes],
        next=f"label {out / ('label.html' if scene else 'points.csv')}, then: terrasift assess report {out}",
        facts={"points": len(drawn.points), "strata": strata, "digest": drawn.digest, "notes": drawn.notes},
    )


@app.command("report", epilog="Example: terrasift assess report check")
@spoken
def report_command(
    path: Annotated[
        Path, typer.Argument(metavar="SAMPLE", help="The folder of a sample, or a file of labelled points in it.")
    ],
    other_map: Annotated[
        Path | None, typer.Option("--map", metavar="MAP", help="Assess this map, on the same grid, by the same points.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="For the report; else the sample's folder.")
    ] = None,
) -> Outcome:
    """Estimate accuracy and areas from labelled points, each with its 95 % interval."""
    from terrasift.assess import report
    from terrasift.report.assessment import assessment_lines

    done = report(path, map=other_map, out=out)
    return Outcome(
        shown=assessment_lines(done.assessment),
        written=dict.fromkeys(done.written, ""),
        lines=[f"note: {note}" for note in done.assessment.notes],
        next=f"open {done.written[0]} in a browser",
        facts={"labelled": done.assessment.labelled, "notes": list(done.assessment.notes)},
        content=done.assessment.to_dict(),
    )
