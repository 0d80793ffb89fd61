"""`terrasift score`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from terrasift.cli.outcome import Outcome

if TYPE_CHECKING:
    from terrasift.metrics import ConfusionMatrix, MetricFacts
    from terrasift.scoring import Scores

_Rows: TypeAlias = "Sequence[tuple[str, Mapping[str, Any]]]"

EXAMPLE = "Example: terrasift score maps/ truth/ --ignore 255 --classes classes.yaml"


def command(
    predicted: Annotated[str, typer.Argument(metavar="PREDICTED", help="A label raster, a .mat file, or a folder.")],
    truths: Annotated[
        list[str], typer.Argument(metavar="TRUTH...", help="Of the same grid and name. Several are averaged over.")
    ],
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE",
            help="Labels are classes: 0..N-1, or those of a classes file, by its colours where maps have colours.",
        ),
    ] = None,
    ignore: Annotated[
        int | None, typer.Option(metavar="LABEL", help="Counts nowhere in either map, like nodata.")
    ] = None,
    base: Annotated[Literal["2", "e", "10"], typer.Option(help="Of the logarithm in VoI.")] = "2",
) -> Outcome:
    """Score label maps against the truth, whoever made them."""
    from terrasift.scoring import parse_classes, score_label_maps

    scores = score_label_maps(
        predicted,
        truths,
        classes=parse_classes(classes) if classes else (),
        ignore=ignore,
        base=math.e if base == "e" else float(base),
    )
    shown = [*([_class_table(scores)] if scores.classes else []), _region_table(scores, base)]
    facts = {"images": len(scores.images), **scores.regions}
    return Outcome(
        shown, next="the same with --json  (every digit, for programs)", facts=facts, content=scores.to_dict()
    )


def _class_table(scores: Scores) -> Any:
    rows = [(Path(image.predicted).name, _class_scores(image.confusion)) for image in scores.images]
    return _table("classes", rows, [("pooled", _class_scores(scores.confusion))])


def _region_table(scores: Scores, base: str) -> Any:
    rows = [(Path(image.predicted).name, image.regions) for image in scores.images]
    of_set = [("mean", scores.regions), ("pooled", scores.pooled_coverings)]
    return _table("regions", rows, of_set, {"variation_of_information": _INFORMATION_UNITS[base]})


_INFORMATION_UNITS = {"2": "bit", "e": "nat", "10": "Hart"}


def _class_scores(confusion: ConfusionMatrix | None) -> dict[str, Any]:
    return confusion.scores() if confusion is not None else {}


def _table(title: str, rows: _Rows, of_set: _Rows, units: Mapping[str, str] = MappingProxyType({})) -> Any:
    """A row for each image and, where there are several, those of the set; the columns that the first row has."""
    from rich import box
    from rich.table import Table

    from terrasift.metrics import FACTS

    columns = {name: facts for name, facts in FACTS.items() if name in rows[0][1]}
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("image", overflow="fold")
    for name, facts in columns.items():
        unit = units.get(name, facts.unit)
        table.add_column(f"{facts.symbol}{facts.arrow}\n{unit}", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(*row, columns))
    if len(rows) > 1:
        table.add_section()
        for row in of_set:
            table.add_row(*_cells(*row, columns))
    return table


def _cells(name: str, scores: Mapping[str, float | None], columns: Mapping[str, MetricFacts]) -> list[str]:
    return [name, *(facts.text(scores.get(column)) for column, facts in columns.items())]
