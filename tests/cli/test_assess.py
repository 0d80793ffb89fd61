"""`terrasift assess`: from a map to figures with intervals; whatever is wrong is one line and exit code 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terrasift import LandClass, Legend, assess
from terrasift.raster import ClassMapWriter, RasterInfo, Window, write_image

Command = Callable[..., Any]
GRID = ("EPSG:32633", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0))
LEGEND = Legend((LandClass("water", "#0000FF"), LandClass("wood", "#00FF00")))


def write_map(path: str, labels: Any, crs: str = GRID[0], left: float = 500_000.0) -> None:
    info = RasterInfo("", *labels.shape, 1, "uint8", False, False, (), crs, (10, 0, left, 0, -10, 5e6), None, "GTiff")
    with ClassMapWriter(path, info, LEGEND) as writer:
        writer.write(labels, Window(0, 0, *labels.shape))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A map of 40 x 40 pixels, half of it water; what shows it, and what does not."""
    monkeypatch.chdir(tmp_path)
    labels = np.zeros((40, 40), np.uint8)
    labels[:, 20:] = 1
    write_map("map.tif", labels)
    write_map("void.tif", np.full((40, 40), 255, np.uint8))
    write_map("small.tif", labels[:10])
    write_map("moved.tif", labels, left=600_000.0)
    write_image("scene.tif", np.zeros((40, 40, 3), np.uint8), crs=GRID[0], transform=GRID[1])
    write_image("elsewhere.tif", np.zeros((40, 40, 3), np.uint8), crs=GRID[0], transform=(10, 0, 9e5, 0, -10, 5e6))
    write_image("plain.png", np.zeros((30, 30, 3), np.uint8))
    Path("words.txt").write_text("neither a map nor a sample")
    return tmp_path


@pytest.fixture
def sampled(folder: Path) -> Path:
    """A labelled sample in check/."""
    done = assess.sample("map.tif", "check", assess.SampleDesign(per_class=40))
    names = {point.id: LEGEND.names[point.value] for point in done.sample.points}
    lines = Path("check/points.csv").read_text().splitlines()
    Path("check/points.csv").write_text(
        "\n".join([lines[0], *(line + names[int(line.split(",")[0])] for line in lines[1:])])
    )
    return folder


def assert_refused(outcome: Any, line: str) -> None:
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.count("terrasift: ") == 1
    assert f"terrasift: {line}" in outcome.err
    assert "Traceback" not in outcome.err


def test_from_a_map_to_figures(command: Command, sampled: Path) -> None:
    outcome = command("assess", "report", "check")
    assert outcome.code == 0
    assert outcome.out.splitlines()[:5] == [
        "class  mapped, ha         area, ha                   user's               producer's",
        "water      8.0000  8.0000 ± 0.0000  100.0 % (91.2 to 100.0)  100.0 % (91.2 to 100.0)",
        "wood       8.0000  8.0000 ± 0.0000  100.0 % (91.2 to 100.0)  100.0 % (91.2 to 100.0)",
        "overall accuracy 100.0 % (95.4 to 100.0)",
        "estimated by Olofsson et al. (2014), with 95 % intervals",
    ]
    assert "wrote check/report.html" in outcome.out
    assert "note: no error was found in water, wood" in outcome.out


