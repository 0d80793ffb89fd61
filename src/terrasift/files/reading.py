"""Files read within bounds: what is no file, is too large or is damaged is said, and never waited for."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import stat
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from terrasift.errors import InputError, TerrasiftError

__all__ = ["Kind", "check_file", "file_digest", "read_bytes", "read_csv", "read_json", "read_text", "read_typed_json"]

T = TypeVar("T")

Kind: TypeAlias = type[TerrasiftError]
"""Of error that a reader raises."""

_MOST_BYTES = 64 << 20  # of a text; the largest ours is a log of a million steps


def check_file(path: str | os.PathLike[str], kind: Kind = InputError, mend: str = "", most: int | None = None) -> int:
    """Check that there is a file that can be opened at once, and how many bytes it has.

    Parameters
    ----------
    path
        The file.
    kind, mend
        Of the error.
    most
        The largest size it may have, in bytes; None: any.

    Raises
    ------
    TerrasiftError
        Of the kind asked for: if there is none, if it is a folder, a pipe or a device, or if it is too large.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise kind(path, f"cannot be read ({reason})", mend) from error
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise kind(path, f"is {what}, not a file", mend)
    if most is not None and status.st_size > most:
        raise kind(path, f"is too large: {status.st_size:,} bytes, where {most:,} are enough", mend)
    return status.st_size


def read_bytes(path: str | os.PathLike[str], kind: Kind = InputError, mend: str = "", most: int = _MOST_BYTES) -> bytes:
    """All bytes of a file; errors as of `check_file`."""
    check_file(path, kind, mend, most)
    try:
        with Path(path).open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise kind(path, f"cannot be read ({error.strerror})", mend) from error


def read_text(path: str | os.PathLike[str], kind: Kind = InputError, mend: str = "", most: int = _MOST_BYTES) -> str:
    """A text in UTF-8, with or without a byte order mark; errors as of `check_file`, and if it is none."""
    try:
        return read_bytes(path, kind, mend, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise kind(path, f"is not text in UTF-8 (byte {error.start})", mend) from error


def read_json(path: str | os.PathLike[str], kind: Kind = InputError, mend: str = "") -> Any:
    """What a JSON file holds; errors as of `read_text`, and with the line if it is not JSON."""
    try:
        return json.loads(read_text(path, kind, mend))
    except json.JSONDecodeError as error:
        raise kind(f"{path}:{error.lineno}", f"is not JSON ({error.msg})", mend) from error
    except (RecursionError, ValueError) as error:  # nested too deep; a number of thousands of digits
        raise kind(path, f"is not JSON that can be read ({error})", mend) from error


def read_typed_json(path: str | os.PathLike[str], shape: type[T], kind: Kind = InputError, mend: str = "") -> T:
    """What a JSON file holds, if it is what `shape` says.

    Parameters
    ----------
    path
        The file.
    shape
        A data class or a typed dictionary, of others and of plain types; finite numbers only. Keys that it does not
        name are passed over.
    kind, mend
        Of the error.

    Raises
    ------
    TerrasiftError
        Of the kind asked for: as of `read_text`, and with the key where the file holds something else.
    """
    from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

    text = read_text(path, kind, mend)
    finite = with_config(ConfigDict(allow_inf_nan=False, strict=True))(shape)
    try:
        return TypeAdapter(finite).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise kind(f"{path}: {key}" if key else path, f"is wrong ({first['msg']})", mend) from error


def read_csv(
    path: str | os.PathLike[str], columns: tuple[str, ...], kind: Kind = InputError, mend: str = ""
) -> list[dict[str, str]]:
    """The whole rows of a CSV file with a head; one that lacks cells, as a kill leaves the last one, is left out.

    Raises
    ------
    TerrasiftError
        As of `read_text`, and if one of `columns` is missing or a row cannot be parsed.
    """
    reader = csv.DictReader(io.StringIO(read_text(path, kind, mend), newline=""), strict=True)
    try:
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise kind(f"{path}:1", f"has no column {missing[0]!r}", mend)
        return [row for row in reader if None not in row and None not in row.values() and all(row[c] for c in columns)]
    except csv.Error as error:
        raise kind(f"{path}:{reader.line_num + 1}", f"is not CSV ({error})", mend) from error


def file_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's content, in hexadecimal; errors as of `check_file`."""
    check_file(path)
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
