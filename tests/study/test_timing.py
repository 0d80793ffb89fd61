"""The time of a cell, part by part: each on its own account, and the step on the clock is the method's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning_fabric import Fabric

import terrasift.data.regions
import terrasift.training
from terrasift import Network, Scaling
from terrasift.study import timing
from terrasift.study.experiments import Cell
from terrasift.study.folder import Study

SMALL = ("width=4", "clusters=8", "patch=64", "batch_size=2", "compute.device=cpu")
CELL = Cell("two classifiers", {"classifiers": 2, "refinement.method": "slic"})


@pytest.fixture
def study(scenes: Path, tmp_path: Path) -> Study:
    return Study(tmp_path / "study", scenes, changes=SMALL)


def test_every_part_is_there_and_together_they_are_the_time_it_took(study: Study) -> None:
    study.data.train  # noqa: B018 - cut before the clock runs
    start = time.perf_counter()
    found = timing.split_time(study, CELL, steps=3)
    elapsed = time.perf_counter() - start
    assert found.keys() == {"cell", "device", "batch", "steps", "seconds"}
    assert (found["cell"], found["batch"], found["steps"]) == ("two classifiers", 2, 3)
    assert tuple(found["seconds"]) == timing.PARTS
    assert min(found["seconds"].values()) > 0
    assert elapsed / 100 < sum(found["seconds"].values()) < elapsed


@pytest.mark.parametrize(
    ("part", "owner", "name"),
    [
        ("data", Scaling, "to_unit"),
        ("superpixels", terrasift.data.regions, "superpixels"),
        ("forward", Network, "forward"),
        ("vote", terrasift.training, "own_labels"),
        ("loss", terrasift.training, "class_weights"),
        ("backward", Fabric, "backward"),
    ],
)
def test_what_slows_a_part_down_counts_for_it(
    study: Study, monkeypatch: pytest.MonkeyPatch, part: str, owner: Any, name: str
) -> None:
    def slowed(function: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*arguments: Any, **named: Any) -> Any:
            if running:
                time.sleep(0.05)
            return function(*arguments, **named)

        return slow

    running: list[bool] = []
    monkeypatch.setattr(owner, name, slowed(getattr(owner, name)))
    study.data.train  # noqa: B018
    running.append(True)
    calls = 1 if part in ("forward", "backward") else 2  # patches, or classifiers
    assert timing.split_time(study, CELL, steps=1)["seconds"][part] >= 0.05 * calls


def test_superpixels_are_made_afresh_each_time_and_none_are_kept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    original = terrasift.data.regions.superpixels

    def counted(*arguments: Any, **named: Any) -> Any:
        made.append(1)
        return original(*arguments, **named)

    monkeypatch.setattr(terrasift.data.regions, "superpixels", counted)
    for _ in range(2):
        timing.split_time(study, CELL, steps=2)
    assert len(made) == 2 * 3 * 2  # twice, a step to warm up and two, two patches
    assert not (study.path / "superpixels").exists()


def test_file_appears_whole(study: Study) -> None:
    study.path.mkdir()
    path = timing.write_timing(study, CELL)
    assert path == study.path / "timing.json"
    assert json.loads(path.read_text())["seconds"].keys() == set(timing.PARTS)
    assert [entry.name for entry in study.path.glob("timing*")] == ["timing.json"]


def test_baselines_have_no_steps(study: Study) -> None:
    with pytest.raises(ValueError, match="only networks"):
        timing.split_time(study, Cell("external alone", method="external"))
