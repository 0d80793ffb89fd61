"""`terrasift info MAP --areas`: what the classes cover, and what is wrong in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from terrasift import LandClass, Legend
from terrasift.raster import ClassMapWriter, RasterInfo, Window, write_image

Command = Callable[..., Any]
GRID = ("EPSG:32633", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A map of 30 x 20 pixels, a third water; polygons, and files that are none."""
    monkeypatch.chdir(tmp_path)
    labels = np.zeros((20, 30), np.uint8)
    labels[:, 10:] = 1
    info = RasterInfo("", 20, 30, 1, "uint8", False, False, (), *GRID, None, "GTiff")
    legend = Legend((LandClass("water", "#0000FF"), LandClass("wood", "#00FF00")))
    with ClassMapWriter("map.tif", info, legend) as writer:
        writer.write(labels, Window(0, 0, 20, 30))
    write_image("photo.tif", np.zeros((20, 30, 3), np.uint8))
    write("zones.gpkg", shapely.box(500_000, 4_999_900, 500_200, 5_000_000), "Polygon")
    write("points.gpkg", shapely.Point(500_000, 4_999_900), "Point")
    Path("words.gpkg").write_text("not a geopackage")
    return tmp_path


def write(path: str, shape: Any, kind: str) -> None:
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb([shape]),
        field_data=[np.array(["bank"], object)],
        fields=["name"],
        geometry_type=kind,
        crs="EPSG:32633",
    )


def test_hectares_of_the_map_and_of_a_polygon(command: Command, folder: Path) -> None:
    outcome = command("info", "map.tif", "--zones", "zones.gpkg")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-8:] == [
        "areas, ha:",
        "  water  2.0000   33.3%",
        "  wood   4.0000   66.7%",
        "  all    6.0000",
        "in bank:",
        "  water  1.0000   50.0%",
        "  wood   1.0000   50.0%",
        "  all    2.0000",
    ]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["photo.tif", "--areas"], "photo.tif: is not a class map: that is one band of uint8 or uint16"),
        (
            ["map.tif", "--zones", "none.gpkg"],
            "none.gpkg: cannot be read (No such file or directory)",
        ),
        (["map.tif", "--zones", "words.gpkg"], "words.gpkg: is not a vector file that can be opened"),
        (["map.tif", "--zones", "points.gpkg"], "points.gpkg: feature 1 is a Point; zones are polygons"),
    ],
)
def test_what_is_wrong_is_one_line(command: Command, folder: Path, arguments: list[str], line: str) -> None:
    outcome = command("info", *arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.count("terrasift: ") == 1
    assert f"terrasift: {line}" in outcome.err
