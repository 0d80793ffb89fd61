"""Many scenes: lists, servers, failures that stop nothing, a mosaic over the maps; how sure; and small regions."""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from scipy import ndimage

from terrasift import InputError, LandClass, Legend, MapOptions, Run, SettingError
from terrasift.data.scenes import find_scenes
from terrasift.prediction import map_paths
from terrasift.raster import Raster, confidence_path, pixels_of, write_image, write_mosaic
from terrasift.raster.map_file import MapFile


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Run:
    """A copy that a test may change."""
    return Run.open(shutil.copytree(tiny_run.path, tmp_path / "run"))


def read(path: Path) -> np.ndarray[Any, Any]:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(1))


# How sure


def shares_of(run: Run, scene: Path) -> np.ndarray[Any, Any]:
    """(K, H, W): the softmax of the clusters."""
    with Raster(scene) as raster, torch.inference_mode():
        network, (values, valid) = run.predictor.network_of(raster), raster.read()
        logits = network(run.predictor.reader.tensor(values, valid))[0][0].double().numpy()
    return np.exp(logits) / np.exp(logits).sum(axis=0)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_confidence_is_the_softmax_of_the_winner_in_per_cent(
    run: Run, scenes: Path, tmp_path: Path, suffix: str
) -> None:
    scene = scenes / "images" / "north.tif"
    whole = Run.open(run.path, ["predict.window=512"])
    plain = whole.predict(scene, tmp_path / f"plain{suffix}")
    out = whole.predict(scene, tmp_path / f"map{suffix}", MapOptions(confidence=True))
    assert out.read_bytes() == plain.read_bytes()
    shares = shares_of(whole, scene)
    found = read(confidence_path(out))
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, 100 * shares.max(axis=0), atol=0.51)
    assert len(np.unique(found)) > 1


def test_confidence_of_a_class_is_that_of_its_clusters_together(run: Run, scenes: Path, tmp_path: Path) -> None:
    scene = scenes / "images" / "north.tif"
    shares = shares_of(run, scene)
    winners = shares.argmax(axis=0)
    classes = np.full(run.recipe.clusters, -1)
    by_size = np.argsort(-np.bincount(winners.ravel(), minlength=len(classes)))
    classes[by_size[:-1]] = np.arange(len(classes) - 1) % 2  # one cluster is of no class
    names = Legend((LandClass("a", "#000000"), LandClass("b", "#FFFFFF")))
    run.save_legend(names.with_clusters(classes, 1))
    whole = Run.open(run.path, ["predict.window=512"])
    found = read(confidence_path(whole.predict(scene, tmp_path / "map.tif", MapOptions(confidence=True))))
    together = np.stack([shares[classes == index].sum(axis=0) for index in (0, 1)])
    shown = classes[winners]
    expected = np.where(shown == 0, together[0], together[1])
    np.testing.assert_allclose(found[shown >= 0], 100 * expected[shown >= 0], atol=0.51)
    assert (expected > shares.max(axis=0) + 0.02).any()
    assert (found[shown < 0] == 255).all()


def test_confidence_is_nodata_where_the_map_is(run: Run, scenes: Path, tmp_path: Path) -> None:
    with rasterio.open(scenes / "images" / "north.tif") as dataset:
        values, profile = dataset.read(), dataset.profile
    values[:, :50] = 0
    with rasterio.open(tmp_path / "scene.tif", "w", **{**profile, "nodata": 0}) as dataset:
        dataset.write(values)
    out = run.predict(tmp_path / "scene.tif", tmp_path / "map.tif", MapOptions(confidence=True))
    with rasterio.open(confidence_path(out)) as dataset:
        assert (dataset.nodata, dataset.crs, dataset.transform) == (255, profile["crs"], profile["transform"])
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.descriptions == ("confidence, per cent",)
    assert ((read(confidence_path(out)) == 255) == (read(out) == 255)).all()
    assert (read(out)[:50] == 255).all()
    assert not list(tmp_path.glob(".*"))


# Small regions


def test_regions_smaller_than_the_least_area_are_gone(run: Run, scenes: Path, tmp_path: Path) -> None:
    scene = scenes / "images" / "north.tif"  # pixels of 0.25 m: 2 square metres are 32 of them
    plain = read(run.predict(scene, tmp_path / "plain.tif"))
    clean = read(run.predict(scene, tmp_path / "clean.tif", MapOptions(min_area=2.0)))
    assert smallest_region(plain) < 32 <= smallest_region(clean)
    assert (plain == clean).mean() > 0.5


