"""The legend of a run, and the one before it: replaced by several processes without a loss."""

from __future__ import annotations

import hashlib
from pathlib import Path

from filelock import FileLock, Timeout

from terrasift.errors import RunError
from terrasift.files import read_bytes, whole, write_bytes
from terrasift.legend import Legend

__all__ = ["LegendFile"]

_LONGEST_WAIT = 30.0  # seconds; a legend is written in milliseconds


class LegendFile:
    """``legend.yaml`` and ``legend.previous.yaml`` of a folder.

    Parameters
    ----------
    folder
        The run's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "legend.yaml"
        self.previous = folder / "legend.previous.yaml"

    @property
    def digest(self) -> str:
        """What tells whether the file has changed."""
        return _digest(self._content())

    def save(self, legend: Legend, seen: str | None = None) -> str | None:
        """See `RunFolder.save_legend`."""
        try:
            with FileLock(self._folder / ".legend.lock", timeout=_LONGEST_WAIT):
                return self._replace(legend, seen)
        except Timeout as error:
            raise RunError(self.path, "is being changed by another process", "try again") from error

    def _replace(self, legend: Legend, seen: str | None) -> str | None:
        before = self._content()
        if seen is not None and _digest(before) != seen:
            return None
        with whole(self.path) as new:
            legend.save(new)
            after = new.read_bytes()
            if before and after != before:
                write_bytes(self.previous, before)  # a copy: a legend is there at any moment
        return _digest(after)

    def _content(self) -> bytes:
        return read_bytes(self.path, RunError) if self.path.exists() else b""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
