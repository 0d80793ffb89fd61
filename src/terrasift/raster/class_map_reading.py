"""Finished class maps of any size, read strip by strip, counted and shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.notebook import new_axes
from terrasift.raster.bounds import check_opening
from terrasift.raster.class_areas import ClassAreas, areas_of
from terrasift.raster.class_map_shown import map_html, map_line, plot_map, thumbnail_of
from terrasift.raster.gdal_errors import gdal_errors, open_raster
from terrasift.raster.info import Window
from terrasift.raster.reading import Raster

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ClassMap", "class_areas"]


class ClassMap:
    """An open class map: one band of uint8 or uint16, by `Run.predict` or another program.

    Parameters
    ----------
    path
        Any path GDAL opens.

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

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from terrasift.raster import write_image
    >>> path = Path(tempfile.mkdtemp()) / "map.tif"
    >>> write_image(path, np.eye(3, dtype=np.uint8))
    >>> ClassMap(path)  # doctest: +ELLIPSIS
    ClassMap('...map.tif': 3 x 3 pixels)
    >>> ClassMap(path).areas()
    ClassAreas(2 classes, 9 pixels)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        check_opening(self.path)
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

    def areas(self, zones: str | os.PathLike[str] | None = None) -> ClassAreas:
        """Count what each class covers: the map's own say, which no sample has checked.

        The map is read strip by strip and may be of any size.

        Parameters
        ----------
        zones
            Polygons (GeoPackage, GeoJSON, Shapefile), in any CRS that can be brought to the map's; a column ``name``
            names them, else their places in the file do, from 1. A pixel belongs to a polygon that holds its middle.

        Returns
        -------
        ClassAreas
            In hectares, as `row_areas` measures pixels; in pixels where the map has no place on Earth.

        Raises
        ------
        InputError
            If the map or the polygons cannot be read, or if areas cannot be measured on the map's grid.
        SettingError
            If zones are asked for and pyogrio or shapely are not installed.
        """
        return areas_of(self, zones)

    def thumbnail(self, most: int = 320) -> NDArray[Any]:
        """Values of every n-th pixel, (h, w), of at most so many rows and columns; `nodata` where there is no class.

        Of a map that holds smaller copies of itself one of these is read, and not the map.
        """
        return thumbnail_of(self, most)

    def plot(self, axes: Axes | None = None, *, most: int = 1000) -> Axes:
        """Draw it in its colours with a legend, in its CRS's units where it has a place; at most so many pixels a side.

        Parameters
        ----------
        axes
            What to draw on; None: a new figure.
        most
            As for `thumbnail`.
        """
        return plot_map(self, new_axes(axes), most)

    def __repr__(self) -> str:
        return f"ClassMap({map_line(self)})"

    def _repr_html_(self) -> str:
        return map_html(self)

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


def class_areas(path: str | os.PathLike[str], zones: str | os.PathLike[str] | None = None) -> ClassAreas:
    """`ClassMap.areas` of a file.

    Examples
    --------
    ``class_areas("map.tif", zones="parishes.gpkg").zones["Bath"]``
    """
    with ClassMap(path) as opened:
        return opened.areas(zones)


_MOST_PIXELS = 1 << 22  # counting takes eight bytes for each


def _colors(dataset: Any) -> dict[int, str]:
    try:
        table = dataset.colormap(1)
    except ValueError:
        return {}
    return {value: "#{:02X}{:02X}{:02X}".format(*color[:3]) for value, color in table.items()}
