"""Points written for a GIS: labels that a run keeps, and places suggested for the next ones."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from terrasift.errors import InputError
from terrasift.files import write_text
from terrasift.raster import RasterInfo, check_layers, coordinates_of, write_layer
from terrasift.teaching.labels import LABELS_CRS

__all__ = ["POINT_SUFFIXES", "MapPoint", "check_points_path", "points_as_geojson", "write_points"]

POINT_SUFFIXES = (".gpkg", ".geojson", ".json", ".csv")


class MapPoint(NamedTuple):
    """A pixel of a scene, and what is said of it."""

    scene: RasterInfo
    row: int
    column: int
    name: str = ""
    """Its class; "" where nobody has said it."""
    likely: str = ""
    """What the classifier takes it for."""
    uncertainty: float = 0.0
    """In [0, 1]: how unsure of it the classifier is."""

    def to_dict(self) -> dict[str, Any]:
        """The same, ready for JSON; x and y are in the scene's CRS, or its pixels."""
        x, y = coordinates_of(self.scene, self.row, self.column, degrees=False)
        place = {"scene": self.scene.path, "row": self.row, "column": self.column, "x": x, "y": y}
        return place | {"class": self.name, "likely": self.likely, "uncertainty": self.uncertainty}


def check_points_path(path: str | os.PathLike[str]) -> None:
    """Check before any work that points can be written under this name.

    Raises
    ------
    InputError
        If the suffix is not one that points are written in, or the folder is missing.
    SettingError
        If a package is missing.
    """
    path = Path(path)
    if path.suffix.lower() not in POINT_SUFFIXES:
        raise InputError(
            path, f"points cannot be written as {path.suffix!r}", "end the name in .gpkg, .geojson or .csv"
        )
    if not path.parent.is_dir():
        raise InputError(path, f"there is no folder {path.parent}", "make it first")
    if path.suffix.lower() == ".gpkg":
        check_layers("out")


def write_points(path: str | os.PathLike[str], points: Sequence[MapPoint]) -> Path:
    """Write points with the columns class, scene, likely and uncertainty, whole or not at all.

    Parameters
    ----------
    path
        ``.gpkg``: in the scenes' CRS, in degrees where they have several. ``.geojson``: in degrees. ``.csv``: in the
        scenes' own coordinates. Where a scene has no CRS, in its pixels: y runs down in a CSV, and up, below zero, in
        the others, as QGIS lays plain images.
    points
        One at least.

    Raises
    ------
    InputError
        If it cannot be written.
    SettingError
        If a package is missing.
    """
    path = Path(path)
    check_points_path(path)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return write_text(path, _csv(points))
    if suffix == ".gpkg":
        _write_geopackage(path, points)
        return path
    return write_text(path, json.dumps(points_as_geojson(points), indent=1, ensure_ascii=False) + "\n")


def points_as_geojson(points: Sequence[MapPoint]) -> dict[str, Any]:
    """A GeoJSON FeatureCollection in degrees; pixels of scenes without a CRS in columns and rows below zero."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": list(_place(point, degrees=True))},
            "properties": _properties(point),
        }
        for point in points
    ]
    return {"type": "FeatureCollection", "features": features}


def _properties(point: MapPoint) -> dict[str, Any]:
    said: dict[str, Any] = {"class": point.name or None, "scene": Path(point.scene.path).name}
    if point.likely:
        said |= {"likely": point.likely, "uncertainty": round(point.uncertainty, 3)}
    return said


def _place(point: MapPoint, *, degrees: bool) -> tuple[float, float]:
    x, y = coordinates_of(point.scene, point.row, point.column, degrees=degrees)
    if not point.scene.grid.is_placed:
        return x, -y
    return (round(x, 9), round(y, 9)) if degrees else (x, y)  # nine digits are a tenth of a millimetre


def _csv(points: Sequence[MapPoint]) -> str:
    import csv
    import io

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["x", "y", "class", "scene", "likely", "uncertainty"])
    for point in points:
        x, y = coordinates_of(point.scene, point.row, point.column, degrees=False)
        said = [point.name, Path(point.scene.path).name, point.likely, f"{point.uncertainty:.3f}"]
        table.writerow([repr(x), repr(y), *said])
    return text.getvalue()


def _write_geopackage(path: Path, points: Sequence[MapPoint]) -> None:
    import shapely

    crs = {point.scene.grid.crs for point in points}
    degrees = len(crs) > 1
    columns = {
        "class": np.array([point.name or None for point in points], object),
        "scene": np.array([Path(point.scene.path).name for point in points], object),
        "likely": np.array([point.likely or None for point in points], object),
        "uncertainty": np.array([point.uncertainty for point in points]),
    }
    places = shapely.points([_place(point, degrees=degrees) for point in points])
    write_layer(path, places, columns, LABELS_CRS if degrees else crs.pop(), "Point")
