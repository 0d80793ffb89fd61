"""What a class map shows of itself, against the labels that it was written with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

from terrasift import ClassMap, LandClass, Legend
from terrasift.raster import ClassMapWriter, RasterInfo, Window, write_image
from tests.html import cells

LEGEND = Legend((LandClass("<road>", "#6EC1E4"), LandClass("water", "#0B3C7A"), LandClass("wood", "#00AA00")))


@pytest.fixture
def found(tmp_path: Path) -> Iterator[ClassMap]:
    """Road above, water below, nothing on the right; large enough to hold smaller copies of itself."""
    labels = np.zeros((1200, 900), np.uint8)
    labels[400:], labels[:, 700:] = 1, 255
    grid: Any = ("EPSG:32633", (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0))
    info = RasterInfo("grid", 1200, 900, 1, "uint8", False, False, (), *grid, None, "GTiff")
    with ClassMapWriter(tmp_path / "map.tif", info, LEGEND) as writer:
        writer.write(labels, Window(0, 0, 1200, 900))
    with ClassMap(tmp_path / "map.tif") as opened:
        yield opened
    pyplot.close("all")


def test_a_map_is_a_line_and_a_table_of_what_its_classes_cover(found: ClassMap) -> None:
    line = f"{found.path!r}: 900 x 1200 pixels of 0.5 m; 3 classes: <road>, water, wood"
    assert repr(found) == f"ClassMap({line})"
    shown = found._repr_html_()
    assert cells(shown) == [["", "class", "ha"], ["", "<road>", "7"], ["", "water", "14"], ["", "wood", "0"]]
    assert shown.count("data:image/png;base64,") == 1
    assert all(entry.color in shown for entry in LEGEND.classes)


def test_areas_are_frames_with_the_shares_of_all(found: ClassMap) -> None:
    frame = found.areas().to_frame()
    assert list(frame.index) == ["<road>", "water", "wood"]
    assert list(frame.pixels) == [400 * 700, 800 * 700, 0]
    np.testing.assert_allclose(frame.ha, [7, 14, 0], rtol=1e-9)
    np.testing.assert_allclose(frame.share, [1 / 3, 2 / 3, 0], rtol=1e-9)
    assert repr(found.areas()) == "ClassAreas(3 classes, 21 ha)"


def test_a_map_is_drawn_where_it_lies_in_its_colours(found: ClassMap) -> None:
    small = found.thumbnail(300)
    assert max(small.shape) <= 300
    assert [small[2, 2], small[-3, 2], small[2, -3]] == [0, 1, 255]
    axes = found.plot()
    (image,) = axes.images
    assert tuple(image.get_extent()) == (500_000.0, 500_450.0, 4_999_400.0, 5_000_000.0)
    assert max(image.get_array().shape) <= 1000
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["<road>", "water"]
    assert [to_hex(patch.get_facecolor()).upper() for patch in legend.get_patches()] == ["#6EC1E4", "#0B3C7A"]
    assert image.get_array()[3, 3].tolist() == [0x6E, 0xC1, 0xE4]


def test_a_map_by_another_program_has_no_names_and_gets_colours(tmp_path: Path) -> None:
    write_image(tmp_path / "other.png", np.array([[3, 7], [7, 255]], np.uint8))
    with ClassMap(tmp_path / "other.png") as found:
        assert repr(found) == f"ClassMap({found.path!r}: 2 x 2 pixels)"
        assert cells(found._repr_html_())[1:] == [["", "class 3", "1"], ["", "class 7", "2"]]
        assert list(found.areas().to_frame().columns) == ["value", "pixels", "share"]
        assert found.plot().get_legend() is not None
