"""GDAL itself: its version, and what it says when something goes wrong, in our one line."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio
import rasterio.shutil
from rasterio._err import CPLE_BaseError  # raised by some calls as it is; rasterio has no public name for it
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError

from terrasift.errors import InputError

__all__ = ["check_room", "copy_raster", "gdal_errors", "gdal_version", "is_elsewhere", "new_raster", "open_raster"]


@contextmanager
def gdal_errors(path: object, what: str, mend: str = "check the file") -> Iterator[None]:
    """Turn GDAL's errors into an InputError about `path`."""
    try:
        yield
    except MemoryError as error:
        raise InputError(path, "is too large for this machine's memory", "use a smaller one") from error
    except UnicodeDecodeError as error:  # GDAL quotes what it has read of a damaged file
        raise InputError(path, f"{what} ({error.object.decode(errors='replace')[:_LONGEST]})", mend) from error
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
    with _OPENING, warnings.catch_warnings(), _unheard():  # all are the whole process's: one thread at a time
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, mode, **profile)


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep from the terminal that rasterio cannot log what GDAL quotes of a damaged file; its error follows anyway."""
    hooks = sys.excepthook, sys.unraisablehook  # Cython prints by the first, and then calls the second
    sys.excepthook = lambda kind, *rest: None if kind is UnicodeDecodeError else hooks[0](kind, *rest)
    sys.unraisablehook = lambda said: None if said.exc_type is UnicodeDecodeError else hooks[1](said)
    try:
        yield
    finally:
        sys.excepthook, sys.unraisablehook = hooks


@contextmanager
def new_raster(path: Path, **profile: Any) -> Iterator[Any]:
    """A raster to write, in a folder of its own; OSError if the disk had no room for all of it."""
    with open_raster(path, "w", **profile) as dataset:
        yield dataset
    check_room(path)


def copy_raster(source: Path, path: Path, driver: str, **options: Any) -> None:
    """Write a copy of a raster in another format, in a folder of its own; OSError as by `new_raster`."""
    rasterio.shutil.copy(source, path, driver=driver, **options)
    check_room(path)


def check_room(path: Path) -> None:
    """Check that the disk had room for the end of a file that GDAL wrote, by writing more beside it.

    GDAL does not say when the last kilobytes, which the system's library keeps back until a file is closed, are lost.

    Raises
    ------
    OSError
        If there is no room for more.
    """
    probe = path.with_name("room")
    try:
        probe.write_bytes(bytes(max(_KEPT_BACK, 2 * getattr(path.stat(), "st_blksize", 0))))
    finally:
        probe.unlink(missing_ok=True)


_KEPT_BACK = 1 << 16  # bytes, at least
_LONGEST = 300  # a VRT that is no XML is quoted whole
_OPENING = threading.Lock()
_SETTINGS = {
    "GDAL_CACHEMAX": "64",  # MB; else a twentieth of the machine's memory fills up, the more the larger the scene
    "CPL_LOG": os.devnull,  # where warnings go that nobody listens to, as in threads of ours; else standard error
    "GDAL_HTTP_CONNECTTIMEOUT": "15",  # seconds; else a dead server is waited for without end
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",  # bytes a second, for so many seconds:
    "GDAL_HTTP_LOW_SPEED_TIME": "30",
}
