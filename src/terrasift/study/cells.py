"""One cell of a table: trained, scored, and what came out written beside the run."""

from __future__ import annotations

import json
import math
import time
import traceback
from pathlib import Path
from typing import Any

from terrasift.api import Run, train
from terrasift.errors import RunError, TerrasiftError
from terrasift.evaluation import evaluate_views
from terrasift.files import read_json, write_text
from terrasift.legend import IGNORE
from terrasift.machine import describe_machine
from terrasift.mapping import NO_CLASS
from terrasift.prediction import Predictor, Segmenter
from terrasift.recipe import Recipe
from terrasift.run import RunFolder
from terrasift.study.data import StudyData
from terrasift.study.experiments import Cell
from terrasift.study.folder import Study
from terrasift.study.methods import fit_baseline
from terrasift.study.published import PUBLISHED_SCORES

__all__ = ["CELL_FILE", "FAILURE_FILE", "is_done", "read_cell", "run_cell"]

CELL_FILE = "cell.json"
"""In a cell's folder when it is done: its scores on every data set, seconds, and the machine."""

FAILURE_FILE = "failed.txt"
"""In a cell's folder when it failed: the traceback."""

_CACHE_LIMIT = 10**15  # the study's own folder keeps all its superpixels


def is_done(folder: Path) -> bool:
    """Whether a cell has been trained and scored."""
    return (folder / CELL_FILE).exists() or _of_versions_before(folder) is not None


def read_cell(folder: Path) -> dict[str, Any] | None:
    """What is kept of a cell; None where it is not done."""
    if not (folder / CELL_FILE).exists():
        return _of_versions_before(folder)
    mend = "delete it, and run the study again"
    content: dict[str, Any] = read_json(folder / CELL_FILE, RunError, mend)
    try:
        _check(content)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise RunError(folder / CELL_FILE, "does not hold the scores of a cell", mend) from error
    return content


def _check(content: dict[str, Any]) -> None:
    """Raise something where it is not what `_evaluate` gives."""
    seconds = content["seconds"]
    float(seconds["training"]) + float(seconds["evaluation"])
    for evaluation in content["data"].values():
        numbers = [scores["classifier"] for scores in evaluation["classifiers"]]
        if numbers != [1, 2][: len(numbers)] or evaluation["best_classifier"] not in numbers:
            raise ValueError("other classifiers")
        classes = len(evaluation.get("classes", ())) or IGNORE
        for scores in evaluation["classifiers"]:
            if not all(isinstance(index, int) and NO_CLASS <= index < classes for index in scores.get("mapping", ())):
                raise ValueError("clusters are mapped to classes that there are not")
            for name in PUBLISHED_SCORES.values():
                value = scores[name] if name in scores else scores["regions"][name]
                if value is not None and not math.isfinite(value):
                    raise ValueError(f"{name} is no number")


def _of_versions_before(folder: Path) -> dict[str, Any] | None:
    """They kept a cell where a run keeps its evaluation."""
    try:
        content = read_json(RunFolder(folder).evaluation_file)
    except TerrasiftError:
        return None
    return content if "data" in content else None


def run_cell(study: Study, cell: Cell, seed: int) -> str:
    """Train and score a cell, unless that is done; goes on where a killed one stopped.

    Returns
    -------
    str
        "" if it is done, else what went wrong, in one line; the traceback is in the cell's folder.
    """
    folder = study.cell_folder(cell, seed)
    if is_done(folder):
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        write_text(folder / CELL_FILE, json.dumps(_evaluate(study, cell, seed, folder), indent=1) + "\n")
    except Exception as error:  # a failed cell must not stop the rest
        write_text(folder / FAILURE_FILE, traceback.format_exc())
        return f"{type(error).__name__}: {error}" if not str(error) else " ".join(str(error).split())
    (folder / FAILURE_FILE).unlink(missing_ok=True)
    return ""


def _evaluate(study: Study, cell: Cell, seed: int, folder: Path) -> dict[str, Any]:
    data, recipe = study.data, study.recipe(cell, seed)
    start = time.monotonic()
    if cell.method == "network":
        segmenter: Segmenter = _train(study, data, recipe, folder)
    else:
        segmenter = fit_baseline(cell.method, data, recipe, study.budget, study.path / "superpixels")
    fitted_at = time.monotonic()
    evaluations = evaluate_views(segmenter, data.legend, list(data.views.values()), data.tested, data.mapped)
    return {
        "machine": describe_machine(recipe.compute.device),
        "seconds": {
            "training": round(Run(folder).training_seconds or fitted_at - start, 1),
            "evaluation": round(time.monotonic() - fitted_at, 1),
        },
        "data": {name: _short(found.to_dict()) for name, found in zip(data.views, evaluations, strict=True)},
    }


def _train(study: Study, data: StudyData, recipe: Recipe, folder: Path) -> Predictor:
    begun = Run(folder).has_begun
    cache = study.path / "superpixels"
    run = train(data.train, folder, None if begun else recipe, resume=True, cache=cache, cache_limit=_CACHE_LIMIT)
    return run.predictor


def _short(evaluation: dict[str, Any]) -> dict[str, Any]:
    """Without the scores of single images: thousands of lines in every cell."""
    for scores in evaluation["classifiers"]:
        del scores["images"]
    return evaluation
