"""STAC items as images: assets by name, in JSON, GeoParquet, dictionaries and pystac's objects."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
import rasterio
from pyarrow import parquet

from terrasift import InputError, MapOptions, Run
from terrasift.data.images import ImageFiles
from terrasift.raster import ImageArray, Raster, write_image

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)


def asset(href: str, **more: Any) -> dict[str, Any]:
    return {"href": href, "type": "image/tiff; application=geotiff; profile=cloud-optimized", "roles": ["data"], **more}


@pytest.fixture
def item(tmp_path: Path) -> dict[str, Any]:
    """Two bands of 10 m and one of 20 m, as Sentinel-2 has them, beside what is no image."""
    for name, size, pixel in (("B04", 64, 10.0), ("B08", 64, 10.0), ("B11", 32, 20.0)):
        values = RNG.integers(1, 3000, (size, size)).astype(np.uint16)
        transform = (pixel, 0.0, 500_000.0, 0.0, -pixel, 5_000_000.0)
        write_image(tmp_path / f"{name}.tif", ImageArray(values, crs="EPSG:32633", transform=transform, nodata=0))
    assets = {
        "B04": asset("./B04.tif", **{"eo:bands": [{"name": "B04", "common_name": "red"}]}),
        "B08": asset("B08.tif", bands=[{"name": "B08", "eo:common_name": "nir"}]),
        "B11": asset("B11.tif"),
        "thumbnail": {"href": "preview.jpg", "type": "image/jpeg", "roles": ["thumbnail"]},
    }
    return {"type": "Feature", "stac_version": "1.0.0", "id": "S2A/33", "assets": assets, "links": []}


def images_of(images: Any, folder: Path, bands: Any = ("red", "B11", "nir")) -> list[str]:
    files = ImageFiles(images, folder / "made", bands)
    files.write()
    return files.paths


class Pystac:
    """As far as an item of pystac is asked."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def to_dict(self) -> dict[str, Any]:
        return self.content


