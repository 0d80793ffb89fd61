"""The command as QGIS's child: heard, cancelled, killed, and kept apart from QGIS's own environment."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="starts a shell script")


def never() -> bool:
    return False


def ignore(event: object) -> None:
    pass


def test_events_are_heard_and_the_outcome_returned(plugin: ModuleType, fake: Path) -> None:
    events: list[Any] = []
    outcome = plugin.child.run_command([str(fake), "work", "a map.tif"], events.append, never)
    assert outcome == {"written": ["a map.tif"], "facts": {"classes": 3}, "next": "terrasift view"}
    assert events == [
        {"event": "log", "level": "info", "message": "2 patches of Ü"},
        *({"event": "progress", "stage": "superpixels", "done": n, "total": 2, "message": "north"} for n in range(3)),
        {"event": "output", "message": "a line of a library"},
    ]


def test_neither_pipe_fills(plugin: ModuleType, fake: Path) -> None:
    events: list[Any] = []
    assert len(plugin.child.run_command([str(fake), "shout"], events.append, never)["facts"]) == 5000
    assert len(events) == 5000


@pytest.mark.parametrize("how", ["fail", "fail as of old"])
def test_an_error_is_the_one_line_of_the_command(plugin: ModuleType, fake: Path, how: str) -> None:
    with pytest.raises(plugin.child.CommandError) as error:
        plugin.child.run_command([str(fake), how], ignore, never)
    assert str(error.value) == "map.png: is broken; mend it"


def test_what_answers_no_json_is_another_version(plugin: ModuleType, fake: Path) -> None:
    with pytest.raises(plugin.child.CommandError, match="did not answer in JSON"):
        plugin.child.run_command([str(fake), "mumble"], ignore, never)


@pytest.mark.parametrize(("how", "tidies_up"), [("last", True), ("last through an interrupt", False)])
def test_cancel_ends_all_processes_within_three_seconds(
    plugin: ModuleType, fake: Path, tmp_path: Path, how: str, tidies_up: bool
) -> None:
    told = tmp_path / "pids"
    cancelled = threading.Event()
    asked: list[float] = []

    def cancel(event: object) -> None:
        asked.append(time.monotonic())
        cancelled.set()

    with pytest.raises(plugin.child.CancelledError):
        plugin.child.run_command([str(fake), how, str(told)], cancel, cancelled.is_set)
    assert time.monotonic() - asked[0] < 3
    assert told.with_suffix(".tidy").exists() == tidies_up
    assert_gone(told)


def test_a_kill_from_outside_leaves_no_orphan(plugin: ModuleType, fake: Path, tmp_path: Path) -> None:
    told = tmp_path / "pids"

    def kill(event: object) -> None:
        os.kill(int(told.read_text().split()[0]), signal.SIGKILL)

    with pytest.raises(plugin.child.CommandError, match=r"ended from outside \(SIGKILL.*run it again"):
        plugin.child.run_command([str(fake), "last", str(told)], kill, never)
    assert_gone(told)


def assert_gone(told: Path) -> None:
    for pid in told.read_text().split():
        assert wait_until(lambda pid=pid: state(pid) in ("", "Z")), f"process {pid} still runs"


def state(pid: str) -> str:
    return subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True).stdout.strip()[:1]


def wait_until(is_true: Callable[[], bool]) -> bool:
    return any(is_true() or time.sleep(0.05) for _ in range(40))


def test_what_qgis_sets_for_itself_is_kept_from_the_command(
    plugin: ModuleType, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONHOME", "PYTHONPATH", "GDAL_DATA", "PROJ_LIB", "PROJ_DATA", "LD_LIBRARY_PATH", "QT_PLUGIN_PATH"):
        monkeypatch.setenv(name, "/of/qgis")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    environment = plugin.child.run_command([str(fake), "environment"], ignore, never)
    assert "/of/qgis" not in environment.values()
    assert environment["AWS_PROFILE"] == "mine"
    assert environment["PYTHONUTF8"] == "1"


def test_folders_of_qgis_for_windows_leave_the_path(plugin: ModuleType) -> None:
    path = os.pathsep.join(["/osgeo/bin", "/usr/bin"])
    assert plugin.child.clean_environment({"OSGEO4W_ROOT": "/osgeo", "PATH": path})["PATH"] == "/usr/bin"
