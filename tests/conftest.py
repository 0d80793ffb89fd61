"""What many tests need: generated scenes on disk, one small trained run, and real data where it is there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

from terrasift import LandClass, Legend, Recipe, Run, train
from terrasift.cli import main
from terrasift.data.synthetic import SYNTHETIC_CLASSES, synthetic_scene
from terrasift.raster import write_image

# The same examples every time, so that a green suite stays green; HYPOTHESIS=explore looks for new ones. No deadline:
# machines that run tests are often busy.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS", "same"))

TINY = (
    "width=4",
    "clusters=8",
    "patch=64",
    "batch_size=4",
    "epochs=3",  # after one, normalisation has hardly begun to follow, and every pixel is in the same cluster
    "lr=1e-3",
    "lr_final=1e-4",
    "compute.device=cpu",
    "predict.window=128",
    "predict.margin=16",
)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout."""
    folder = Path(__file__).parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs ../shared, real data kept out of the project")
    return folder


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images/ and masks/ (two georeferenced scenes of 256 px each) and classes.yaml."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed, name in enumerate(("north", "south")):
        scene = synthetic_scene(256, 256, seed=seed)
        grid = {"crs": "EPSG:32633", "transform": (0.25, 0.0, 500_000.0 + 64 * seed, 0.0, -0.25, 5_000_000.0)}
        write_image(folder / "images" / f"{name}.tif", scene.image, **grid)
        write_image(folder / "masks" / f"{name}.tif", scene.labels, **grid)
    Legend(tuple(LandClass(name, color) for name, color in SYNTHETIC_CLASSES)).save(folder / "classes.yaml")
    return folder


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """Trains in a second or two."""
    return Recipe.load("paper", TINY)


@pytest.fixture(scope="session")
def tiny_run(scenes: Path, tiny_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run trained on `scenes`. Do not change it: copy its folder."""
    folder = tmp_path_factory.mktemp("tiny")
    return train([scenes / "images"], folder / "run", tiny_recipe, cache=folder / "cache")


class Outcome(NamedTuple):
    """What a command ended with."""

    code: int | str | None
    out: str
    err: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs `terrasift ARGUMENTS...` in this process, through its own `main`."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["terrasift", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return Outcome(end.value.code, *capsys.readouterr())

    return run
