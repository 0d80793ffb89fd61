"""What a study was run on, with what, and on which machine."""

from __future__ import annotations

import json
from collections.abc import Sequence

from terrasift.machine import describe_machine
from terrasift.study.folder import Study
from terrasift.study.results import CellResult

__all__ = ["scaled_mark", "study_facts"]


def scaled_mark(study: Study) -> str:
    """What must stand at every figure of a study with fewer steps; empty for a whole one."""
    if study.budget == 1:
        return ""
    return f"scaled: {100 * study.budget:g} % of the study's steps: epochs and images by its square root each"


def study_facts(study: Study, results: Sequence[CellResult]) -> list[tuple[str, str]]:
    """What was run on what, in words: (name, value)."""
    data = study.data
    trained = f"{len(data.train):,} to train on, without their labels; {len(data.mapped):,} of them to map clusters to"
    facts = [
        ("Data", study.data_folder.name),
        ("Images", f"{trained} classes; {len(data.tested):,} to test on"),
    ]
    for name, view in data.views.items():
        facts.append((f"Classes of {name}", ", ".join(view.names)))
    by_data = [f"{key}={json.dumps(value)}" for key, value in data.changes.items()]
    facts += [
        ("Budget", scaled_mark(study) or "all of the study's steps"),
        ("Changed in every recipe", ", ".join([*by_data, *study.changes]) or "nothing"),
        ("Seeds", f"{study.seeds}: {', '.join(map(str, range(study.seeds)))}"),
    ]
    return facts + _machines(results)


def _machines(results: Sequence[CellResult]) -> list[tuple[str, str]]:
    """Where cells were trained; where none says so, where the report is written, and named as that."""
    made = dict.fromkeys(result.machine for result in results if result.machine)
    if made:
        return [("Trained and scored with", machine) for machine in made]
    return [("Report written with", describe_machine("auto"))]
