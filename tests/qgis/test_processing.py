"""The provider in QGIS itself: what it makes, how it ends, and what it says of what is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
import rasterio.shutil
import shapely

from terrasift import Run
from terrasift.raster import Raster, write_image
from tests.qgis.running_qgis import FAKE, Qgis, executable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SETTINGS = ("width=4", "clusters=8", "patch=64", "crop=64", "steps=30", "lr=3e-3", "compute.device=cpu")


@pytest.fixture
def scene(scenes: Path) -> Path:
    return scenes / "images" / "north.tif"


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Path:
    """A run in a folder with a space and an umlaut, that may be changed."""
    return Path(shutil.copytree(tiny_run.path, tmp_path / "Lauf für Süd"))


def by_command(qgis: Qgis, *words: object) -> str:
    done = subprocess.run(["terrasift", *map(str, words)], env=qgis.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_classify_is_what_the_commands_are(qgis: Qgis, scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "Ausgabe für QGIS"
    results = qgis.run("terrasift:classify", IMAGES=scene, CLASSES=3, RECIPE="demo", SETTINGS="\n".join(SETTINGS),
                       RUN=out / "run", MAP=out / "map.tif")  # fmt: skip
    assert results == {"RUN": str(out / "run"), "MAP": str(out / "map.tif")}
    changes = [word for setting in SETTINGS for word in ("--set", setting)]
    by_command(qgis, "train", scene, "--out", tmp_path / "run", "--recipe", "demo", *changes)
    by_command(qgis, "legend", tmp_path / "run", "--merge-to", 3)
    by_command(qgis, "predict", tmp_path / "run", scene, "--out", tmp_path / "map.tif")
    assert (out / "map.tif").read_bytes() == (tmp_path / "map.tif").read_bytes()


def test_outputs_load_with_names_and_colours(qgis: Qgis, run: Path, scene: Path, tmp_path: Path) -> None:
    by_command(qgis, "legend", run, "--merge", "0,1,2,3", "--name", "0=Wälder", "--color", "0=#112233")
    loaded = qgis.script("loads", run, scene, tmp_path)
    assert loaded["layers"] == ["Class map", "Confidence", "Polygons"]
    assert loaded["map"][0] == [0, "Wälder", "#112233"]
    assert len(loaded["map"]) == 5
    assert loaded["polygons"][0][1] == "Wälder"
    assert all(Path(path).exists() for path in loaded["results"].values())


def test_an_extent_clips_by_window(qgis: Qgis, run: Path, scene: Path, tmp_path: Path) -> None:
    window = tmp_path / "window.tif"
    by_command(qgis, "predict", run, f"vrt://{scene}?srcwin=64,32,128,96", "--out", window)
    extent = "500016,500048,4999968,4999992 [EPSG:32633]"
    qgis.run("terrasift:map", RUN=run, SCENE=scene, EXTENT=extent, MAP=tmp_path / "map.tif")
    assert (tmp_path / "map.tif").read_bytes() == window.read_bytes()


def test_a_raster_of_16_bit_without_a_crs_is_trained_on_and_clipped(qgis: Qgis, tmp_path: Path) -> None:
    image, run, out = tmp_path / "Bild mit Lücke.tif", tmp_path / "run", tmp_path / "map.tif"
    write_image(image, np.random.default_rng(0).integers(0, 4000, (96, 128, 4), dtype=np.uint16))
    settings = "\n".join((*SETTINGS, "steps=1"))
    qgis.run("terrasift:train", IMAGES=image, RECIPE="demo", SETTINGS=settings, RUN=run)
    qgis.run("terrasift:map", RUN=run, SCENE=image, EXTENT="32,128,-96,0", MAP=out)
    with Raster(out) as raster:
        assert (raster.info.width, raster.info.height, raster.info.crs) == (96, 96, "")


def test_a_layer_of_a_geopackage_is_mapped(qgis: Qgis, run: Path, scene: Path, tmp_path: Path) -> None:
    package = tmp_path / "Bilder von Süd.gpkg"
    rasterio.shutil.copy(scene, package, driver="GPKG", raster_table="NORTH")
    qgis.script("loads", run, f"GPKG:{package}:NORTH", tmp_path)
    by_command(qgis, "predict", run, f"GPKG:{package}:NORTH", "--out", tmp_path / "by command.tif")
    assert (tmp_path / "map.tif").read_bytes() == (tmp_path / "by command.tif").read_bytes()


def test_points_of_a_geopackage_teach_a_run(qgis: Qgis, run: Path, scenes: Path, scene: Path, tmp_path: Path) -> None:
    package = tmp_path / "Klicks im Süden.gpkg"
    with Raster(scenes / "masks" / scene.name) as raster:
        labels, transform = raster.read()[0][..., 0], rasterio.Affine(*raster.info.transform)
    rows, columns = np.mgrid[8:256:32, 8:256:32].reshape(2, -1)
    points = shapely.points(*(transform @ (columns + 0.5, rows + 0.5)))
    names = np.array([f"Art {label}" for label in labels[rows, columns]], dtype=object)
    pyogrio.raw.write(package, shapely.to_wkb(points), [names], ["Art"], layer="Klicks", driver="GPKG",
                      geometry_type="Point", crs="EPSG:32633")  # fmt: skip
    results = qgis.run("terrasift:teach", RUN=run, LABELS=f"{package}|layername=Klicks", FIELD="Art", SCENES=scene,
                       SUGGEST=3, NEXT=tmp_path / "next.gpkg")  # fmt: skip
    assert results["CHANGED_RUN"] == str(run)
    assert set(Run.open(run).legend.names) == set(names)
    assert len(pyogrio.raw.read(results["NEXT"])[2]) == 3


def test_layers_that_are_no_files_are_refused(qgis: Qgis, run: Path) -> None:
    tiles = "wms type=xyz&url=file:///nowhere/{z}/{x}/{y}.png&zmin=0&zmax=3"
    lines = qgis.script("refused", run, tiles, "gdal /vsimem/a.tif")
    assert lines[0].startswith("a layer: comes from wms, and terrasift reads files; save it as one first")
    assert lines[1].startswith("a layer: comes from memory, and terrasift reads files; save it as one first")


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("no run", "no run"),
        ("folder that may not be written", "/proc/map.tif"),
        ("no executable", "the command terrasift is not installed here; Settings > Options > terrasift"),
        ("old executable", "is terrasift 0.0.1, and this plugin needs"),
        ("other executable", "did not answer in JSON"),
    ],
)
def test_what_is_wrong_is_one_line(qgis: Qgis, run: Path, scene: Path, tmp_path: Path, what: str, line: str) -> None:
    given = {"RUN": run, "SCENE": scene, "MAP": tmp_path / "map.tif"}
    environment = {}
    if what == "no run":
        (run / "recipe.yaml").unlink()
        line = f"{run}"
    elif what.startswith("folder"):
        given["MAP"] = "/proc/map.tif"
    elif what == "no executable":
        environment = {"PATH": "/usr/bin:/bin"}
    else:
        executable(tmp_path / "bin" / "terrasift", f'"{FAKE}"')
        version = "terrasift 0.0.1" if what == "old executable" else "terrasift 99.0"
        environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "FAKE_VERSION": version}
    assert line in qgis.failure("terrasift:map", environment, **given)
    assert not (tmp_path / "map.tif").exists()


def test_the_settings_page_tests_and_keeps_an_executable(qgis: Qgis, tmp_path: Path) -> None:
    chosen = executable(tmp_path / "Meine Umgebüng" / "bin" / "terrasift", f'"{FAKE}"')
    assert qgis.script("settings", chosen) == [f"{chosen}: terrasift 99.1.0 works", str(chosen)]
    assert qgis.script("settings", "/nowhere")[0].startswith("/nowhere: no such executable")
    assert qgis.script("settings", "")[1] == ""


def test_all_words_can_be_translated(qgis: Qgis) -> None:
    assert qgis.script("untranslated") == []


def test_cancel_in_qgis_ends_the_command(qgis: Qgis, tmp_path: Path) -> None:
    command = executable(tmp_path / "bin" / "terrasift", f"'{FAKE}' last '{tmp_path / 'pids'}'")
    seconds, results, good = qgis.script("cancel", tmp_path, command=command)
    assert seconds < 3
    assert (results, good) == ({}, True)


def test_a_killed_map_leaves_no_half_and_the_next_one_works(qgis: Qgis, run: Path, tmp_path: Path, scene: Path) -> None:
    large, out = tmp_path / "large.tif", tmp_path / "map.tif"
    write_image(large, np.random.default_rng(0).integers(0, 255, (3000, 3000, 3), dtype=np.uint8))
    process = qgis.start("terrasift:map", RUN=run, SCENE=large, MAP=out)
    child = wait_for_child(process.pid)
    time.sleep(4)
    os.kill(child, signal.SIGKILL)
    assert "ended from outside (SIGKILL" in process.communicate(timeout=20)[1]
    assert not out.exists()
    qgis.run("terrasift:map", RUN=run, SCENE=scene, MAP=out)
    assert out.exists()


def wait_for_child(pid: int) -> int:
    """The command that QGIS has started: the first child that leads a session."""
    for _ in range(300):
        listed = subprocess.run(["ps", "-o", "pid=,sid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
        for line in listed.splitlines():
            child, session = map(int, line.split())
            if child == session and b"predict" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
        time.sleep(0.1)
    raise AssertionError("QGIS has started no command")


def test_a_model_trains_once_and_maps_five_scenes(qgis: Qgis, scenes: Path, tmp_path: Path) -> None:
    model = Path(__file__).with_name("five_scenes.model3")
    maps = {f"map_{index}:MAP_{index}": tmp_path / f"map {index}.tif" for index in range(1, 6)}
    images = sorted((scenes / "images").glob("*.tif"))
    given = {f"SCENE_{index}": images[index % 2] for index in range(1, 6)}
    qgis.run(str(model), IMAGES=images, SETTINGS="\n".join(SETTINGS), **given, **maps)
    assert all(path.exists() for path in maps.values())
    first, second, third, *_ = (path.read_bytes() for path in maps.values())
    assert first == third != second


def test_two_maps_are_scored(qgis: Qgis, scenes: Path) -> None:
    north, south = sorted((scenes / "masks").glob("*.tif"))
    assert qgis.run("terrasift:score", PREDICTED=north, TRUTH=north, CLASSES=7)["ACCURACY"] == 1
    line = qgis.failure("terrasift:score", PREDICTED=north, TRUTH=south, CLASSES=7)
    assert line.endswith("bring both to one grid")


def test_a_map_is_sampled_and_what_is_not_labelled_is_said(qgis: Qgis, scenes: Path, tmp_path: Path) -> None:
    masks = sorted((scenes / "masks").glob("*.tif"))
    results = qgis.run("terrasift:sample", MAP=masks[0], TOTAL=30, SAMPLE=tmp_path / "Stichprobe")
    assert len(pyogrio.raw.read(results["POINTS"])[2]) == 30
    assert "no point has a reference" in qgis.failure("terrasift:areas", SAMPLE=results["SAMPLE"])


def test_a_batch_process_maps_many_scenes(qgis: Qgis, run: Path, scenes: Path, tmp_path: Path) -> None:
    images = sorted((scenes / "images").glob("*.tif"))
    said = qgis.script("batch", run, tmp_path, *images)
    assert [path.name for path in sorted(tmp_path.glob("*.tif"))] == ["map 0.tif", "map 1.tif"]
    assert "--vector" not in said  # nobody asked for polygons
