"""Files written whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

__all__ = ["write_bytes", "write_text"]


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write a text file in UTF-8 beside its place, then put it there; returns the path."""
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file beside its place, then put it there; returns the path."""
    partial = Path(f"{os.fspath(path)}.{os.getpid()}-{threading.get_ident()}.partial")  # others may write it too
    try:
        partial.write_bytes(content)
        return partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
