"""Vector layers, one in a file, as GIS read and write them. They need the extra `vector`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError, check_installed
from terrasift.files import check_file, whole
from terrasift.raster.gdal_errors import check_room

__all__ = ["LAYER_DRIVERS", "Layer", "check_layers", "read_layer", "write_layer"]

LAYER_DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".json": "GeoJSON"}
"""GDAL's names for the formats that layers are written in, by the suffix of a file."""


class Layer(NamedTuple):
    """What a vector file holds.

    Attributes
    ----------
    crs
        As an authority code or WKT; "" where it says none.
    shapes
        A geometry of shapely for each feature, without heights; None where a feature has none.
    columns
        The features' values, by the name of the column as the file has it.
    """

    crs: str
    shapes: list[Any]
    columns: dict[str, list[Any]]


def check_layers(where: str) -> None:
    """Check before any work that layers can be read and written.

    Raises
    ------
    SettingError
        About `where`, if a package is missing.
    """
    check_installed(where, "vector", "shapely", "pyogrio")


def read_layer(path: str | os.PathLike[str], where: str, mend: str) -> Layer:
    """Read a vector file of one layer: GeoPackage, GeoJSON, Shapefile, whatever GDAL reads.

    Parameters
    ----------
    path
        The file.
    where
        What asks for it, for the error about a missing package.
    mend
        What to name instead, for errors.

    Raises
    ------
    InputError
        If it is no such file, or has several layers.
    SettingError
        If a package is missing.
    """
    check_layers(where)
    check_file(path, mend=mend)
    import pyogrio
    import shapely

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = [str(name) for name, _ in pyogrio.list_layers(path)]
            if len(names) > 1:
                raise InputError(
                    path, f"has {len(names)} layers: {', '.join(names[:6])}", "save one in a file by itself"
                )
            meta, _, geometries, columns = pyogrio.raw.read(path, force_2d=True)
    except (OSError, RuntimeError, ValueError) as error:  # pyogrio's own errors are RuntimeErrors and ValueErrors
        if isinstance(error, InputError):
            raise
        what = f"is not a vector file that can be opened ({str(error).rstrip('.')})"
        raise InputError(path, what, mend) from error
    fields = dict(zip(map(str, meta["fields"]), (column.tolist() for column in columns), strict=True))
    count = len(columns[0]) if geometries is None and len(columns) else 0
    shapes = [None] * count if geometries is None else list(shapely.from_wkb(geometries))
    return Layer(str(meta["crs"] or ""), shapes, fields)


def write_layer(
    path: str | os.PathLike[str], shapes: NDArray[Any], columns: Mapping[str, NDArray[Any]], crs: str, kind: str
) -> Path:
    """Write a vector file of one layer, whole or not at all.

    Parameters
    ----------
    path
        ``.gpkg``; ``.geojson`` or ``.json``: then in longitude and latitude, as RFC 7946 asks.
    shapes
        (N,): geometries of shapely.
    columns
        (N,) each, by name.
    crs
        Of the geometries; "" for none.
    kind
        Of the geometries: ``Point``, ``Polygon``.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    import shapely
    from pyogrio import raw

    path = Path(path)
    driver = LAYER_DRIVERS[path.suffix.lower()]
    # Nine digits of a degree are a tenth of a millimetre: with GDAL's seven, vertices of fine pixels would coincide.
    options = {"RFC7946": "YES", "COORDINATE_PRECISION": "9"} if driver == "GeoJSON" else {}
    try:
        with whole(path) as partial, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "'crs' was not provided")  # plain images are welcome here
            raw.write(
                partial,
                geometry=shapely.to_wkb(shapes),
                field_data=[np.asarray(column) for column in columns.values()],
                fields=list(columns),
                layer=path.stem,
                driver=driver,
                geometry_type=kind,
                crs=crs or None,
                layer_options=options,
            )
            check_room(partial)
    except (OSError, RuntimeError, ValueError) as error:  # pyogrio's own errors are RuntimeErrors and ValueErrors
        raise InputError(path, f"cannot be written ({str(error).rstrip('.')})", "choose another folder") from error
    return path
