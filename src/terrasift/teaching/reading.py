"""Label files read: vector files with a column `class`, and tables of x, y, class."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from terrasift.errors import InputError
from terrasift.files import check_file, read_bytes, read_text
from terrasift.raster import read_layer
from terrasift.teaching.labels import LABELS_CRS, Label, Labels

__all__ = ["VECTOR_SUFFIXES", "labels_of_geojson", "read_label_file"]

VECTOR_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp", ".fgb", ".kml", ".gml")
"""Names of files that are read as points and polygons."""

_KINDS = ("Point", "MultiPoint", "Polygon", "MultiPolygon")
_COLUMN = "class"
_MEND = "save points or polygons with a column `class`"


def read_label_file(path: str | os.PathLike[str]) -> Labels:
    """Labels of a GeoPackage, GeoJSON, Shapefile or any vector file GDAL reads, or of a CSV with x, y and class.

    A column ``scene`` may name the scene that a label lies in. Features whose class is empty, or that have no geometry,
    are no labels; suggestions that nobody has labelled yet are such.

    Parameters
    ----------
    path
        GeoJSON is in longitude and latitude unless it names another CRS itself, or its features name scenes without
        one. A CSV is in the coordinates of the scenes.

    Raises
    ------
    InputError
        If it cannot be read, has no such columns, or holds something that is neither point nor polygon.
    SettingError
        If pyogrio or shapely are needed and not installed.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(path, "does not exist", "name a file of labels")
    if not path.is_dir():  # some vector formats are folders
        check_file(path, mend="name a file of labels")
    suffix = path.suffix.lower()
    labels = _csv(path) if suffix == ".csv" else _geojson(path) if suffix in (".geojson", ".json") else _vector(path)
    if not len(labels):
        raise InputError(path, "holds no label", "give each point or polygon a value in its column `class`")
    return labels


def _csv(path: Path) -> Labels:
    reader = csv.DictReader(io.StringIO(read_text(path, mend="save it as CSV in UTF-8"), newline=""))
    try:
        columns = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
        missing = [name for name in ("x", "y", _COLUMN) if name not in columns]
        if missing:
            raise InputError(path, f"has no column {missing[0]}", "its first line must be: x,y,class")
        return Labels(tuple(_rows(path, reader, columns)))
    except csv.Error as error:
        raise InputError(path, f"is not a table of text ({error})", "save it as CSV in UTF-8") from error


def _rows(path: Path, reader: csv.DictReader[str], columns: dict[str, Any]) -> Iterator[Label]:
    for row in reader:
        where = f"{path}:{reader.line_num}"
        name = (row[columns[_COLUMN]] or "").strip()
        if not name:
            continue
        place = []
        for axis in ("x", "y"):
            text = row[columns[axis]]
            try:
                place.append(float(text))
            except (TypeError, ValueError):
                raise InputError(where, f"{axis} is {text!r}", "write a number, with a point") from None
        if not all(map(math.isfinite, place)):
            raise InputError(where, "is a place that is not finite", "write numbers")
        scene = (row[columns["scene"]] or "").strip() if "scene" in columns else ""
        yield Label(name, {"type": "Point", "coordinates": place}, scene, where)


def _geojson(path: Path) -> Labels:
    # Without pyogrio, so that the labels a run keeps can be read by whoever has no more than the run.
    return labels_of_geojson(path, read_bytes(path, mend="save it as GeoJSON"))


def labels_of_geojson(path: Path, text: bytes) -> Labels:
    """Labels of what a GeoJSON file holds; errors as for `read_label_file`."""
    try:
        content = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is not JSON ({error})", "save it as GeoJSON") from error
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list):
        raise InputError(path, "is not a GeoJSON FeatureCollection", _MEND)
    found = []
    for number, feature in enumerate(features, 1):
        where = f"{path}: feature {number}"
        if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
            raise InputError(where, "is not a GeoJSON feature", _MEND)
        found += _label(where, feature.get("properties") or {}, feature.get("geometry"))
    _check_columns(path, [feature.get("properties") or {} for feature in features])
    return Labels(tuple(found), _crs_of(path, content))


def _crs_of(path: Path, content: dict[str, Any]) -> str:
    """What the file says itself, in the way of GeoJSON before RFC 7946; "" for pixels."""
    named = content.get("crs", LABELS_CRS)
    if named is None:
        return ""
    told = named.get("properties") if isinstance(named, dict) else {"name": named}
    name = told.get("name") if isinstance(told, dict) else None
    if not isinstance(name, str):
        raise InputError(path, "has a `crs` that names none", "leave it out: GeoJSON is in longitude and latitude")
    return LABELS_CRS if name.upper().endswith("CRS84") else name.removeprefix("urn:ogc:def:crs:").replace("::", ":")


def _vector(path: Path) -> Labels:
    layer = read_layer(path, "LABELS", _MEND)
    import shapely

    names = {name.lower(): name for name in layer.columns}
    if _COLUMN not in names:
        raise InputError(path, f"has no column `class`: {', '.join(names) or 'none'}", _MEND)
    found = []
    for number, geometry in enumerate(layer.shapes, 1):
        shape = None if geometry is None else shapely.geometry.mapping(geometry)
        row = {name: layer.columns[own][number - 1] for name, own in names.items()}
        found += _label(f"{path}: feature {number}", row, shape)
    return Labels(tuple(found), layer.crs)


def _check_columns(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    if rows and not any(_COLUMN in row for row in rows):
        raise InputError(path, "has no property `class`", _MEND)


def _label(where: str, row: dict[str, Any], geometry: Any) -> list[Label]:
    name = _text(row.get(_COLUMN))
    if not name or geometry is None:
        return []
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in _KINDS:
        raise InputError(where, f"is a {kind}", "labels are points and polygons")
    if not _is_plane(geometry.get("coordinates"), _DEPTHS[kind]):
        raise InputError(where, "has coordinates that are not finite numbers", "draw it anew")
    return [Label(name, geometry, _text(row.get("scene")), where)] if geometry["coordinates"] else []


_DEPTHS = {"Point": 0, "MultiPoint": 1, "Polygon": 2, "MultiPolygon": 3}


def _is_plane(coordinates: Any, depth: int) -> bool:
    if not isinstance(coordinates, list | tuple):
        return False
    if depth:
        return all(_is_plane(part, depth - 1) for part in coordinates)
    numbers = coordinates[:2]
    return len(numbers) == 2 and all(type(value) in (int, float) and abs(value) < _FARTHEST for value in numbers)


_FARTHEST = 1e300  # whole numbers in JSON may be larger than any that a computer computes with


def _text(value: Any) -> str:
    """A class as text: numbers without a fraction, nothing for what is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
