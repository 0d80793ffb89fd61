"""Labels that cannot be used: one line each, exit code 2, and the run as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terrasift import Run
from terrasift.raster import write_image
from tests.teaching.label_files import write_geojson

Make = Callable[[Path], list[object]]
"""Writes what is wrong into a folder; the arguments behind the run."""


def text(name: str, content: str) -> Make:
    def make(folder: Path) -> list[object]:
        (folder / name).write_text(content, encoding="utf-8")
        return [folder / name]

    return make


def device(name: str) -> Make:
    def make(folder: Path) -> list[object]:
        (folder / name).symlink_to("/dev/zero")
        return [folder / name]

    return make


def points(places: list[Any], names: list[Any], **members: object) -> Make:
    return lambda folder: [write_geojson(folder / "labels.geojson", places, names, **members)]


def line(folder: Path) -> list[object]:
    feature = {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}}
    content = {"type": "FeatureCollection", "features": [feature | {"properties": {"class": "road"}}]}
    return text("labels.geojson", json.dumps(content))(folder)


def mask(values: Any, name: str = "north.tif") -> Make:
    def make(folder: Path) -> list[object]:
        write_image(folder / "masks" / name, np.asarray(values))
        return [folder / "masks"]

    return make


def two_layers(folder: Path) -> list[object]:
    import shapely
    from pyogrio import raw

    for layer in ("one", "two"):
        geometry = shapely.to_wkb(shapely.points([[0, 0]]))
        fields = {"field_data": [np.array(["road"], object)], "fields": ["class"]}
        raw.write(
            folder / "labels.gpkg",
            geometry=geometry,
            layer=layer,
            driver="GPKG",
            geometry_type="Point",
            crs="EPSG:32633",
            append=layer == "two",
            **fields,
        )
    return [folder / "labels.gpkg"]


INSIDE = "500010,4999990"
WRONG: dict[str, tuple[Make, str]] = {
    "no such file": (lambda folder: [folder / "none.gpkg"], "does not exist; name a file of labels"),
    "an empty table": (text("labels.csv", "x,y,class\n"), "holds no label"),
    "a table without classes": (text("labels.csv", "x,y\n1,2\n"), "has no column class"),
    "a word for a number": (
        text("labels.csv", f"x,y,class\n{INSIDE},road\neast,2,road\n"),
        "labels.csv:3: x is 'east'",
    ),
    "a place that is not finite": (text("labels.csv", "x,y,class\nnan,2,road\n"), "not finite"),
    "a table that is none": (
        lambda folder: [(folder / "a.csv").write_bytes(b"\xff\xfe\x00") and folder / "a.csv"],
        "UTF-8",
    ),
    "a table that never ends": (device("labels.csv"), "labels.csv: is a pipe or a device, not a file"),
    "features that never end": (device("labels.geojson"), "labels.geojson: is a pipe or a device, not a file"),
    "layers that never end": (device("labels.gpkg"), "labels.gpkg: is a pipe or a device, not a file"),
    "not JSON": (text("labels.geojson", "{"), "is not JSON"),
    "JSON of another kind": (text("labels.geojson", "[1]"), "is not a GeoJSON FeatureCollection"),
    "no property class": (text("a.geojson", '{"features": [{"properties": {"name": "a"}}]}'), "no property `class`"),
    "a line": (line, "feature 1: is a LineString; labels are points and polygons"),
    "coordinates of words": (points([["a", 1.0]], ["road"]), "coordinates that are not finite numbers"),
    "an unknown CRS": (points([(500010.0, 4999990.0)], ["road"], crs="EPSG:999999"), "has no way from EPSG:999999"),
    "a CRS that is a list": (
        text("a.geojson", '{"crs": {"properties": ["EPSG:4326"]}, "features": []}'),
        "has a `crs` that names none",
    ),
    "a number that no computer knows": (points([(10**400, 1.0)], ["road"]), "coordinates that are not finite numbers"),
    "far away": (points([(0.0, 0.0), (1.0, 1.0)], ["road", "water"]), "none is left: 2 lie outside all scenes"),
    "not a vector file": (text("labels.gpkg", "nothing"), "is not a vector file that can be opened"),
    "two layers": (two_layers, "has 2 layers: one, two"),
    "an empty folder": (lambda folder: [(folder / "m").mkdir() or folder / "m"], "is a folder without masks"),
    "a mask of another size": (mask(np.ones((9, 9), np.uint8)), "has 9 x 9 pixels"),
    "a mask of no scene": (mask(np.ones((256, 256), np.uint8), "west.tif"), "has the name of no scene"),
    "a mask of fractions": (mask(np.ones((256, 256), np.float32)), "holds float32, not class numbers"),
    "a mask with nothing": (mask(np.zeros((256, 256), np.uint8)), "none is left"),
    "a class that is not listed": (
        lambda folder: [*text("a.csv", f"x,y,class\n{INSIDE},lava\n")(folder), "--classes", folder / "../classes.yaml"],
        "a.csv:2: is 'lava'; the classes are",
    ),
    "a scene that is not given": (
        text("a.csv", f"x,y,class,scene\n{INSIDE},road,west.tif\n"),
        "a.csv:2: lies in scene 'west.tif', which is none of those given",
    ),
    "contradicting labels alone": (
        text("a.csv", f"x,y,class\n{INSIDE},road\n{INSIDE},water\n"),
        "contradict each other wherever they lie",
    ),
    "no labels clicked yet": (lambda _: [], "keeps no labels"),
    "suggestions without a file": (lambda _: ["--suggest", "5"], "--suggest: needs --out FILE"),
    "suggestions of an odd kind": (
        lambda folder: ["--suggest", "5", "--out", folder / "next.docx"],
        "points cannot be written as '.docx'",
    ),
    "undo with labels": (lambda _: ["labels.csv", "--undo"], "--undo: teaches nothing"),
    "undo of nothing": (lambda _: ["--undo"], "has no legend before this one"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_said_in_one_line(
    kind: str, command: Callable[..., Any], run: Run, scenes: Path, tmp_path: Path
) -> None:
    make, said = WRONG[kind]
    shutil.copy(scenes / "classes.yaml", tmp_path)
    folder = tmp_path / "labels"
    folder.mkdir()
    before = {path: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
    ended = command("teach", run.path, *make(folder))
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    after = {path: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
    assert after == before
