"""The labels that a run keeps: points clicked in its scenes, as GeoJSON with the classes beside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import floor
from pathlib import Path

from terrasift.errors import InputError
from terrasift.legend import LandClass, Legend
from terrasift.legend.colours import class_colors
from terrasift.raster import RasterInfo, to_pixels
from terrasift.teaching.reading import labels_of_geojson

__all__ = ["read_labels_of_run"]


def read_labels_of_run(
    path: Path, content: bytes, infos: Sequence[RasterInfo]
) -> tuple[tuple[LandClass, ...], list[tuple[int, int, int, str]]]:
    """Classes, and scene, row, column and class of each point that lies in a scene.

    Parameters
    ----------
    path
        Of the file, for errors.
    content
        What it holds.
    infos
        The scenes, on their own grids. Labels of others are passed over.

    Raises
    ------
    InputError
        If it is no GeoJSON of labels.
    """
    try:
        listed = json.loads(content).get("classes", [])
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError(path, f"is not GeoJSON ({error})", "delete it, or restore it") from error
    labels = labels_of_geojson(path, content)
    known = Legend.from_content(path, {"classes": listed}).classes if listed else ()
    missing = [name for name in labels.names if name not in {entry.name for entry in known}]
    colors = class_colors(len(missing), [entry.color for entry in known])
    classes = (*known, *(LandClass(name, color) for name, color in zip(missing, colors, strict=True)))
    points = [label for label in labels if label.geometry["type"] == "Point"]
    found = []
    for number, info in enumerate(infos):
        called = {info.path, Path(info.path).name, Path(info.path).stem}
        for label in points:
            if label.scene and label.scene not in called:
                continue
            x, y = to_pixels(label.geometry, labels.crs if info.grid.is_placed else "", info)["coordinates"]
            if 0 <= x < info.width and 0 <= y < info.height:
                found.append((number, floor(y), floor(x), label.name))
    return classes, found
