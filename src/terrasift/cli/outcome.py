"""What a command did: the same for whoever reads it as for programs."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What a command did, in the order in which it is said.

    Attributes
    ----------
    shown
        Lines of text, and tables of rich, for people only.
    written
        Each file or folder that was written, and what it is; what its name says already is left empty.
    lines
        Lines of text that speak of what was written, for people only.
    failures
        What could not be done, a line each; the exit code is 2 then.
    next
        The command that comes next, or what else there is to do.
    facts
        What was found out, for programs: numbers, texts, lists and mappings.
    content
        The command's own keys, for programs, beside `facts`.
    """

    shown: Sequence[Any] = ()
    written: Mapping[Path, str] = field(default_factory=dict)
    lines: Sequence[str] = ()
    failures: Sequence[str] = ()
    next: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)

    def print(self) -> None:
        """Say it to people, on standard output."""
        import typer
        from rich.console import Console

        for part in self.shown:
            if isinstance(part, str):
                typer.echo(part)
            else:
                Console().print(part)
        for path, what in self.written.items():
            typer.echo(f"wrote {path}{what and f': {what}'}")
        for line in self.lines:
            typer.echo(line)
        if self.next and not self.failures:
            typer.echo(f"next: {self.next}")

    def to_json(self) -> str:
        """Say it to programs: one JSON object; what is not a number in it is null."""
        own = {"written": [os.fspath(path) for path in self.written], "facts": self.facts, "next": self.next}
        failed = {"failures": list(self.failures)} if self.failures else {}
        return json.dumps(_plain(own | failed | dict(self.content)), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """With what JSON lacks in the nearest that it has: paths as text, NaN as null, arrays as lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return os.fspath(value) if isinstance(value, os.PathLike) else value
