"""The points of a sample as files that people fill in: CSV, GeoPackage, GeoJSON; and read again."""

from __future__ import annotations

import csv
import io
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from terrasift.assessment.sample import Sample
from terrasift.errors import InputError, SettingError
from terrasift.files import read_text, write_text
from terrasift.raster import check_layers, read_layer, write_layer

__all__ = ["read_references", "write_sample_points"]

_logger = logging.getLogger(__name__)

_NAMES = ("points.csv", "points.gpkg", "points.geojson")


def write_sample_points(sample: Sample, folder: str | os.PathLike[str]) -> list[Path]:
    """Write the points of a sample, each with an empty `reference`, and without what the map says of them.

    Whoever labels them must not know the map's class; ``sample.json`` knows it by a point's ``id``. GeoPackage and
    GeoJSON are written with the extra ``vector``; a warning says if it is missing. GeoJSON needs a place on Earth.

    Returns
    -------
    list of Path
        What was written.
    """
    written = [write_text(Path(folder) / _NAMES[0], _table(sample))]
    try:
        check_layers("points as CSV only, not for a GIS")
    except SettingError as error:
        _logger.warning("%s", error)
        return written
    placed = sample.points[0].longitude is not None
    return [*written, *(_write_layer(sample, Path(folder) / name) for name in _NAMES[1 : 2 + placed])]


def read_references(sample: Sample, path: str | os.PathLike[str]) -> dict[int, str]:
    """What people have entered for the points, by `id`; points without a label are left out.

    Parameters
    ----------
    sample
        Whose points they are.
    path
        A file of points (CSV, GeoPackage, GeoJSON), or the sample's folder: then the one of its files that has labels.

    Raises
    ------
    InputError
        If nothing is labelled, if files of the folder contradict each other, or if a file is no list of the sample's
        points: with a point that the sample has not, one that is labelled twice, or without ``id`` and ``reference``.
    """
    if not Path(path).is_dir():
        return _labelled(path, _read(sample, Path(path)))
    files = [Path(path) / name for name in _NAMES if (Path(path) / name).exists()]
    if not files:
        raise InputError(path, f"holds none of {', '.join(_NAMES)}", "name the file of labelled points")
    found = {file: labels for file in files if (labels := _read(sample, file))}
    (first, labels), *others = found.items() or [(Path(path), {})]
    for file, other in others:
        if other != labels:
            number = next(number for number in sorted({*labels, *other}) if labels.get(number) != other.get(number))
            raise InputError(
                path, f"{first.name} and {file.name} differ at point {number}", f"name the one that holds: {file}"
            )
    return _labelled(path, labels)


def _labelled(path: object, labels: dict[int, str]) -> dict[int, str]:
    if not labels:
        raise InputError(path, "no point has a reference", "label points, in label.html or in a GIS")
    return labels


def _columns(sample: Sample) -> list[str]:
    placed = sample.points[0].longitude is not None
    return ["id", "x", "y", *(["longitude", "latitude"] if placed else [])]


def _table(sample: Sample) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = _columns(sample)
    writer.writerow([*columns, "reference"])
    writer.writerows([*(_number(getattr(point, name)) for name in columns), ""] for point in sample.points)
    return text.getvalue()


def _number(value: float) -> str:
    return f"{value:.12g}"


def _write_layer(sample: Sample, out: Path) -> Path:
    import shapely

    points = sample.points
    degrees = out.suffix == ".geojson"
    places = [(point.longitude, point.latitude) if degrees else (point.x, point.y) for point in points]
    columns = {
        "id": np.array([point.id for point in points], np.int32),
        "reference": np.full(len(points), None, object),
    }
    crs = "EPSG:4326" if degrees else sample.crs
    return write_layer(out, shapely.points(np.array(places, np.float64)), columns, crs, "Point")


def _read(sample: Sample, path: Path) -> dict[int, str]:
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".gpkg", ".geojson", ".json"):
        raise InputError(path, f"points cannot be read from {suffix or 'this'!r}", "use .csv, .gpkg or .geojson")
    rows = _csv_rows(path) if suffix == ".csv" else _layer_rows(path)
    known = {point.id for point in sample.points}
    labels: dict[int, str] = {}
    seen: set[int] = set()
    for where, text, reference in rows:
        try:
            number = int(float(text))
        except (ValueError, OverflowError):
            raise InputError(f"{path}:{where}", f"{text!r} is no id", "leave the column id as it was") from None
        if number not in known:
            raise InputError(f"{path}:{where}", f"the sample has no point {number}", "name the points of this sample")
        if number in seen:
            raise InputError(f"{path}:{where}", f"point {number} comes twice", "keep one")
        seen.add(number)
        if reference:
            labels[number] = reference
    return labels


_Rows = Iterable[tuple[int, str, str]]
"""The line or feature, the id, and the reference."""


def _csv_rows(path: Path) -> _Rows:
    text = read_text(path, mend="name the labelled points; spreadsheets save them as 'CSV UTF-8'")
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)  # spreadsheets of some countries separate by semicolons
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, restval="")
    try:
        names = _found_columns(path, reader.fieldnames or ())
        for row in reader:
            if any(value for value in row.values()):
                yield reader.line_num, (row[names["id"]] or "").strip(), (row[names["reference"]] or "").strip()
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num + 1}", f"is not CSV ({error})", "save it as CSV again") from error


def _layer_rows(path: Path) -> _Rows:
    layer = read_layer(path, str(path), "name the file of labelled points")
    names = _found_columns(path, list(layer.columns))
    pairs = zip(layer.columns[names["id"]], layer.columns[names["reference"]], strict=True)
    return [(place, str(number), _text(reference)) for place, (number, reference) in enumerate(pairs, 1)]


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value).strip()


def _found_columns(path: Path, names: Sequence[str]) -> Mapping[str, str]:
    found = {name.strip().lower(): name for name in names if name}
    for name in ("id", "reference"):
        if name not in found:
            raise InputError(path, f"has no column {name}", f"its columns are {', '.join(names) or 'none'}")
    return found
