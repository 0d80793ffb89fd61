"""Files written whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

__all__ = ["write_text"]


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write a text file in UTF-8 beside its place, then put it there; returns the path."""
    partial = Path(f"{os.fspath(path)}.{os.getpid()}-{threading.get_ident()}.partial")  # others may write it too
    try:
        partial.write_text(text, encoding="utf-8")
        return partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
