"""The scores of a run, kept in its folder so that every later report shows them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrasift.blocks.choices import Regions
from terrasift.evaluation import Evaluation, LabelledImage
from terrasift.files import write_text
from terrasift.legend import LandClass, Legend
from terrasift.run import RunFolder, absolute_path

__all__ = ["KeptEvaluation", "keep_evaluation", "read_evaluation"]


@dataclass(frozen=True)
class KeptEvaluation:
    """What `evaluation.json` says.

    Attributes
    ----------
    content
        `Evaluation.to_dict`.
    legend
        Of the masks.
    tested
        The test set.
    flattered
        Whether clusters were mapped on the test set itself.
    regions
        What the region metrics saw: ``classes`` or ``clusters``.
    """

    content: dict[str, Any]
    legend: Legend
    tested: tuple[LabelledImage, ...]
    flattered: bool
    regions: str


def keep_evaluation(
    run: RunFolder,
    evaluation: Evaluation,
    legend: Legend,
    tested: Sequence[LabelledImage],
    *,
    flattered: bool,
    regions: Regions,
) -> Path:
    """Write `evaluation.json`: the scores, and where the truth is that they were found with."""
    content = evaluation.to_dict()
    for scores in content["classifiers"]:
        scores["images"] = {absolute_path(scene): regions for scene, regions in scores["images"].items()}
    content |= {
        "colors": [entry.color for entry in legend.classes],
        "ignore": list(legend.ignore),
        "masks": {absolute_path(image.scene): absolute_path(image.mask) for image in tested},
        "mapped_on_test_set": flattered,
        "regions_of": regions,
    }
    return write_text(run.evaluation_file, json.dumps(content, indent=2) + "\n")


def read_evaluation(run: RunFolder) -> KeptEvaluation | None:
    """What was kept; None where the run was not evaluated, or by a study or a version that keeps less."""
    try:
        content = json.loads(run.evaluation_file.read_text(encoding="utf-8"))
        named = zip(content["classes"], content["colors"], strict=True)
        legend = Legend(tuple(LandClass(name, color) for name, color in named), tuple(content["ignore"]))
        tested = tuple(LabelledImage(scene, Path(mask)) for scene, mask in content["masks"].items())
        return KeptEvaluation(content, legend, tested, content["mapped_on_test_set"], content["regions_of"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
