"""Labels for the generated scenes, as files of every kind."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terrasift import Legend, Recipe, Run, train
from terrasift.raster import read_labels
from tests.teaching.label_files import Clicks, write_csv


@pytest.fixture(scope="session")
def legend(scenes: Path) -> Legend:
    return Legend.load(scenes / "classes.yaml")


@pytest.fixture(scope="session")
def clicks(scenes: Path, legend: Legend) -> Clicks:
    """Six pixels of each class in each scene, if it has so many."""
    generator, found = np.random.default_rng(0), []
    for name in ("north", "south"):
        mask: NDArray[np.uint8] = read_labels(scenes / "masks" / f"{name}.tif", legend)
        for index, called in enumerate(legend.names):
            places = np.argwhere(mask == index)
            for place in generator.permutation(len(places))[:6].tolist():
                found.append((name, *places[place].tolist(), called))
    return found


@pytest.fixture(scope="session")
def seeing_run(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose features tell something, filters learned from the images among them. Do not change it."""
    changes = ("width=8", "clusters=20", "patch=64", "crop=48", "batch_size=4", "steps=40", "compute.device=cpu")
    recipe = Recipe.load("default", [*changes, "refinement.area=64"])
    folder = tmp_path_factory.mktemp("seeing")
    return train([scenes / "images"], folder / "run", recipe, cache=folder / "cache")


@pytest.fixture
def run(seeing_run: Run, tmp_path: Path) -> Run:
    """A copy of the run, to be changed."""
    return Run.open(shutil.copytree(seeing_run.path, tmp_path / "run"))


@pytest.fixture
def csv_file(tmp_path: Path, scenes: Path, clicks: Clicks) -> Path:
    return write_csv(tmp_path / "labels.csv", scenes, clicks)