def of_json(item: dict[str, Any], folder: Path) -> Path:
    (folder / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": [item]}))
    return folder / "items.json"


def of_parquet(item: dict[str, Any], folder: Path) -> Path:
    """With another item's assets in the same columns, as stac-geoparquet has them."""
    other = item | {"id": "another", "assets": {"B04": item["assets"]["B04"], "B08": item["assets"]["B08"]}}
    other["assets"] |= {"B11": asset("B11.tif"), "scl": asset("SCL.tif")}
    parquet.write_table(pyarrow.Table.from_pylist([item, other]), folder / "items.parquet")
    return folder / "items.parquet"


def of_pystac(item: dict[str, Any], folder: Path) -> Pystac:
    return Pystac(item | {"links": [{"rel": "self", "href": str(folder / "item.json")}]})


@pytest.mark.parametrize("make", [of_json, of_parquet, of_pystac])
def test_assets_are_bands_by_their_names(make: Any, item: dict[str, Any], tmp_path: Path) -> None:
    path = images_of(make(item, tmp_path), tmp_path)[0]
    assert Path(path).name == "S2A_33.vrt"
    with Raster(path) as raster:
        assert raster.info.descriptions == ("red", "B11", "nir")
        assert (raster.info.height, raster.info.width, raster.info.dtype) == (64, 64, "uint16")
        assert raster.info.crs == "EPSG:32633"
        assert raster.info.transform == (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0)
        assert raster.info.nodata == 0
        values, valid = raster.read()
    assert valid.all()
    for place, name in ((0, "B04"), (2, "B08")):
        with Raster(tmp_path / f"{name}.tif") as plane:
            assert (values[:, :, place] == plane.read()[0][:, :, 0]).all()
    with Raster(tmp_path / "B11.tif") as coarse:
        middles = coarse.read()[0][:, :, 0].astype(float)
    found = values[:, :, 1].astype(float)
    interpolated = (9 * middles[1, 1] + 3 * middles[1, 2] + 3 * middles[2, 1] + middles[2, 2]) / 16
    assert found[3, 3] == pytest.approx(interpolated, abs=1)


@pytest.mark.parametrize(("dtype", "nodata"), [("int64", -9999), ("uint64", 2**40), ("int8", -128), ("float64", -1e30)])
def test_assets_of_every_type_are_taken(item: dict[str, Any], tmp_path: Path, dtype: str, nodata: float) -> None:
    for name, size in (("B04", 64), ("B08", 64), ("B11", 32)):
        values = RNG.integers(1, 100, (1, size, size)).astype(dtype)
        values[0, :4, :4] = nodata
        profile = {"driver": "GTiff", "count": 1, "height": size, "width": size, "dtype": dtype, "nodata": nodata}
        profile["transform"] = rasterio.Affine(640 / size, 0, 500_000, 0, -640 / size, 5_000_000)
        with rasterio.open(tmp_path / f"{name}.tif", "w", crs="EPSG:32633", **profile) as dataset:
            dataset.write(values)
    (path,) = images_of(of_json(item, tmp_path), tmp_path, ("B04", "B08", "B11"))
    with Raster(path) as raster, Raster(tmp_path / "B08.tif") as plane:
        found, valid = raster.read(bands=["B08"])
        assert raster.info.dtype == dtype
        assert (found == plane.read()[0]).all()
        assert (valid == plane.read()[1]).all()
        assert not valid[:4, :4].any()
        coarse, valid = raster.read(bands=["B11"])
        assert coarse[valid].max() < 100
        assert not valid[:6, :6].any()


def test_an_item_of_one_image_is_that_image(item: dict[str, Any], tmp_path: Path) -> None:
    item["assets"] = {"image": asset("B04.tif"), "thumbnail": item["assets"]["thumbnail"]}
    assert images_of(of_json(item, tmp_path), tmp_path, None) == [str(tmp_path / "B04.tif")]


def test_signed_addresses_are_opened_as_they_are(item: dict[str, Any], tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "tests" / "api" / "range_server.py", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        try:
            for key in ("B04", "B08"):
                item["assets"][key]["href"] = f"{address}/{key}.tif?sig=a%2Fb&se=2026"
            (path,) = images_of(item, tmp_path, ("nir", "red"))
            with Raster(path) as raster, Raster(tmp_path / "B08.tif") as plane:
                assert (raster.read()[0][:, :, 0] == plane.read()[0][:, :, 0]).all()
        finally:
            server.terminate()


def test_buckets_are_opened_by_gdal(item: dict[str, Any], tmp_path: Path) -> None:
    item["assets"] = {"image": asset("s3://sentinel/B04.tif")}
    assert images_of(item, tmp_path, None) == ["/vsis3/sentinel/B04.tif"]


def test_maps_of_items_are_resumed(item: dict[str, Any], tiny_run: Run, tmp_path: Path) -> None:
    """The second time there is nothing to do, although virtual rasters are made anew."""
    for name in ("r", "g", "b"):
        write_image(tmp_path / f"{name}.tif", RNG.integers(0, 255, (64, 64)).astype(np.uint8))
        item["assets"][name] = asset(f"{name}.tif")
    run = Run(tiny_run.path)
    run.__dict__["recipe"] = run.__dict__["prediction_recipe"] = run.recipe.changed({"bands": ["r", "g", "b"]})
    run.load_network = tiny_run.load_network
    scenes = of_json(item, tmp_path)
    (path,) = run.predict_all(scenes, tmp_path / "maps").maps
    assert path == tmp_path / "maps" / "S2A_33.tif"
    before = path.stat().st_mtime_ns
    run.predict_all(scenes, tmp_path / "maps", MapOptions(resume=True))
    assert path.stat().st_mtime_ns == before
    assert run.predict(scenes, tmp_path / "one.tif").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("change", "bands", "words"),
    [
        ({}, None, r"item S2A/33: has 3 images, and no band says which; name assets: .*its assets are B04, B08, B11"),
        ({}, ("green",), r"item S2A/33: has no asset green; name assets"),
        ({"assets": {"B04": {"roles": ["data"]}}}, ("B04",), r"item S2A/33: asset B04 has no href"),
        ({"assets": {"B04": asset("B04.tif")}}, ("B04",), r"item S2A/33: asset B04 is at B04.tif, relative to nothing"),
        ({"features": []}, None, r"item: is a collection without items"),
        ({"assets": [1]}, None, r"item: is not a STAC item"),
    ],
)
def test_what_is_wrong_with_an_item_is_said(
    change: dict[str, Any], bands: Any, words: str, item: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        images_of(item | change, tmp_path, bands)


def test_assets_that_do_not_fit_together_are_refused(item: dict[str, Any], tmp_path: Path) -> None:
    write_image(tmp_path / "B08.tif", np.zeros((64, 64, 3), np.uint16))
    with pytest.raises(InputError, match=r"item S2A/33: B08 has 3 bands, where one is taken"):
        images_of(of_json(item, tmp_path), tmp_path, ("B04", "B08"))
    write_image(tmp_path / "B08.tif", np.zeros((64, 64), np.float32))
    with pytest.raises(InputError, match=r"item S2A/33: B08 holds float32, but B04 uint16"):
        images_of(of_json(item, tmp_path), tmp_path, ("B04", "B08"))


@pytest.mark.parametrize("text", ["[1, 2]", '{"a": 1}', "{", '{"type": "Feature", "id": "a"}'])
def test_json_that_holds_no_items_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"a\.json.*; give an item or a collection of items"):
        ImageFiles(tmp_path / "a.json", tmp_path)


def test_parquet_that_holds_no_items_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(InputError, match="is not a GeoParquet of STAC items"):
        ImageFiles(tmp_path / "a.parquet", tmp_path)
    parquet.write_table(pyarrow.table({"x": [1]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"has no items|is not a GeoParquet"):
        ImageFiles(tmp_path / "a.parquet", tmp_path)
