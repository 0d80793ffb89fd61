"""Labels written as files."""

from __future__ import annotations

import json
from pathlib import Path

from terrasift.raster import Raster

Clicks = list[tuple[str, int, int, str]]
"""Scene, row, column, class."""


def middle(scene: Path, row: int, column: int) -> tuple[float, float]:
    """Of a pixel, in the scene's CRS."""
    with Raster(scene) as raster:
        a, b, c, d, e, f = raster.info.transform
    return a * (column + 0.5) + b * (row + 0.5) + c, d * (column + 0.5) + e * (row + 0.5) + f


def write_csv(path: Path, scenes: Path, clicks: Clicks) -> Path:
    rows = ["x,y,class"]
    for scene, row, column, name in clicks:
        x, y = middle(scenes / "images" / f"{scene}.tif", row, column)
        rows.append(f"{x},{y},{name}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def write_geojson(path: Path, places: list[tuple[float, float]], names: list[str | None], **members: object) -> Path:
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": place}, "properties": {"class": name}}
        for place, name in zip(places, names, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features} | members), encoding="utf-8")
    return path