def smallest_region(labels: np.ndarray[Any, Any]) -> int:
    sizes = []
    for value in np.unique(labels):
        parts, count = ndimage.label(labels == value)
        sizes += np.bincount(parts.ravel(), minlength=count + 1)[1:].tolist()
    return min(sizes)


# Which scenes


def test_a_list_names_scenes_relative_to_itself(scenes: Path, tmp_path: Path) -> None:
    shutil.copytree(scenes / "images", tmp_path / "data" / "images")
    (tmp_path / "data" / "list.txt").write_text(
        "# comment\nimages/south.tif  # the first\n\n/vsicurl/http://host/a.tif\nimages/*.tif\n"
    )
    folder = tmp_path / "data" / "images"
    assert find_scenes(tmp_path / "data" / "list.txt") == [
        str(folder / "south.tif"),
        "/vsicurl/http://host/a.tif",
        str(folder / "north.tif"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"# nothing\n", "list without images"),
        (b"a.tif\n*.tif\n", r"list.txt:2: .*matches no image"),
        (b"\xff\xfe", r"list.txt: is not text in UTF-8 \(byte 0\); write one path on a line"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, text: bytes, words: str) -> None:
    (tmp_path / "list.txt").write_bytes(text)
    with pytest.raises(InputError, match=words):
        find_scenes(tmp_path / "list.txt")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An address on this machine, and the folder that is served there."""
    folder = tmp_path / "served"
    folder.mkdir()
    command = [sys.executable, Path(__file__).with_name("range_server.py"), folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield f"127.0.0.1:{running.stdout.readline().strip()}", folder
        running.terminate()


@pytest.mark.parametrize(
    "prefix", ["/vsicurl/http://{}/bucket/", "http://{}/bucket/", "/vsis3/bucket/", "s3://bucket/"]
)
def test_scenes_of_a_server_give_the_same_map(
    run: Run,
    scenes: Path,
    tmp_path: Path,
    server: tuple[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    prefix: str,
) -> None:
    address, folder = server
    (folder / "bucket").mkdir()
    shutil.copy(scenes / "images" / "north.tif", folder / "bucket")
    for name, value in {
        "AWS_S3_ENDPOINT": address,
        "AWS_HTTPS": "NO",
        "AWS_VIRTUAL_HOSTING": "FALSE",
        "AWS_NO_SIGN_REQUEST": "YES",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    here = run.predict(scenes / "images" / "north.tif", tmp_path / "here.tif")
    there = run.predict_all([f"{prefix.format(address)}north.tif"], tmp_path / "maps").maps[0]
    assert there == tmp_path / "maps" / "north.tif"
    assert there.read_bytes() == here.read_bytes()


def test_a_scene_that_a_server_lacks_is_one_line(run: Run, tmp_path: Path, server: tuple[str, Path]) -> None:
    with pytest.raises(InputError, match="not a raster that can be opened"):
        run.predict(f"/vsicurl/http://{server[0]}/none.tif", tmp_path / "map.tif")


# Failures


def test_a_scene_that_fails_stops_nothing_and_is_said_at_the_end(
    command: Callable[..., Any], run: Run, scenes: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(scenes / "images", tmp_path / "images")
    (folder / "middle.tif").write_bytes((folder / "north.tif").read_bytes()[:900])
    write_image(folder / "other.tif", np.zeros((64, 64, 4), np.uint8))
    outcome = command("predict", run.path, folder, "--out", tmp_path / "maps")
    assert outcome.code == 2
    assert [line for line in outcome.out.splitlines() if line.startswith("wrote")] == [
        f"wrote {tmp_path / 'maps' / name}" for name in ("north.tif", "south.tif", "mosaic.vrt")
    ]
    *_, middle, other, last = outcome.err.splitlines()
    assert "middle.tif" in middle
    assert "other.tif: has 4 bands" in other
    assert last == "terrasift: 2 of 4 scenes failed"
    assert not list((tmp_path / "maps").glob(".*"))
    before = (tmp_path / "maps" / "north.tif").stat().st_mtime_ns
    (folder / "middle.tif").unlink()
    (folder / "other.tif").unlink()
    assert command("predict", run.path, folder, "--out", tmp_path / "maps", "--resume").code == 0
    assert (tmp_path / "maps" / "north.tif").stat().st_mtime_ns == before  # it was done


# Mosaic


def test_a_mosaic_shows_each_map_where_it_lies(run: Run, scenes: Path, tmp_path: Path) -> None:
    done = run.predict_all([scenes / "images"], tmp_path / "maps")
    assert done.mosaic == tmp_path / "maps" / "mosaic.vrt"
    moved = (tmp_path / "maps").rename(tmp_path / "moved")
    north, south = (read(moved / f"{name}.tif") for name in ("north", "south"))
    with rasterio.open(moved / "mosaic.vrt") as dataset:  # south lies 64 m, 256 pixels, east of north
        assert (dataset.shape, dataset.nodata, dataset.crs.to_epsg()) == ((256, 512), 255, 32633)
        np.testing.assert_array_equal(dataset.read(1), np.concatenate([north, south], axis=1))
        assert dataset.colormap(1)[3][:3] == tuple(run.legend.rgb[3].tolist())
    names = [node.text for node in ElementTree.parse(moved / "mosaic.vrt").findall(".//Category")]
    assert names == run.legend.names


def test_a_mosaic_takes_the_finest_pixels_and_lets_nodata_through(tmp_path: Path) -> None:
    legend = Legend.of_clusters(4)
    coarse, fine = np.full((10, 10), 1, np.uint8), np.full((10, 10), 2, np.uint8)
    fine[0] = 255
    for name, labels, size in (("coarse", coarse, 2.0), ("fine", fine, 1.0)):
        transform = rasterio.Affine(size, 0, 100, 0, -size, 200)
        grid = {"crs": "EPSG:32633", "transform": transform, "nodata": 255}
        profile = {"driver": "GTiff", "height": 10, "width": 10, "count": 1, "dtype": "uint8"}
        with rasterio.open(tmp_path / f"{name}.tif", "w", **profile, **grid) as dataset:
            dataset.write(labels, 1)
    found = read(write_mosaic([tmp_path / "coarse.tif", tmp_path / "fine.tif"], tmp_path / "all.vrt", legend))
    expected = np.full((20, 20), 1)
    expected[1:10, :10] = 2
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("crs", ["", "EPSG:32634"])
def test_maps_of_no_common_grid_get_no_mosaic(
    run: Run, scenes: Path, tmp_path: Path, crs: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(scenes / "images", tmp_path / "images")
    with Raster(folder / "south.tif") as raster:
        values, transform = raster.read()[0], raster.info.transform
    write_image(folder / "south.tif", values, crs=crs, transform=transform)
    done = run.predict_all([folder], tmp_path / "maps")
    assert (len(done.maps), done.mosaic) == (2, None)
    assert "no mosaic was written" in caplog.text


# At the edges


def test_a_scene_with_little_data_takes_its_context_from_that(run: Run, scenes: Path, tmp_path: Path) -> None:
    """A corner of a large scene is mapped like the corner alone, however many windows are empty."""
    run = Run.open(run.path, ["predict.context=scene"])
    with Raster(scenes / "images" / "north.tif") as raster:
        corner = raster.read()[0]
    profile = {"driver": "GTiff", "height": 1600, "width": 1600, "count": 3, "dtype": "uint8", "nodata": 0}
    for name, side in (("large", 1600), ("small", 256)):
        grid = {"crs": "EPSG:32633", "transform": rasterio.Affine(1, 0, 5e5, 0, -1, 5e6), "tiled": True}
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", **{**profile, "height": side, "width": side}, **grid
        ) as dataset:
            dataset.write(np.moveaxis(corner, 2, 0), window=rasterio.windows.Window(0, 0, 256, 256))
    large = read(run.predict(tmp_path / "large.tif", tmp_path / "map-large.tif"))
    small = read(run.predict(tmp_path / "small.tif", tmp_path / "map-small.tif"))
    assert (large[256:] == 255).all()
    inside = np.s_[:230, :230]  # beyond the reach of where the data ends
    assert (large[inside] == small[inside]).mean() > 0.9999


def test_what_fails_for_another_reason_than_the_scene_can_be_resumed(
    run: Run, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, out = scenes / "images" / "north.tif", tmp_path / "maps" / "map.tif"
    whole = run.predict(scene, tmp_path / "whole.tif").read_bytes()
    fill = MapFile.fill

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(MapFile, "fill", full)
    with pytest.raises(InputError, match=r"map.tif: cannot be written"):
        run.predict(scene, out)
    assert [path.name for path in out.parent.iterdir()] == [".map.tif.partial"]
    monkeypatch.setattr(MapFile, "fill", fill)
    monkeypatch.setattr("terrasift.prediction.predictor.decide", full)  # nothing is left to be computed
    assert run.predict(scene, out, MapOptions(resume=True)).read_bytes() == whole


def test_a_confidence_that_is_gone_is_made_again(run: Run, scenes: Path, tmp_path: Path) -> None:
    options = MapOptions(confidence=True, resume=True)
    out = run.predict(scenes / "images" / "north.tif", tmp_path / "map.tif", options)
    before = confidence_path(out).read_bytes()
    confidence_path(out).unlink()
    run.predict(scenes / "images" / "north.tif", out, options)
    assert confidence_path(out).read_bytes() == before


def test_a_virtual_raster_is_mapped_again_when_what_it_shows_has_changed(
    run: Run, scenes: Path, tmp_path: Path
) -> None:
    shutil.copy(scenes / "images" / "north.tif", tmp_path / "source.tif")
    with Raster(tmp_path / "source.tif") as raster:
        bands = "".join(
            f'<VRTRasterBand dataType="Byte" band="{n}"><SimpleSource><SourceFilename relativeToVRT="1">source.tif'
            f"</SourceFilename><SourceBand>{n}</SourceBand></SimpleSource></VRTRasterBand>"
            for n in (1, 2, 3)
        )
        size = f'rasterXSize="{raster.info.width}" rasterYSize="{raster.info.height}"'
    (tmp_path / "scene.vrt").write_text(f"<VRTDataset {size}>{bands}</VRTDataset>")
    first = run.predict(tmp_path / "scene.vrt", tmp_path / "map.tif", MapOptions(resume=True)).read_bytes()
    shutil.copy(scenes / "images" / "south.tif", tmp_path / "source.tif")
    assert run.predict(tmp_path / "scene.vrt", tmp_path / "map.tif", MapOptions(resume=True)).read_bytes() != first


def test_a_least_area_larger_than_the_scene_leaves_one_class(run: Run, scenes: Path, tmp_path: Path) -> None:
    out = run.predict(scenes / "images" / "north.tif", tmp_path / "map.tif", MapOptions(min_area=1e9))
    assert len(np.unique(read(out))) == 1


@pytest.mark.parametrize(("name", "stem"), [("a.b.tif?key=x.tif", "a.b"), ("c.tif", "c")])
def test_a_map_takes_the_name_of_its_scene_without_the_query(name: str, stem: str, tmp_path: Path) -> None:
    assert map_paths([f"https://host/{name}"], tmp_path) == [tmp_path / f"{stem}.tif"]


def test_a_list_may_begin_with_a_mark_and_may_not_name_lists(scenes: Path, tmp_path: Path) -> None:
    (tmp_path / "marked.txt").write_text(f"{scenes / 'images' / 'north.tif'}\n", encoding="utf-8-sig")
    assert find_scenes(tmp_path / "marked.txt") == [str(scenes / "images" / "north.tif")]
    (tmp_path / "loop.txt").write_text("loop.txt\n")
    with pytest.raises(InputError, match=r"loop.txt:1: names a list in a list"):
        find_scenes(tmp_path / "loop.txt")


@pytest.mark.parametrize("margin", [0, 8])
@pytest.mark.parametrize("side", [129, 145])
def test_a_sliver_at_the_edge_is_mapped_too(run: Run, tmp_path: Path, side: int, margin: int) -> None:
    image = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    write_image(tmp_path / "scene.tif", image, crs="EPSG:32633", transform=(1, 0, 0, 0, -1, 0))
    changes = ["predict.context=patch", "predict.window=128", f"predict.margin={margin}"]
    out = Run.open(run.path, changes).predict(tmp_path / "scene.tif", tmp_path / "map.tif")
    assert (read(out) != 255).all()


def test_a_margin_that_leaves_nothing_is_refused(run: Run, scenes: Path, tmp_path: Path) -> None:
    changes = ["predict.context=patch", "predict.window=64", "predict.margin=32"]
    with pytest.raises(SettingError, match="leaves nothing"):
        Run.open(run.path, changes).predict(scenes / "images" / "north.tif", tmp_path / "map.tif")


@pytest.mark.parametrize(("unit", "metres"), [("metre", 1.0), ("foot", 0.3048)])
def test_a_building_sites_own_grid_is_measured_in_its_unit(tmp_path: Path, unit: str, metres: float) -> None:
    crs = f'LOCAL_CS["site",UNIT["{unit}",{metres}],AXIS["x",EAST],AXIS["y",NORTH]]'
    write_image(tmp_path / "a.tif", np.zeros((40, 40, 3), np.uint8), crs=crs, transform=(0.5, 0, 10, 0, -0.5, 20))
    with Raster(tmp_path / "a.tif") as raster:
        assert pixels_of(100 * 0.25 * metres**2, raster.info) == 100
