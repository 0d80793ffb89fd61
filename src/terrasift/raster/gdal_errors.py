"""GDAL itself: its version, and what it says when something goes wrong, in our one line."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio
from rasterio._err import CPLE_BaseError  # raised by some calls as it is; rasterio has no public name for it
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError

from terrasift.errors import InputError

__all__ = ["gdal_errors", "gdal_version", "is_elsewhere", "open_raster"]


@contextmanager
def gdal_errors(path: object, what: str, mend: str = "check the file") -> Iterator[None]:
    """Turn GDAL's errors into an InputError about `path`."""
    try:
        yield
    except MemoryError as error:
        raise InputError(path, "is too large for this machine's memory", "use a smaller one") from error
    except (RasterioError, CRSError, CPLE_BaseError, OSError) as error:
        if not is_elsewhere(str(path)) and not Path(str(path)).exists() and "opened" in what:
            raise InputError(path, "does not exist", "check the path") from error
        reason = str(error.__cause__ or error).replace(f"{path}: ", "").rstrip(".")[:_LONGEST]
        raise InputError(path, f"{what} ({reason})", mend) from error


def is_elsewhere(path: str) -> bool:
    """Whether GDAL has a path's own way to what it names, ``/vsi...`` or a URL, so that only opening it can tell."""
    return path.startswith("/vsi") or "://" in path


def gdal_version() -> str:
    """The version of the GDAL that reads and writes."""
    return str(rasterio.__gdal_version__)


def open_raster(path: str | os.PathLike[str], mode: str = "r", **profile: Any) -> Any:
    """`rasterio.open`, without its warning about plain images, which are welcome here; from any thread."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)  # GDAL looks at some of them once, when it first needs them
    with _OPENING, warnings.catch_warnings():  # filters are the whole process's: one thread at a time may change them
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, mode, **profile)


_LONGEST = 300  # a VRT that is no XML is quoted whole
_OPENING = threading.Lock()
_SETTINGS = {
    "GDAL_CACHEMAX": "64",  # MB; else a twentieth of the machine's memory fills up, the more the larger the scene
    "CPL_LOG": os.devnull,  # where warnings go that nobody listens to, as in threads of ours; else standard error
    "GDAL_HTTP_CONNECTTIMEOUT": "15",  # seconds; else a dead server is waited for without end
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",  # bytes a second, for so many seconds:
    "GDAL_HTTP_LOW_SPEED_TIME": "30",
}
