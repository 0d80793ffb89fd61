"""Windows of label maps, appended to a file from which a killed job's can be read again."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.raster.info import Window

__all__ = ["WindowLog"]


class WindowLog:
    """Windows of one or more layers, appended to a file as they are made.

    What was appended outlives a killed process. A GeoTIFF would not do: GDAL holds back what it is given, and a kill
    while it rewrites a block spoils what was on the disk already. The first line names the job; each window follows as
    its row, column, height, width and length, and its compressed layers, one after the other.

    Parameters
    ----------
    path
        Of the file, new or begun by the same job.
    job
        One line without spaces.
    dtypes
        Of the layers.
    """

    def __init__(self, path: Path, job: str, dtypes: Sequence[np.dtype[Any]]) -> None:
        self._dtypes = tuple(dtypes)
        self._file = path.open("a+b")
        self._start = len(job) + 1
        if self._file.tell() < self._start:
            self._file.write(f"{job}\n".encode())
            self._file.flush()

    @staticmethod
    def job_of(path: Path) -> str:
        """The job that began a log; "" where there is none, or none that got as far as its name."""
        if not path.exists():
            return ""
        with path.open("rb") as file:
            line = file.readline(_LONGEST_JOB)
        return line.decode().strip() if line.endswith(b"\n") else ""

    def append(self, layers: Sequence[NDArray[Any]], window: Window) -> None:
        """Add a window, (H, W) of each layer; once this returns, killing the process does not lose it."""
        parts = [np.ascontiguousarray(layer, dtype) for layer, dtype in zip(layers, self._dtypes, strict=True)]
        data = zlib.compress(b"".join(part.tobytes() for part in parts), level=1)
        head = _HEAD.pack(window.row, window.column, window.height, window.width, len(data))
        self._file.write(head + data)
        self._file.flush()

    def windows(self) -> Iterator[tuple[Window, tuple[NDArray[Any], ...]]]:
        """All windows and their layers, (H, W) each, in order. What follows the last whole one is cut off."""
        end = self._file.seek(0, os.SEEK_END)
        position = self._file.seek(self._start)
        while len(head := self._file.read(_HEAD.size)) == _HEAD.size:
            row, column, height, width, length = _HEAD.unpack(head)
            try:
                layers = self._layers(zlib.decompress(self._file.read(min(length, end))), height, width)
            except (zlib.error, ValueError):
                break
            yield Window(row, column, height, width), layers
            position += _HEAD.size + length
        self._file.truncate(position)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _layers(self, data: bytes, height: int, width: int) -> tuple[NDArray[Any], ...]:
        ends = np.cumsum([dtype.itemsize * height * width for dtype in self._dtypes]).tolist()
        if ends[-1] != len(data):
            raise ValueError("the window is not whole")
        parts = zip([0, *ends], ends, self._dtypes, strict=False)
        return tuple(np.frombuffer(data[start:end], dtype).reshape(height, width) for start, end, dtype in parts)


_HEAD = struct.Struct("<5Q")
_LONGEST_JOB = 1 << 20  # bytes
