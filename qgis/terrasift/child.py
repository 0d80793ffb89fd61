# SPDX-License-Identifier: GPL-2.0-or-later
"""The command as a child of QGIS: started in an environment of its own, listened to, and ended when told to.

Needs nothing of QGIS. The command is asked for `--progress json` (what happens, a JSON object a line, on its standard
error) and `--json` (the outcome, one JSON object, on its standard output).
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

__all__ = ["CancelledError", "CommandError", "clean_environment", "run_command"]

Tell = Callable[[Mapping[str, Any]], None]


class CommandError(Exception):
    """The command failed; the one line that it said why."""


class CancelledError(Exception):
    """The command was ended because somebody wanted it to."""


def run_command(command: Sequence[str], tell: Tell, is_cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Run `terrasift ...` to its end, and return its outcome.

    Parameters
    ----------
    command
        The executable, the name of the command, and what it is given.
    tell
        Is given each event, in this thread: a mapping whose ``event`` is ``progress``, ``log``, ``error`` from the
        second on, or ``output`` for lines of standard error that are no events.
    is_cancelled
        Asked some ten times a second; once it is true, the command and all that it has started end within three
        seconds.

    Raises
    ------
    CommandError
        If it cannot be started, fails, is killed from outside, or answers what this plugin does not understand.
    CancelledError
        If it was cancelled.
    """
    child = _start([*command, "--progress", "json", "--json"])
    said: dict[str, str] = {}
    answer: list[str] = []
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    hearing, reading = _reader(child.stderr, lines.put), _reader(child.stdout, answer.append)
    try:
        while child.poll() is None or hearing.is_alive() or not lines.empty():
            if is_cancelled():
                raise CancelledError
            try:
                _hear(lines.get(timeout=0.1), said, tell)
            except queue.Empty:
                if child.poll() is not None:
                    break  # what it has started may hold its standard error still
    finally:
        _end(child)
    reading.join(10)
    if child.returncode != 0:
        raise CommandError(_reason(child.returncode, said))
    return _outcome(command, "".join(answer))


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a child may inherit: all but what QGIS sets for its own Python, GDAL, PROJ and Qt, which break others'."""
    kept = {name: value for name, value in environment.items() if not name.upper().startswith(_OF_QGIS)}
    root = environment.get("OSGEO4W_ROOT")  # QGIS for Windows: its folders of DLLs come first in PATH
    if root:
        folders = kept.get("PATH", "").split(os.pathsep)
        inside = os.path.normcase(root)
        kept["PATH"] = os.pathsep.join(each for each in folders if not os.path.normcase(each).startswith(inside))
    return {**kept, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


_OF_QGIS = (
    "PYTHON",
    "__PYVENV_LAUNCHER__",
    "VIRTUAL_ENV",
    "GDAL_DATA",
    "GDAL_DRIVER_PATH",
    "GEOTIFF_CSV",
    "PROJ_LIB",
    "PROJ_DATA",
    "QGIS",
    "QT_",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_",
    "OSGEO4W_ROOT",
    "GISBASE",
    "O4W_",
)


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    if os.name == "nt":
        own: dict[str, Any] = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    else:
        own = {"start_new_session": True}
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=clean_environment(os.environ),
            **own,
        )
    except OSError as error:
        raise CommandError(f"{command[0]}: cannot be started ({error.strerror})") from error


def _reader(stream: IO[str] | None, take: Callable[[str], object]) -> threading.Thread:
    """Hands lines over as they come, so that neither pipe of a child fills while the other is read."""

    def read() -> None:
        assert stream is not None
        with stream:
            for line in stream:
                take(line)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _hear(line: str, said: dict[str, str], tell: Tell) -> None:
    line = line.rstrip()
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict) or "event" not in event:
        if not line:
            return
        event = {"event": "output", "message": line}
    if event["event"] == "error" and "error" not in said:
        said["error"] = str(event.get("message", ""))  # becomes the failure itself
        return
    if event["event"] == "output":
        said["output"] = line
    tell(event)


def _reason(code: int, said: Mapping[str, str]) -> str:
    if "error" in said:
        return said["error"]
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        why = ", as happens where memory is short" if name == "SIGKILL" else ""
        return f"terrasift was ended from outside ({name}{why}); nothing half-written is left: run it again"
    if "output" in said:
        return said["output"].removeprefix("terrasift: ")
    return f"terrasift ended with exit code {code} and said nothing; run it in a terminal to see why"


def _outcome(command: Sequence[str], answer: str) -> dict[str, Any]:
    try:
        outcome = json.loads(answer)
    except ValueError:
        outcome = None
    if not isinstance(outcome, dict):
        raise CommandError(f"{command[0]}: did not answer in JSON; its version is not one that this plugin knows")
    return outcome


def _end(child: subprocess.Popen[str]) -> None:
    """Let a child that still runs tidy up, for two seconds; then end it, and all that it has started."""
    if child.poll() is None:
        with suppress(OSError):
            if os.name == "nt":
                child.send_signal(signal.CTRL_BREAK_EVENT)
            else:
                os.killpg(child.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_SECONDS_TO_TIDY_UP)
    if child.returncode != 0:
        _kill(child)
    child.wait()


_SECONDS_TO_TIDY_UP = 2


def _kill(child: subprocess.Popen[str]) -> None:
    if os.name == "nt":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(child.pid)], capture_output=True, check=False)
        return
    with suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)
