"""The style that QGIS applies on opening: parsed back, it names and colours every class."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from terrasift import InputError, LandClass, Legend
from terrasift.raster import write_qgis_style

NAMES = ["road", "<b>\"tall\"</b> & 'wide'", "Grünfläche"]
LEGEND = Legend((LandClass(NAMES[0], "#FFFFFF"), LandClass(NAMES[1], "#0A10FF"), LandClass(NAMES[2], "#00FF00")))


@pytest.mark.parametrize("name", ["map.tif", "map.gpkg", "north.east.geojson"])
def test_it_lies_where_qgis_looks(tmp_path: Path, name: str) -> None:
    path = write_qgis_style(tmp_path / name, LEGEND)
    assert [found.name for found in tmp_path.iterdir()] == [f"{name.rsplit('.', 1)[0]}.qml"]
    assert path.parent == tmp_path
    first, second = path.read_text(encoding="utf-8").splitlines()[:2]
    assert first == "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
    assert second.startswith("<qgis version=")


def test_rasters_get_names_and_colours(tmp_path: Path) -> None:
    root = ElementTree.parse(write_qgis_style(tmp_path / "map.tif", LEGEND)).getroot()
    renderer = root.find("pipe/rasterrenderer")
    assert renderer is not None
    assert (renderer.get("type"), renderer.get("band")) == ("paletted", "1")
    entries = [(entry.get("value"), entry.get("label"), entry.get("color")) for entry in renderer.iter("paletteEntry")]
    assert entries == [("0", NAMES[0], "#ffffff"), ("1", NAMES[1], "#0a10ff"), ("2", NAMES[2], "#00ff00")]


def test_polygons_get_a_category_for_each_class(tmp_path: Path) -> None:
    root = ElementTree.parse(write_qgis_style(tmp_path / "map.gpkg", LEGEND)).getroot()
    renderer = root.find("renderer-v2")
    assert renderer is not None
    assert (renderer.get("type"), renderer.get("attr")) == ("categorizedSymbol", "class")
    found = {}
    for category in renderer.iter("category"):
        color = renderer.find(f"symbols/symbol[@name='{category.get('symbol')}']/layer/Option/Option[@name='color']")
        assert color is not None
        found[category.get("value")] = (category.get("label"), color.get("value"))
    assert found == {
        "0": (NAMES[0], "255,255,255,255"),
        "1": (NAMES[1], "10,16,255,255"),
        "2": (NAMES[2], "0,255,0,255"),
    }


def test_names_that_xml_cannot_hold_leave_it_readable(tmp_path: Path) -> None:
    path = write_qgis_style(tmp_path / "map.tif", Legend((LandClass("bell\ufffe", "#000000"),)))
    entry = next(ElementTree.parse(path).iter("paletteEntry"))
    assert entry.get("label") == "bell\ufffd"


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"map\.qml: cannot be written \(.*\); choose another folder$"):
        write_qgis_style(tmp_path / "file" / "map.tif", LEGEND)
