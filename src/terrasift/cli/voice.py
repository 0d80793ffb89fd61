"""What a command says while it works, on standard error: to people, or as JSON lines to programs."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal, TypeAlias

from terrasift.progress import Listener, Stage, listening, log_lines

__all__ = ["ProgressAs", "Voice"]

ProgressAs: TypeAlias = Literal["auto", "lines", "json", "none"]


class Voice(logging.Handler):
    """Takes the log, how far things are, and what went wrong to standard error.

    Attributes
    ----------
    progress_as
        ``auto``: bars in a terminal, else lines; ``lines``; ``json``: everything as JSON lines; ``none``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.progress_as: ProgressAs = "auto"

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Within the block, listen to the log of this package."""
        logger = logging.getLogger("terrasift")
        level = logger.level
        logger.setLevel(logging.INFO)
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(level)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Within the block, say how far things are in the way that was asked for."""
        listeners: dict[str, Listener] = {"lines": log_lines(), "json": _Events(), "none": lambda _: None}
        with ExitStack() as stack:
            if self.progress_as != "auto":
                stack.enter_context(listening(listeners[self.progress_as]))
            if self.progress_as == "json":  # nothing but JSON lines, whoever warns
                stack.callback(logging.captureWarnings, False)
                logging.captureWarnings(True)
                stack.callback(logging.getLogger("py.warnings").removeHandler, self)
                logging.getLogger("py.warnings").addHandler(self)
            yield

    def emit(self, record: logging.LogRecord) -> None:
        """Say a line of the log; above a bar where one is drawn."""
        message = record.getMessage()
        if self.progress_as == "json":
            _event("log", level=record.levelname.lower(), message=message)
        else:
            _say(f"warning: {message}" if record.levelno >= logging.WARNING else message)

    def fail(self, *lines: str) -> None:
        """Say what went wrong."""
        for line in lines:
            if self.progress_as == "json":
                _event("error", message=line)
            else:
                _say(f"terrasift: {line}")


def _say(line: str) -> None:
    # Looked up each time: while a bar is drawn, what stands there moves the bar down a line.
    print(line, file=sys.stderr)


def _event(event: str, **content: object) -> None:
    print(json.dumps({"event": event, **content}, ensure_ascii=False), file=sys.stderr, flush=True)


class _Events:
    """Tells of each stage's begin and end, and of what is between them ten times a second at most."""

    def __init__(self) -> None:
        self._told: dict[Stage, float] = {}

    def __call__(self, stage: Stage) -> None:
        now = time.monotonic()
        if not stage.is_over and now - self._told.get(stage, -_SECONDS_BETWEEN_EVENTS) < _SECONDS_BETWEEN_EVENTS:
            return
        self._told[stage] = now
        _event("progress", stage=stage.name, done=stage.done, total=stage.total, message=stage.message)
        if stage.is_over:
            del self._told[stage]


_SECONDS_BETWEEN_EVENTS = 0.1
