"""Class maps as polygons, for a GIS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio import features

from terrasift.errors import InputError
from terrasift.raster.areas import pixels_of, square_metres
from terrasift.raster.class_map_reading import ClassMap
from terrasift.raster.info import RasterInfo
from terrasift.raster.layers import LAYER_DRIVERS, check_layers, write_layer
from terrasift.raster.sieve import sieve

__all__ = ["check_polygons_path", "write_polygons"]

POLYGON_SUFFIXES = frozenset(LAYER_DRIVERS)
"""Names of files that polygons can be written to."""


def write_polygons(
    map_path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    min_area: float = 0.0,
    simplify: float = 0.75,
) -> Path:
    """Write the regions of a class map as polygons that fit together, whole or not at all.

    Each region of pixels that share an edge and a class becomes a polygon with the fields ``class`` (its index),
    ``name`` and ``area``. Edges that two polygons share are simplified once for both: there are neither gaps nor
    overlaps. Nodata gets no polygon. The map is held in memory whole.

    Parameters
    ----------
    map_path
        A map that `ClassMapWriter` wrote.
    out
        ``.gpkg``: in the CRS of the map. ``.geojson`` or ``.json``: in longitude and latitude, as RFC 7946 asks.
    min_area
        Regions smaller than this go to the largest region beside them first; in the unit of ``area``.
    simplify
        In pixels: vertices go that make a triangle of less than ``simplify ** 2`` with those beside them. The steps
        between diagonal pixels are half a pixel; 0 keeps the outlines of pixels.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    InputError
        If the map cannot be read, if `out` has another suffix or cannot be written, or if it is GeoJSON and the map
        has no CRS.
    SettingError
        If shapely or pyogrio are not installed.

    Notes
    -----
    ``area`` is in square metres: on the map's own plane where its CRS is projected, on the ellipsoid where it counts
    in degrees. A map without a CRS is laid where QGIS lays plain images, x to the right and y up from its upper left
    corner, in pixels; ``area`` counts pixels then.

    Examples
    --------
    ``write_polygons("map.tif", "map.gpkg", min_area=25)``
    """
    with ClassMap(map_path) as finished:
        check_polygons_path(out, finished.info)
        labels = finished.read()
    if min_area > 0:
        labels = sieve(labels, pixels_of(min_area, finished.info), finished.nodata)
    polygons, classes = _fitting_polygons(labels, simplify)
    kept = classes != finished.nodata
    _write(Path(out), _placed(polygons[kept], finished.info), classes[kept], finished)
    return Path(out)


def check_polygons_path(path: str | os.PathLike[str], like: RasterInfo | None = None) -> None:
    """Check before any work that polygons can be written to a file of this name, for a scene like `like`.

    Raises
    ------
    InputError
        If the suffix is not one that polygons are written in, or is GeoJSON's and the scene has no CRS.
    SettingError
        If shapely or pyogrio are not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in LAYER_DRIVERS:
        raise InputError(path, f"polygons cannot be written as {suffix!r}", "end the name in .gpkg or .geojson")
    check_layers("vector")
    if like is not None and not like.crs and LAYER_DRIVERS[suffix] == "GeoJSON":
        raise InputError(path, "GeoJSON needs longitudes, and the scene has no CRS", "end the name in .gpkg")


def _fitting_polygons(labels: NDArray[Any], simplify: float) -> tuple[NDArray[Any], NDArray[np.int64]]:
    # Nodata takes part, so that its edges are simplified like others while the frame of the map stays as it is.
    import shapely

    found = [(shapely.geometry.shape(polygon), value) for polygon, value in features.shapes(labels, connectivity=4)]
    polygons = np.array([polygon for polygon, _ in found], object)
    classes = np.array([value for _, value in found]).astype(np.int64)
    # GDAL leaves out vertices on straight edges, even where two neighbours meet; without them the edges do not match.
    polygons = shapely.transform(shapely.segmentize(polygons, 1.0), np.round)
    return shapely.coverage_simplify(polygons, simplify, simplify_boundary=False), classes


def _placed(polygons: NDArray[Any], info: RasterInfo) -> NDArray[Any]:
    import shapely

    return np.asarray(shapely.transform(polygons, lambda xy: np.stack(info.grid.places(xy[:, 1], xy[:, 0]), axis=1)))


def _write(out: Path, polygons: NDArray[Any], classes: NDArray[np.int64], finished: ClassMap) -> None:
    import shapely

    crs = finished.info.crs
    names = list(map(finished.name, classes.tolist()))
    areas = shapely.area(shapely.transform(polygons, lambda places: square_metres(places, crs)))
    columns = {"class": classes.astype(np.int32), "name": np.array(names, object), "area": areas}
    write_layer(out, polygons, columns, crs, "Polygon")
