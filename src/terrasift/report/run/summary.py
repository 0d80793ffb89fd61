"""The first lines of a run's report."""

from __future__ import annotations

from terrasift.evaluation import Evaluation
from terrasift.metrics import FACTS
from terrasift.opened import OpenedRun

__all__ = ["run_summary"]


def run_summary(run: OpenedRun, images: int, steps: int, evaluation: Evaluation | None) -> list[tuple[str, str]]:
    """What the run is, in words: (name, value)."""
    recipe, legend = run.recipe, run.legend
    scaling = recipe.measured_scaling
    heads = f"{recipe.classifiers} classifiers of {recipe.clusters} clusters each"
    if recipe.classifiers == 1:
        heads = f"one classifier of {recipe.clusters} clusters"
    width = f", width {recipe.width}" if recipe.width else ""
    facts = [
        ("Network", f"{recipe.extractor}{width}, {heads}"),
        (
            "Trained on",
            f"{_count(images, 'image')} of {_count(len(scaling.low), 'band')} ({scaling.dtype}), without labels",
        ),
        ("Steps", f"{steps:,}"),
    ]
    if run.is_mapped:
        held = sum(len(entry.clusters) for entry in legend.classes)
        how = "taught by labels" if legend.taught else f"holding {held} clusters"
        facts.append(("Legend", f"{_count(len(legend.classes), 'class')}, {how}"))
    else:
        facts.append(("Legend", "none yet: every cluster stands for itself"))
    if evaluation is not None:
        best = evaluation.best
        accuracy, mean_iou = (FACTS[name].text(getattr(best.confusion, name)) for name in ("accuracy", "mean_iou"))
        facts.append(
            ("Scores", f"accuracy {accuracy} %, mean IoU {mean_iou} % on {_count(len(best.images), 'test image')}")
        )
    return facts


def _count(number: int, what: str) -> str:
    plural = what + ("es" if what.endswith("s") else "s")
    return f"{number:,} {what if number == 1 else plural}"
