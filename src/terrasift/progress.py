"""One kind of progress bar for everything that takes longer than a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["Advance", "progress_bar", "track"]

_Item = TypeVar("_Item")
_logger = logging.getLogger(__name__)


class Advance(Protocol):
    """Moves a bar on and sets the note at its end."""

    def __call__(self, note: str = "", by: int = 1) -> None:
        """Move on by `by`, with a note."""


@contextmanager
def progress_bar(description: str, total: int, *, show: bool = True, done: int = 0) -> Iterator[Advance]:
    """A bar on standard error with elapsed and remaining time; in a log file, a line every half minute instead."""
    console = Console(stderr=True)
    if not show or not console.is_terminal:
        yield _Lines(description, total, done) if show else _silent
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        TextColumn("{task.fields[note]}"),
        console=console,
    )
    with bar:
        task = bar.add_task(description, total=total, completed=done, note="")

        def advance(note: str = "", by: int = 1) -> None:
            bar.update(task, advance=by, note=note)

        yield advance


class _Lines:
    """Says now and then how far something is, where a bar cannot be drawn."""

    def __init__(self, description: str, total: int, done: int) -> None:
        self._description = description
        self._total = total
        self._done = self._done_before = done
        self._said = self._begun = time.monotonic()

    def __call__(self, note: str = "", by: int = 1) -> None:
        self._done += by
        now = time.monotonic()
        if now - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = now
            left = (self._total - self._done) * (now - self._begun) / max(1, self._done - self._done_before)
            parts = [f"{self._done / max(1, self._total):.0%}", f"{_in_words(left)} left", *([note] if note else [])]
            _logger.info("%s: %s", self._description, ", ".join(parts))


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


_SECONDS_BETWEEN_LINES = 30


def _silent(note: str = "", by: int = 1) -> None:
    pass


def track(items: Iterable[_Item], total: int, description: str, *, show: bool = True) -> Iterator[_Item]:
    """Pass items through, moving a bar on after each."""
    with progress_bar(description, total, show=show) as advance:
        for item in items:
            yield item
            advance()
