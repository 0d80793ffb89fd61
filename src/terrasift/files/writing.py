"""Files and folders written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from terrasift.errors import InputError, TerrasiftError
from terrasift.files.reading import Kind

__all__ = ["claimed", "empty", "locked", "remove", "saying", "tidy", "whole", "write_bytes", "write_text"]


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file or a folder beside its place, and put it there once it is whole.

    Whoever looks at `path` finds what was there before, or the new one. If the block fails, nothing of it is left; what
    a killed process leaves beside it goes the next time `path` is written. Processes that write one path wait for each
    other. Folders above `path` are made. A link stays: what it leads to is replaced.

    Parameters
    ----------
    path
        Where it goes. A file there is replaced; a folder only if it is empty.

    Yields
    ------
    Path
        Where the block is to write it: of the same name, in a hidden folder of its own. What else is written beside it
        there goes.

    Raises
    ------
    OSError
        If it cannot be written; ``filename`` is `path` then, whatever file the system stumbled over.

    Examples
    --------
    ``with whole("scores.json") as partial: partial.write_text(text)``
    """
    with _named(path):
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file() and not target.is_dir():
            raise OSError(errno.EINVAL, "is a device; name a file")
        folder = target.with_name(f".{target.name}{_SUFFIX}")
        with claimed(folder):
            yield folder / target.name
            (folder / target.name).replace(target)


def tidy(path: str | os.PathLike[str]) -> None:
    """Remove what a process left beside a file that it was killed right after putting there, and that is kept."""
    left = Path(path).with_name(f".{Path(path).name}{_SUFFIX}")
    if left.exists():
        with contextlib.suppress(OSError), claimed(left, patience=0.0):  # another's is let be
            pass


@contextlib.contextmanager
def _named(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except TerrasiftError:
        raise
    except OSError as error:
        if error.errno is not None and _SUFFIX in str(error.filename or _SUFFIX):
            error.filename, error.filename2 = os.fspath(path), None
        raise


@contextlib.contextmanager
def claimed(folder: Path, patience: float = 30.0) -> Iterator[None]:
    """A folder that one process has for itself: empty at first, gone afterwards.

    Raises
    ------
    BlockingIOError
        If another process keeps it for longer than `patience`, in seconds.
    """
    with locked(folder, patience):
        empty(folder)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                empty(folder)


@contextlib.contextmanager
def locked(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """A folder that one process works in at a time: made where there is none, and gone afterwards if it is empty then.

    Raises
    ------
    BlockingIOError
        If another process keeps it for longer than `patience`, in seconds.
    """
    lock = _lock(folder, patience)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if [entry.name for entry in folder.iterdir()] == [_LOCK]:
                (folder / _LOCK).unlink()  # fails on Windows, where it goes as the lock does
        lock.release()
        with contextlib.suppress(OSError):  # the next process has it already, or it holds something
            folder.rmdir()


def _lock(folder: Path, patience: float) -> Any:
    from filelock import FileLock, Timeout  # a tenth of a second, which `--help` need not wait for

    lock = FileLock(folder / _LOCK, timeout=patience)
    for remaining in reversed(range(_TRIES)):
        try:
            lock.acquire()  # makes the folder
            break
        except (FileExistsError, FileNotFoundError):  # the process before removed the folder at that very moment
            if not remaining:
                raise
        except Timeout as error:
            what = "is being written by another process; try again"
            raise BlockingIOError(errno.EAGAIN, what, os.fspath(folder)) from error
    return lock


_TRIES = 100
_SUFFIX = ".writing"
_LOCK = ".lock"


def empty(folder: Path) -> None:
    """Remove all that is in a folder, but the lock of the process that works in it."""
    for entry in folder.iterdir():
        if entry.name != _LOCK:
            remove(entry)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder and all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def saying(path: object, kind: Kind = InputError, mend: str = "choose another folder") -> Iterator[None]:
    """What the system cannot write within the block is said of `path`, as an error of the kind asked for."""
    try:
        yield
    except TerrasiftError:
        raise
    except OSError as error:
        raise kind(path, f"cannot be written ({error.strerror})", mend) from error


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write a text file in UTF-8, whole or not at all; returns the path."""
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file, whole or not at all; returns the path."""
    with whole(path) as partial:
        partial.write_bytes(content)
    return Path(path)
