"""Windows of labels, appended to a file from which a killed job's can be read again."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.raster.reading import Window

__all__ = ["WindowLog"]


class WindowLog:
    """Windows of labels, appended to a file as they are made.

    What was appended outlives a killed process. A GeoTIFF would not do: GDAL holds back what it is given, and a kill
    while it rewrites a block spoils what was on the disk already. The first line names the job; each window follows as
    its row, column, height, width and length, and its compressed labels.

    Parameters
    ----------
    path
        Of the file, new or begun by the same job.
    job
        One line without spaces.
    dtype
        Of the labels.
    """

    def __init__(self, path: Path, job: str, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
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
            line = file.readline()
        return line.decode().strip() if line.endswith(b"\n") else ""

    def append(self, labels: NDArray[Any], window: Window) -> None:
        """Add (H, W) labels of a window; once this returns, killing the process does not lose them."""
        data = zlib.compress(np.ascontiguousarray(labels, self._dtype).tobytes(), level=1)
        head = _HEAD.pack(window.row, window.column, window.height, window.width, len(data))
        self._file.write(head + data)
        self._file.flush()

    def windows(self) -> Iterator[tuple[Window, NDArray[Any]]]:
        """All windows and their labels, (H, W), in order. What follows the last whole one is cut off."""
        end = self._file.seek(0, os.SEEK_END)
        position = self._file.seek(self._start)
        while len(head := self._file.read(_HEAD.size)) == _HEAD.size:
            row, column, height, width, length = _HEAD.unpack(head)
            try:
                data = zlib.decompress(self._file.read(min(length, end)))
                labels = np.frombuffer(data, self._dtype).reshape(height, width)
            except (zlib.error, ValueError):
                break
            yield Window(row, column, height, width), labels
            position += _HEAD.size + length
        self._file.truncate(position)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


_HEAD = struct.Struct("<5Q")
