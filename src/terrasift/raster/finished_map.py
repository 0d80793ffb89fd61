"""Finished class maps, read whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from terrasift.raster.class_map_reading import ClassMap
from terrasift.raster.info import RasterInfo
from terrasift.raster.map_file import job_of_map
from terrasift.raster.reading import Raster

__all__ = ["FinishedMap", "is_soon_counted", "read_class_map"]


@dataclass(frozen=True)
class FinishedMap:
    """A class map in memory.

    Attributes
    ----------
    labels
        (H, W), uint8 or uint16: class indices, and `nodata`.
    nodata
        The value of pixels without a class: 255, or 65535 in uint16, where the file does not say.
    names
        Names of classes by index; maps by other programs may have none.
    info
        The grid it lies on.
    """

    labels: NDArray[Any]
    nodata: int
    names: dict[int, str]
    info: RasterInfo


def read_class_map(path: str | os.PathLike[str]) -> FinishedMap:
    """Read a class map, as `ClassMapWriter` leaves it, whole: a byte a pixel, or two with more than 255 classes.

    Raises
    ------
    InputError
        If it cannot be opened, or is not one band of uint8 or uint16.
    """
    with ClassMap(path) as opened:
        return FinishedMap(opened.read(), opened.nodata, opened.names, opened.info)


def is_soon_counted(path: str | os.PathLike[str]) -> bool:
    """Whether this is a class map that `terrasift predict` wrote, small enough to be counted at once."""
    if Path(path).suffix.lower() not in (".tif", ".tiff", ".png") or not job_of_map(path):
        return False
    with Raster(path) as raster:
        return raster.info.is_small
