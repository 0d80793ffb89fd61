"""One kind of progress bar for everything that takes longer than a second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["Advance", "progress_bar", "track"]

_Item = TypeVar("_Item")


class Advance(Protocol):
    """Moves a bar on and sets the note at its end."""

    def __call__(self, note: str = "", by: int = 1) -> None:
        """Move on by `by`, with a note."""


@contextmanager
def progress_bar(description: str, total: int, *, show: bool = True, done: int = 0) -> Iterator[Advance]:
    """A bar on standard error with elapsed and remaining time."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        disable=not show,
    )
    with bar:
        task = bar.add_task(description, total=total, completed=done, note="")

        def advance(note: str = "", by: int = 1) -> None:
            bar.update(task, advance=by, note=note)

        yield advance


def track(items: Iterable[_Item], total: int, description: str, *, show: bool = True) -> Iterator[_Item]:
    """Pass items through, moving a bar on after each."""
    with progress_bar(description, total, show=show) as advance:
        for item in items:
            yield item
            advance()
