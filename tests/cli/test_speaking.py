"""Every command speaks in one way: to people, or to programs."""

from __future__ import annotations

import ast
import json
import logging
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

import terrasift
from terrasift import InputError, Run, RunError, SettingError, TerrasiftError
from terrasift.cli import app
from terrasift.cli.outcome import Outcome

Command = Callable[..., Any]


def commands() -> list[str]:
    """All of them; of those that have commands of their own, these."""
    group: Any = typer.main.get_command(app)
    inner = {name: getattr(entry, "commands", {}) for name, entry in group.commands.items()}
    return [found for name, below in inner.items() for found in ([f"{name} {each}" for each in below] or [name])]


@pytest.mark.parametrize("name", commands())
def test_every_command_can_speak_to_programs(command: Command, name: str) -> None:
    helped = command(*name.split(), "--help").out
    assert "--json" in helped
    assert "--progress" in helped


def test_programs_are_told_of_a_prediction(command: Command, tiny_run: Run, scenes: Path, tmp_path: Path) -> None:
    images = [scenes / "images" / f"{name}.tif" for name in ("north", "south")]
    outcome = command("predict", tiny_run.path, *images, "--out", tmp_path, "--json", "--progress", "json")
    assert outcome.code == 0, outcome.err
    content = json.loads(outcome.out)
    maps = [str(tmp_path / image.name) for image in images]
    assert content["written"] == [*maps, str(tmp_path / "mosaic.vrt")]
    assert content["facts"] == {"maps": maps, "polygons": [], "mosaic": str(tmp_path / "mosaic.vrt"), "failed": {}}
    assert content["next"].startswith(f"terrasift legend {tiny_run.path} --merge-to auto")
    events = [json.loads(line) for line in outcome.err.splitlines()]
    assert all(event["event"] == "progress" for event in events)
    north = [event for event in events if event["stage"] == "north.tif"]
    assert (north[0]["done"], north[-1]["done"]) == (0, 256 * 256)
    assert {event["total"] for event in north} == {256 * 256}
    scenes_done = [event["done"] for event in events if event["stage"] == "scenes"]
    assert (scenes_done[0], scenes_done[-1]) == (0, 2)


def test_programs_are_told_what_went_wrong(command: Command, tiny_run: Run, tmp_path: Path) -> None:
    given = ("--progress", "json", "--json")
    refused = command("predict", tiny_run.path, tmp_path / "none.tif", "--out", tmp_path / "map.tif", *given)
    assert (refused.code, refused.out) == (2, "")
    message = f"{tmp_path / 'none.tif'}: does not exist; check the path"
    assert json.loads(refused.err) == {"event": "error", "message": message}
    misused = command("predict", tiny_run.path, "--progress", "json")
    assert misused.code == 2
    assert json.loads(misused.err)["event"] == "error"


def test_the_log_and_warnings_of_others_are_events_too(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(_: str) -> str:
        logging.getLogger("terrasift.somewhere").info("by the way")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return "a thing"

    monkeypatch.setattr("terrasift.report.terminal.describe.describe", describe)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        outcome = command("info", "thing", "--progress", "json")
    events = [json.loads(line) for line in outcome.err.splitlines()]
    assert events[0] == {"event": "log", "level": "info", "message": "by the way"}
    assert events[1]["level"] == "warning"
    assert "old" in events[1]["message"]
    assert outcome.out == "a thing\n"


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["info", "a.tif"], "give the same command again"),
        (["predict", "run", "a.tif", "--out", "b"], "go on with the same command and --resume"),
    ],
)
def test_an_interrupt_is_said_in_one_way(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], mend: str
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "open", interrupt)
    monkeypatch.setattr("terrasift.report.terminal.describe.describe", interrupt)
    outcome = command(*arguments)
    assert outcome == (130, "", f"terrasift: interrupted; {mend}\n")


def test_an_outcome_has_what_json_lacks_in_the_nearest_that_it_has(tmp_path: Path) -> None:
    facts = {"score": float("nan"), "counts": np.arange(2), "path": tmp_path, "share": np.float64(0.5), 1: (None,)}
    content = json.loads(Outcome(written={tmp_path: "it"}, facts=facts, content={"own": True}).to_json())
    plain = {"score": None, "counts": [0, 1], "path": str(tmp_path), "share": 0.5, "1": [None]}
    assert content == {"written": [str(tmp_path)], "facts": plain, "next": "", "own": True}


def test_a_run_of_failures_is_an_outcome_too(command: Command, tiny_run: Run, scenes: Path, tmp_path: Path) -> None:
    shutil.copy(scenes / "images" / "north.tif", tmp_path / "a.tif")
    (tmp_path / "b.tif").write_text("no raster")
    outcome = command("predict", tiny_run.path, tmp_path / "*.tif", "--out", tmp_path / "maps", "--json")
    assert outcome.code == 2
    content = json.loads(outcome.out)
    assert content["written"] == [str(tmp_path / "maps" / "a.tif")]
    assert "b.tif" in content["failures"][0]
    assert content["failures"][-1] == "1 of 2 scenes failed"


def test_the_reader_of_a_pipe_may_leave(tmp_path: Path) -> None:
    command = f"{sys.executable} -m terrasift info paper | head -1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert ended.stdout.startswith("extractor: ")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SettingError("vector", "is odd", "see `min_area=4`"), "--vector: is odd; see --min-area 4"),
        (InputError("map.tif", "is there", "`overwrite=True`, or not"), "map.tif: is there; --overwrite, or not"),
        (RunError("run", "has `clusters=3`", "`predict.window=64`"), "run: has --clusters 3; --set predict.window=64"),
        (InputError("scenes", "are none", "see `mask`"), "scenes: are none; see `mask`"),
    ],
)
def test_the_library_speaks_of_parameters_and_the_command_of_options(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: TerrasiftError, line: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Run, "open", fail)
    assert command("predict", "run", "a.tif", "--out", "b.tif").err == f"terrasift: {line}\n"


def test_no_message_of_the_library_names_an_option() -> None:
    source = Path(terrasift.__file__).parent
    found = []
    for path in sorted(source.rglob("*.py")):
        if path.relative_to(source).parts[0] == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            said = re.sub(r"terrasift \w+ .*", "", ast.unparse(node)) if isinstance(node, ast.Raise) else ""
            if re.search(r"(?<![\w-])--[a-z]", said):  # whole commands may have options
                found.append(f"{path.relative_to(source)}:{node.lineno}")
    assert not found
