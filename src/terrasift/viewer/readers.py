"""Open rasters for many requests at once: a few threads, each with handles of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from terrasift.raster import TileReader

__all__ = ["OpenRasters", "Readers"]

_P = ParamSpec("_P")
_Result = TypeVar("_Result")

_THREADS = min(8, 1 + (os.cpu_count() or 1))
_MOST_OPEN = 12  # in each thread


class OpenRasters:
    """The rasters that one thread has open; those longest unused are closed."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, int], TileReader] = OrderedDict()

    def get(self, path: str | os.PathLike[str], base: int = 0) -> TileReader:
        """A raster's tiles; InputError if it cannot be opened."""
        key = (os.fspath(path), base)
        if key not in self._open:
            self._open[key] = TileReader(path, base)
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(key)
        return self._open[key]


class Readers:
    """Runs functions that read rasters, beside the event loop.

    The server's own pool has many threads that come and go; GDAL's handles belong to one thread, and opening a file
    costs more than reading a tile. So a few threads stay, and keep what they have opened.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "tiles")
        self._own = threading.local()

    async def run(
        self, read: Callable[Concatenate[OpenRasters, _P], _Result], *arguments: _P.args, **settings: _P.kwargs
    ) -> _Result:
        """Call ``read(rasters, ...)`` in one of the threads."""

        def call() -> _Result:
            if not hasattr(self._own, "rasters"):
                self._own.rasters = OpenRasters()
            return read(self._own.rasters, *arguments, **settings)

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def close(self) -> None:
        """Let the threads end with what they are at."""
        self._threads.shutdown(cancel_futures=True)
