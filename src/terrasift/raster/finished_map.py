"""Finished class maps, read whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import gdal_errors, open_raster
from terrasift.raster.info import RasterInfo
from terrasift.raster.reading import Raster

__all__ = ["FinishedMap", "read_class_map"]


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
    with Raster(path) as raster:
        info = raster.info
    with gdal_errors(path, "is not a raster that can be opened"), open_raster(path) as dataset:
        if dataset.count != 1 or dataset.dtypes[0] not in ("uint8", "uint16"):
            raise InputError(path, "is not a class map: that is one band of uint8 or uint16", "name a class map")
        labels = dataset.read(1)
        tags = {name.removeprefix("CLASS_"): text for name, text in dataset.tags().items() if name.startswith("CLASS_")}
        nodata = dataset.nodata
    return FinishedMap(
        labels=labels,
        nodata=int(np.iinfo(labels.dtype).max) if nodata is None else int(nodata),
        names={int(index): text for index, text in tags.items() if index.isdigit()},
        info=info,
    )