def test_programs_get_one_object(command: Command, sampled: Path) -> None:
    outcome = command("assess", "sample", "map.tif", "--total", 50, "--scene", "scene.tif", "--out", "second", "--json")
    content = json.loads(outcome.out)
    assert content["facts"]["points"] == 50
    assert [Path(path).name for path in content["written"]][-3:] == ["chips", "label.html", "sample.json"]
    assert "terrasift assess report second" in content["next"]
    content = json.loads(command("assess", "report", "check", "--json").out)
    assert content["overall_accuracy"]["estimate"] == 1
    assert content["facts"]["labelled"] == 80


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["none.tif", "--total", 9], "none.tif: does not exist; check the path"),
        (["words.txt", "--total", 9], "words.txt: is not a raster that can be opened"),
        (["scene.tif", "--total", 9], "scene.tif: is not a class map: that is one band of uint8 or uint16"),
        (["void.tif", "--total", 9], "void.tif: holds nothing but nodata; name a map with classes"),
        (
            ["map.tif"],
            "how many points: is not said by exactly one number; give --per-class, --total",
        ),
        (["map.tif", "--total", 9, "--per-class", 9], "how many points: is not said by exactly one number"),
        (["map.tif", "--total", 3], "--total: 3 points are too few for 2 strata; use 4 or more"),
        (["map.tif", "--total", 9999], "--total: 9999 points are more than the map's 1600 pixels; use fewer"),
        (["map.tif", "--total", 0], "--total: 0 is not above 0"),
        (["map.tif", "--standard-error", "nan"], "--standard-error: nan is not above 0"),
        (["map.tif", "--total", 9, "--allocation", "neyman"], "--expected: neyman needs the accuracy to expect"),
        (["map.tif", "--standard-error", 0.1, "--expected", "lots"], "--expected: 'lots' is no accuracy"),
        (["map.tif", "--standard-error", 0.1, "--expected", "1.5"], "--expected: water: 1.5 is no accuracy"),
        (["map.tif", "--standard-error", 0.1, "--expected", "ice=1"], "--expected: ice is no stratum of the map"),
        (["map.tif", "--standard-error", 0.1, "--expected", "wood=1"], "--expected: says nothing of water"),
        (["map.tif", "--total", 9, "--classes", "none.yaml"], "none.yaml: cannot be read"),
        (["map.tif", "--total", 9, "--scene", "none.tif"], "none.tif: does not exist"),
        (["map.tif", "--total", 9, "--scene", "plain.png"], "plain.png: has 30 x 30 pixels, the map 40 x 40"),
        (["map.tif", "--total", 9, "--scene", "elsewhere.tif"], "elsewhere.tif: shows none of the sample's points"),
    ],
)
def test_sample_refuses(command: Command, folder: Path, options: list[Any], line: str) -> None:
    assert_refused(command("assess", "sample", *options, "--out", "check"), line)
    assert not Path("check").exists()


def test_a_sample_is_not_overwritten(command: Command, sampled: Path) -> None:
    before = Path("check/points.csv").read_text()
    outcome = command("assess", "sample", "map.tif", "--total", 9, "--out", "check")
    assert_refused(outcome, "check: holds a sample, maybe a labelled one; choose another folder")
    assert Path("check/points.csv").read_text() == before


def without_labels() -> None:
    assess.sample("map.tif", "other", assess.SampleDesign(per_class=5))
    Path("check/points.csv").write_text(Path("other/points.csv").read_text())


def edited(old: str, new: str) -> Callable[[], None]:
    def edit() -> None:
        path = Path("check/points.csv")
        path.write_text(path.read_text().replace(old, new, 1))

    return edit


def without_classes() -> None:
    path = Path("check/sample.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"classes": []}))


def contradicting() -> None:
    Path("check/points.gpkg").unlink()
    Path("check/points.geojson").write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null, '
        '"properties": {"id": 1, "reference": "ice"}}]}'
    )


@pytest.mark.parametrize(
    ("spoil", "arguments", "line"),
    [
        (None, ["map.tif"], ".: holds no sample.json"),
        (None, ["nowhere"], "nowhere: holds no sample.json"),
        (without_labels, ["check"], "check: no point has a reference"),
        (edited("id,x", "nr,x"), ["check"], "check/points.csv: has no column id; its columns are nr, x, y"),
        (edited("\n1,", "\n777,"), ["check"], "check/points.csv:2: the sample has no point 777"),
        (edited("\n1,", "\n2,"), ["check"], "check/points.csv:3: point 2 comes twice; keep one"),
        (edited("\n1,", "\none,"), ["check"], "check/points.csv:2: 'one' is no id"),
        (
            lambda: Path("check/points.csv").write_bytes(b"id,reference\n1,\xfc\n"),
            ["check"],
            "check/points.csv: is not text in UTF-8",
        ),
        (contradicting, ["check"], "check: points.csv and points.geojson differ at point 1"),
        (lambda: Path("check/sample.json").write_text("{"), ["check"], "check/sample.json: is wrong (Invalid JSON"),
        (
            lambda: Path("check/sample.json").write_text("[]"),
            ["check"],
            "check/sample.json: is wrong (Input",
        ),
        (without_classes, ["check"], "check/sample.json: is not a sample: a stratum of no class"),
        (
            lambda: Path("check/points.gpkg").write_text("x"),
            ["check"],
            "check/points.gpkg: is not a vector file",
        ),
        (None, ["check", "--map", "small.tif"], "small.tif: has "),
        (None, ["check", "--map", "moved.tif"], "moved.tif: has "),
        (None, ["check", "--map", "scene.tif"], "scene.tif: is not a class map"),
        (None, ["check", "--out", "words.txt"], "words.txt: cannot be written"),
    ],
)
def test_report_refuses(
    command: Command, sampled: Path, spoil: Callable[[], None] | None, arguments: list[Any], line: str
) -> None:
    if spoil:
        spoil()
    assert_refused(command("assess", "report", *arguments), line)
    assert not list(Path("check").glob("report.*"))
