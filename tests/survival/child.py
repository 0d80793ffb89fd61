"""A command in a process of its own, forked from one that has imported everything, in which anything may go wrong."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from terrasift.errors import TerrasiftError
from tests.survival.commands import Command

__all__ = ["Child", "Ended", "Moment", "forked"]


class Moment(NamedTuple):
    """When a process is killed: so many seconds after a stage began, or at its so-manieth change of a file."""

    stage: str
    """"": the command itself."""
    seconds: float | None = None
    change: int | None = None


class Ended(NamedTuple):
    """What became of a command."""

    code: int
    """Its exit code; -9 if it was killed."""
    said: str
    stages: dict[str, list[float]]
    """When each began and how many changes of files it had made: the time until the next one, and their number."""
    modules: list[str]
    """That it imported."""

    @property
    def answer(self) -> str:
        """What is wrong with how it ended: "" where nothing is, or where it was killed."""
        if "Traceback" in self.said or self.code not in (0, 2, -signal.SIGKILL):
            return f"exit code {self.code}: {self.said[-400:]}"
        failed = [line for line in self.said.splitlines() if line.startswith("terrasift: ")]
        return "" if bool(failed) == (self.code == 2) else f"exit code {self.code}, and says {failed}"


class Child:
    """A command at work.

    Parameters
    ----------
    command
        Which; given in `place`.
    place
        Its working folder.
    again
        Whether it is given for a second time.
    temporary
        Where it makes temporary files; None: where this process does.
    clock_jumps
        Whether the time of day jumps years whenever somebody looks.
    home
        Not "": its working folder has been deleted, and the paths that it is given are ``absolute``, or ``relative``.
    """

    def __init__(
        self,
        command: Command,
        place: Path,
        moment: Moment | None = None,
        *,
        again: bool = False,
        temporary: Path | None = None,
        clock_jumps: bool = False,
        home: str = "",
    ) -> None:
        self._moment = moment
        handle, said = tempfile.mkstemp(prefix="terrasift-said-")
        os.close(handle)
        self._said = Path(said)
        self._pipe, theirs = os.pipe()
        self._text = b""
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid:
            os.close(theirs)
            return
        code, report = 70, _Report(theirs, place, moment)
        try:
            _redirect(self._said)
            os.chdir(place)
            if temporary is not None:
                temporary.mkdir(exist_ok=True)
                os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
            arguments = [*map(str, command.arguments), *([command.again] if again and command.again else [])]
            if home:
                arguments = _absolute(arguments, place) if home == "absolute" else arguments
                (place / "gone").mkdir()
                os.chdir(place / "gone")
                (place / "gone").rmdir()
            if clock_jumps:
                time.time = lambda: random.uniform(0, 4e9)
            report.watch()
            code = _call(command.call) if command.call else _run(arguments)
            report.end()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def wait(self, meanwhile: Callable[[], object] = lambda: None) -> Ended:
        """Wait until it has ended, and kill it at the moment that was asked for."""
        at = time.monotonic() + _LONGEST
        moment = self._moment
        if moment is not None and moment.seconds is not None and not moment.stage:
            at = time.monotonic() + moment.seconds
        stages: dict[str, list[float]] = {}
        modules: list[str] = []
        while True:
            over, status = os.waitpid(self.pid, os.WNOHANG)
            for word, content in self._lines():
                if word == "stage":
                    stages[content] = [time.monotonic(), 0]
                    if moment is not None and moment.seconds is not None and moment.stage == content:
                        at = time.monotonic() + moment.seconds
                elif word == "end":
                    ended = json.loads(content)
                    modules = ended["modules"]
                    starts = [*(entry[0] for entry in stages.values()), time.monotonic()]
                    for number, name in enumerate(stages):
                        stages[name] = [starts[number + 1] - starts[number], ended["changes"].get(name, 0)]
            if over:
                break
            meanwhile()
            if time.monotonic() >= at:
                os.kill(self.pid, signal.SIGKILL)
                at = float("inf")
        os.close(self._pipe)
        said = self._said.read_text(errors="replace")
        self._said.unlink()
        return Ended(os.waitstatus_to_exitcode(status), said, stages, modules)

    def _lines(self) -> Iterator[tuple[str, str]]:
        while select.select([self._pipe], [], [], 0.002)[0]:
            part = os.read(self._pipe, 1 << 16)
            if not part:
                break
            self._text += part
        *lines, self._text = self._text.split(b"\n")
        for line in lines:
            word, _, content = line.decode().partition(" ")
            yield word, content


_LONGEST = 300.0  # seconds; longer is a hang


def forked(work: Callable[[], object]) -> None:
    """Do some work in a process of its own, so that this one starts no threads and can be forked again."""
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if status:
        raise RuntimeError(f"{work} failed")


def import_all(modules: list[str]) -> None:
    """Import what a child had to, so that the next ones need not."""
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _redirect(said: Path) -> None:
    file = os.open(said, os.O_CREAT | os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)


def _run(arguments: list[str]) -> int:
    from terrasift.cli import main

    sys.argv = ["terrasift", *arguments]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _call(work: Callable[[], object]) -> int:
    try:
        work()
    except (TerrasiftError, OSError) as error:
        print(f"terrasift: {error}")
        return 2
    return 0


def _absolute(arguments: list[str], place: Path) -> list[str]:
    options = ("--out", "--cache", "--vector", "--probabilities", "--data")
    pairs = zip(["", *arguments], arguments, strict=False)
    return [
        str(place / word)
        if before in options or (word and not word.startswith("-") and (place / word).exists())
        else word
        for before, word in pairs
    ]


class _Report:
    """Tells the parent which stage a training is in, and counts what changes files."""

    def __init__(self, pipe: int, place: Path, moment: Moment | None) -> None:
        self._pipe, self._place, self._moment = pipe, str(place), moment
        self._stage, self._changes = "", {"": 0}
        self._modules = set(sys.modules)

    def watch(self) -> None:
        from terrasift.api import train as _  # noqa: F401
        from terrasift.data import sampling

        vars(sampling)["_WINDOWS"] = 1500  # discovery on tiny images learns its filters from fewer
        trainer: Any = sys.modules["terrasift.api.trainer"]
        trainer.STAGES = tuple(stage._replace(do=self._told(stage.name, stage.do)) for stage in trainer.STAGES)
        self._tell("stage", "")
        sys.addaudithook(self._heard)

    def end(self) -> None:
        """Say what the parent is to know."""
        new = sorted(set(sys.modules) - self._modules)
        self._tell("end", json.dumps({"changes": self._changes, "modules": new}))

    def _told(self, name: str, do: Callable[..., object]) -> Callable[..., object]:
        def begin(*arguments: Any) -> object:
            self._stage = name
            self._changes[name] = 0
            self._tell("stage", name)
            return do(*arguments)

        return begin

    def _tell(self, word: str, content: str) -> None:
        os.write(self._pipe, f"{word} {content}\n".encode())

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _CHANGES or isinstance(arguments[0], int):
            return
        if event == "open" and not (arguments[2] or 0) & _WRITING:
            return
        path = os.fsdecode(arguments[0])
        if path.startswith("/") and not path.startswith(self._place):
            return
        self._changes[self._stage] += 1
        moment = self._moment
        if moment and moment.stage == self._stage and moment.change == self._changes[self._stage]:
            os.kill(os.getpid(), signal.SIGKILL)


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink"}
