"""Finished class maps of any size, read strip by strip."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import gdal_errors, open_raster
from terrasift.raster.info import Window
from terrasift.raster.reading import Raster

__all__ = ["ClassMap"]


class ClassMap:
    """An open class map: one band of uint8 or uint16, by `ClassMapWriter` or another program.

    Attributes
    ----------
    info
        The grid it lies on.
    nodata
        The value of pixels without a class: 255, or 65535 in uint16, where the file does not say.
    names
        Names of classes by value; maps by other programs may have none.
    colors
        Colours of values, as ``#RRGGBB``, where the map has a colour table.

    Raises
    ------
    InputError
        If it cannot be opened, or is not one band of uint8 or uint16.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        with gdal_errors(path, "is not a raster that can be opened"), open_raster(path) as dataset:
            if dataset.count != 1 or dataset.dtypes[0] not in ("uint8", "uint16"):
                raise InputError(path, "is not a class map: that is one band of uint8 or uint16", "name a class map")
            tags, nodata, self.dtype = dataset.tags(), dataset.nodata, np.dtype(dataset.dtypes[0])
            self.colors = _colors(dataset)
        keys = {key.removeprefix("CLASS_"): text for key, text in tags.items() if key.startswith("CLASS_")}
        self.names: dict[int, str] = {int(key): text for key, text in keys.items() if key.isdigit()}
        self.nodata = int(np.iinfo(self.dtype).max) if nodata is None else int(nodata)
        self._raster = Raster(path)
        self.info = self._raster.info

    def name(self, value: int) -> str:
        """What a value is called: ``class 3`` where the map has no name for it."""
        return self.names.get(value, f"class {value}")

    def read(self, window: Window | None = None) -> NDArray[Any]:
        """Values of a window, (H, W), `nodata` where there is no class; None reads all of it."""
        labels, valid = self._raster.read_indices(window)
        labels[~valid] = self.nodata
        return labels

    def strips(self) -> list[Window]:
        """Windows as wide as the map that cover it from top to bottom, each of about `_MOST_PIXELS`."""
        block = min(self._raster.block[0], self.info.height)
        rows = max(1, _MOST_PIXELS // self.info.width // block) * block
        rows = rows if rows * self.info.width <= 4 * _MOST_PIXELS else max(1, _MOST_PIXELS // self.info.width)
        height, width = self.info.height, self.info.width
        return [Window(row, 0, min(rows, height - row), width) for row in range(0, height, rows)]

    def __iter__(self) -> Iterator[tuple[Window, NDArray[Any]]]:
        """Each strip and its values."""
        return ((strip, self.read(strip)) for strip in self.strips())

    def close(self) -> None:
        """Close the file."""
        self._raster.close()

    def __enter__(self) -> ClassMap:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_MOST_PIXELS = 1 << 22  # counting takes eight bytes for each


def _colors(dataset: Any) -> dict[int, str]:
    try:
        table = dataset.colormap(1)
    except ValueError:
        return {}
    return {value: "#{:02X}{:02X}{:02X}".format(*color[:3]) for value, color in table.items()}
