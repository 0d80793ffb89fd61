"""Rasters that would never end: refused before anything is read of them."""

from __future__ import annotations

import math
import stat
from pathlib import Path
from typing import Any

import numpy as np

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import is_elsewhere

__all__ = ["check_claims", "check_opening"]

_EMPTY_IS_FINE = 1 << 30  # bytes: so much may be claimed by a file of any size
_LARGEST_RATIO = 1_000_000  # to its files; a file of empty tiles, the emptiest there is, has some 250,000
_MOST_BANDS = 4096  # GDAL itself takes minutes for ten times as many
_LARGEST_BLOCK = 1 << 30  # bytes, all of which GDAL unpacks for one pixel


def check_opening(path: str) -> None:
    """Check that opening a path ends: that it is no pipe, socket or device; InputError if it is."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):  # a URL, a path of GDAL's own, or nothing: opening it will tell
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InputError(path, "is a pipe or a device, not a file", "save it as a file")


def check_claims(path: str, dataset: Any) -> None:
    """Check that a raster can hold what it says it holds, and that GDAL can read a part of it in bounded memory.

    Raises
    ------
    InputError
        If a file that it refers to is no file, if it has more than 4096 bands, if it claims far more values than its
        files can hold, or if it is stored in pieces of more than a gigabyte.
    """
    for file in dataset.files:
        check_opening(file)
    if dataset.count > _MOST_BANDS:
        raise InputError(path, f"has {dataset.count:,} bands", f"at most {_MOST_BANDS:,} can be read: choose some")
    itemsize = np.dtype(dataset.dtypes[0]).itemsize if dataset.count else 0
    size = f"{dataset.width:,} x {dataset.height:,} pixels in {dataset.count:,} bands"
    claimed = dataset.width * dataset.height * dataset.count * itemsize
    stored = _stored(dataset)
    if claimed > max(_EMPTY_IS_FINE, _LARGEST_RATIO * stored):
        raise InputError(path, f"says that it has {size}, and is a file of {stored:,.0f} bytes", "check the file")
    block = max((rows * columns for rows, columns in dataset.block_shapes), default=0) * itemsize
    if str(dataset.interleaving or "").lower().endswith("pixel"):
        block *= dataset.count
    if block > _LARGEST_BLOCK:
        mend = "store it in tiles: gdal_translate -co TILED=YES"
        raise InputError(path, f"has {size}, stored in pieces of {block:,} bytes each", mend)


def _stored(dataset: Any) -> float:
    """Bytes of its files that are there; infinitely many where one of them is elsewhere, or it is made of nothing."""
    stored = 0.0 if dataset.files else math.inf
    for file in dataset.files:
        try:
            stored += Path(file).stat().st_size
        except (OSError, ValueError):  # a virtual raster names it, and it is not there
            stored += math.inf if is_elsewhere(file) else 0
    return stored
