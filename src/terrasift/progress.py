"""How far things are: library code tells it to one listener, which shows it, passes it on, or ends the work.

Whoever calls nothing sees a bar in terminals and notebooks, and a line now and then in the log elsewhere.
The listener belongs to the context (`contextvars`): a server's thread, a notebook and a test each set their own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

from markupsafe import Markup
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Advance", "Listener", "Stage", "listening", "log_lines", "progress_bar", "quiet", "track"]

_Item = TypeVar("_Item")
_logger = logging.getLogger(__name__)


class Advance(Protocol):
    """Moves a stage on and sets the message at its end."""

    def __call__(self, message: str = "", by: int = 1) -> None:
        """Move on by `by`, with a message."""


@dataclass(eq=False)
class Stage:
    """Something that takes a while, and how far it is. A listener gets the same object at every step.

    Attributes
    ----------
    name
        What is done: ``superpixels``, ``training``, the name of a scene.
    total, done
        Steps in all, and those that are done; the unit is the stage's own.
    message
        What the last step said, as ``loss 1.234``; may be empty.
    is_over
        Whether this is the last that is heard of it, finished or not.
    """

    name: str
    total: int
    done: int = 0
    message: str = ""
    is_over: bool = False
    _done_before: int = field(init=False)
    _begun: float = field(init=False)

    def __post_init__(self) -> None:
        self._done_before, self._begun = self.done, time.monotonic()

    @property
    def seconds_left(self) -> float:
        """At the pace so far."""
        return (self.total - self.done) * (time.monotonic() - self._begun) / max(1, self.done - self._done_before)


Listener: TypeAlias = Callable[[Stage], object]
"""Is told of a stage when it begins, after each step, and when it is over. What it raises ends the work."""


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Within the block, tell `listener` how far things are, instead of drawing bars.

    To cancel the work, raise anything in the listener: everything ends as an interrupt does (`KeyboardInterrupt`), with
    nothing half-written and what can be resumed resumable.

    Examples
    --------
    >>> with listening(lambda stage: print(stage.name, stage.done)):
    ...     total = sum(track([1, 2], 2, "numbers"))
    numbers 0
    numbers 1
    numbers 2
    numbers 2
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def quiet() -> Iterator[None]:
    """Within the block, neither bars nor lines say how far things are.

    Examples
    --------
    >>> with quiet():
    ...     sum(track([1, 2], 2, "numbers"))
    3
    """
    with listening(lambda _: None):
        yield


@contextmanager
def progress_bar(name: str, total: int, *, done: int = 0) -> Iterator[Advance]:
    """A stage of `total` steps, of which `done` were done before; the block moves it on."""
    listener = _listener.get() or _show
    stage = Stage(name, total, done)

    def advance(message: str = "", by: int = 1) -> None:
        stage.done += by
        stage.message = message
        _tell(listener, stage)

    _tell(listener, stage)
    try:
        yield advance
    finally:
        stage.is_over = True
        _tell(listener, stage)


def track(items: Iterable[_Item], total: int, name: str) -> Iterator[_Item]:
    """Pass items through, a step of a stage each."""
    with progress_bar(name, total) as advance:
        for item in items:
            yield item
            advance()


def _tell(listener: Listener, stage: Stage) -> None:
    try:
        listener(stage)
    except Exception as error:  # the work must not take it for a scene that failed, and go on with the next
        raise KeyboardInterrupt(str(error)) from error


def log_lines() -> Listener:
    """A listener that says in the log, every half minute, how far a stage is."""
    said: dict[Stage, float] = {}

    def listen(stage: Stage) -> None:
        now = time.monotonic()
        if stage.is_over:
            said.pop(stage, None)
        elif now - said.setdefault(stage, now) >= _SECONDS_BETWEEN_LINES:
            said[stage] = now
            share = f"{stage.done / max(1, stage.total):.0%}"
            parts = [share, f"{_in_words(stage.seconds_left)} left", *([stage.message] if stage.message else [])]
            _logger.info("%s: %s", stage.name, ", ".join(parts))

    return listen


_SECONDS_BETWEEN_LINES = 30


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


class _Bars:
    """Bars with elapsed and remaining time, one below the other where stages are in each other."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._tasks: dict[Stage, TaskID] = {}
        self._changing = threading.Lock()

    def __call__(self, stage: Stage) -> None:
        with self._changing:
            if self._bars is None:
                self._bars = _begin_bars()
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(
                    stage.name, total=stage.total, completed=stage.done, message=""
                )
            task = self._tasks[stage]
            self._bars.update(task, completed=stage.done, message=stage.message)
            if stage.is_over:
                del self._tasks[stage]
                self._end(task)

    def _end(self, task: TaskID) -> None:
        assert self._bars is not None
        if self._tasks:
            self._bars.remove_task(task)
        else:
            self._bars.stop()
            self._bars = None


def _begin_bars() -> Progress:
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(20),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        TextColumn("{task.fields[message]}"),
        console=Console(stderr=True),
    )
    bars.start()
    return bars


class _CellBars:
    """Bars below a notebook's cell, from half a second on; gone once all is done."""

    def __init__(self) -> None:
        self._stages: list[Stage] = []
        self._shown: Any = None
        self._next = 0.0
        self._changing = threading.Lock()

    def __call__(self, stage: Stage) -> None:
        with self._changing:
            now = time.monotonic()
            if not self._stages:
                self._next = now + _SECONDS_BEFORE_CELL
            if stage not in self._stages:
                self._stages.append(stage)
            if stage.is_over:
                self._stages.remove(stage)
            if now >= self._next or not self._stages:
                self._next = now + _SECONDS_BETWEEN_CELLS
                self._draw()

    def _draw(self) -> None:
        from IPython.display import HTML, display

        html = HTML("".join(map(_cell_bar, self._stages)))
        if self._shown is not None:
            self._shown.update(html)
        elif self._stages:
            self._shown = display(html, display_id=True)
        if not self._stages:
            self._shown = None


def _cell_bar(stage: Stage) -> str:
    left = f"{_in_words(stage.seconds_left)} left" if stage.done else ""
    return Markup('<div>{} <progress value="{}" max="{}"></progress> {} {}</div>').format(
        stage.name, stage.done, stage.total, left, stage.message
    )


_SECONDS_BEFORE_CELL = 0.5
_SECONDS_BETWEEN_CELLS = 0.2  # every update is a message to the browser


class _Show:
    """Bars where they can be drawn, lines in the log elsewhere; decided anew for each stage."""

    def __init__(self) -> None:
        self._bars, self._cell_bars, self._lines = _Bars(), _CellBars(), log_lines()
        self._shown: dict[Stage, Listener] = {}

    def __call__(self, stage: Stage) -> None:
        shown = self._shown.get(stage)
        if shown is None:
            console = Console(stderr=True)
            bars = self._cell_bars if console.is_jupyter else self._bars
            shown = self._shown[stage] = bars if console.is_terminal or console.is_jupyter else self._lines
        if stage.is_over:
            del self._shown[stage]
        shown(stage)


_show = _Show()
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
