"""A study's folder: its settings, and where each cell is."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from terrasift.errors import RunError, SettingError
from terrasift.files import read_yaml, saying, write_text
from terrasift.recipe import Recipe
from terrasift.study.data import StudyData, load_study_data
from terrasift.study.experiments import STUDY_DEFAULTS, Cell

__all__ = ["Study"]


_MOST_SEEDS = 1000  # of each cell: all are looked for when results are collected


class Study:
    """Where the cells of a study are trained and scored, and on what.

    - ``study.yaml``: the data, the budget, and what is changed about every recipe
    - ``cells/``: a run folder for each cell and seed, with its scores, ``cell.json``; one recipe in several tables is
      one folder
    - ``patches/``, ``superpixels/``: made once
    - ``report.html``, ``report.csv``

    Parameters
    ----------
    path
        The folder.
    data
        What `load_study_data` takes.
    classes
        As there.
    budget
        Share of the study's gradient steps, above 0 and up to 1: epochs and training images are scaled by its square
        root each.
    changes
        ``KEY=VALUE`` for every cell's recipe; what a cell itself changes comes on top.
    seeds
        How many seeds cells have been asked for.

    Raises
    ------
    SettingError
        If the budget is out of its range.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        data: str | os.PathLike[str],
        classes: str | os.PathLike[str] | None = None,
        budget: float = 1.0,
        changes: Sequence[str] = (),
        seeds: int = 1,
    ) -> None:
        if not 0 < budget <= 1:
            raise SettingError("budget", f"{budget:g} is out of range", "allowed is above 0 and up to 1")
        if not 1 <= seeds <= _MOST_SEEDS:
            raise SettingError("seeds", f"{seeds} is out of range", f"allowed is 1 to {_MOST_SEEDS}")
        self.path = Path(path)
        self.data_folder = Path(data).resolve()
        self.classes = None if classes is None else Path(classes).resolve()
        self.budget = budget
        self.changes = tuple(changes)
        self.seeds = seeds

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Study:
        """The study of a folder; RunError if there is none."""
        file, mend = Path(path) / "study.yaml", "name a folder that `terrasift study run` wrote"
        if not file.exists():
            raise RunError(path, "is not a study: it has no study.yaml", mend)
        text = read_yaml(file, RunError, mend)
        try:
            return cls(path, **text.content)
        except (TypeError, ValueError) as error:
            raise RunError(text.where, "does not hold the settings of a study", mend) from error

    def begin(self) -> None:
        """Write the settings, or check that the folder was begun with these.

        Raises
        ------
        RunError
            If they are others.
        """
        if (self.path / "study.yaml").exists():
            begun = Study.open(self.path)
            for name, ours in self._settings().items():
                theirs = begun._settings()[name]
                if name != "seeds" and ours != theirs:
                    mend = "choose another folder, or go on as it was"
                    raise RunError(self.path, f"was begun with {name} {theirs}, not {ours}", mend)
            self.seeds = max(self.seeds, begun.seeds)
        with saying(self.path, RunError):
            self.path.mkdir(parents=True, exist_ok=True)
            write_text(self.path / "study.yaml", yaml.safe_dump(self._settings(), sort_keys=False))

    @functools.cached_property
    def data(self) -> StudyData:
        """The images; patches of a labelled folder are cut when it is first asked for."""
        recipe = self._recipe({})
        side = recipe.patch
        whole = load_study_data(self.data_folder, self.classes, self.path / f"patches-{side}", side)
        return whole if self.budget == 1 else whole.scaled(math.sqrt(self.budget), recipe.batch_size)

    def recipe(self, cell: Cell, seed: int) -> Recipe:
        """A cell's recipe: `paper` with what the data, the study, this folder and the cell change, in this order."""
        changes = {**self.data.changes, **STUDY_DEFAULTS}
        if cell.clusters_are_classes:
            changes["clusters"] = len(self.data.legend.classes)
        recipe = self._recipe(changes, cell.changes)
        epochs = max(1, round(recipe.epochs * math.sqrt(self.budget)))
        return recipe.model_copy(update={"epochs": epochs, "seed": seed})

    def cell_folder(self, cell: Cell, seed: int) -> Path:
        """Where a cell is, named by what it is: the same for cells that are one recipe."""
        recipe = self.recipe(cell, seed)
        kind = recipe.extractor if cell.method == "network" else cell.method.replace(" ", "-")
        content = recipe.model_dump(mode="json", exclude={"compute", "predict"})
        return self.path / "cells" / f"{kind}-{_digest([cell.method, content, self._images])}"

    @functools.cached_property
    def _images(self) -> str:
        names = [[Path(path).name for path in self.data.train], [Path(image.scene).name for image in self.data.tested]]
        return _digest(names)

    def _recipe(self, below: dict[str, Any], above: dict[str, Any] | None = None) -> Recipe:
        return Recipe.load("paper", [*_assignments(below), *self.changes, *_assignments(above or {})])

    def _settings(self) -> dict[str, Any]:
        return {
            "data": str(self.data_folder),
            "classes": None if self.classes is None else str(self.classes),
            "budget": self.budget,
            "changes": list(self.changes),
            "seeds": self.seeds,
        }


def _assignments(changes: dict[str, Any]) -> list[str]:
    return [f"{key}={json.dumps(value)}" for key, value in changes.items()]


def _digest(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=5).hexdigest()
