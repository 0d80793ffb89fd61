"""Polygons of class maps: as large as the raster's regions, without gaps and overlaps, where the map lies."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio import features
from scipy.ndimage import gaussian_filter

from terrasift import InputError, LandClass, Legend, SettingError
from terrasift.raster import ClassMapWriter, RasterInfo, Window, check_polygons_path, write_polygons

NAMES = ["road", 'say "<tree>" & more', "Wiese, Äcker"]
LEGEND = Legend(tuple(LandClass(name, f"#0000{index:02X}") for index, name in enumerate(NAMES)))
UTM = ("EPSG:32633", (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0))
ROTATED = ("EPSG:32633", (0.3, 0.4, 500_000.0, 0.4, -0.3, 5_000_000.0))
FEET = ("EPSG:2263", (1.0, 0.0, 1e6, 0.0, -1.0, 2e5))
PLAIN = ("", (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
SIZE = 100


def patchwork(seed: int = 0, empty: bool = True) -> NDArray[np.uint8]:
    generator = np.random.default_rng(seed)
    labels = np.stack([gaussian_filter(generator.normal(size=(SIZE, SIZE)), 2) for _ in NAMES]).argmax(0)
    labels = labels.astype(np.uint8)
    if empty:
        labels[np.add.outer(np.arange(SIZE), np.arange(SIZE)) < 50] = 255  # its edge is a staircase
    return labels


def write_map(path: Path, labels: NDArray[Any], grid: tuple[str, tuple[float, ...]], legend: Legend = LEGEND) -> Path:
    info = RasterInfo("", *labels.shape, 1, "uint8", False, False, (), *grid, None, "GTiff")
    with ClassMapWriter(path, info, legend) as writer:
        writer.write(labels, Window(0, 0, *labels.shape))
    return path


class Read(NamedTuple):
    meta: dict[str, Any]
    polygons: NDArray[Any]
    classes: NDArray[Any]
    names: NDArray[Any]
    areas: NDArray[Any]


def read(path: Path) -> Read:
    meta, _, geometry, fields = pyogrio.raw.read(path)
    assert list(meta["fields"]) == ["class", "name", "area"]
    return Read(meta, shapely.from_wkb(geometry), *fields)


@pytest.mark.parametrize(("grid", "pixel"), [(UTM, 0.25), (ROTATED, 0.25), (PLAIN, 1.0), (FEET, 0.3048006096**2)])
@pytest.mark.parametrize("min_area", [0.0, 5.0])
def test_polygons_are_the_map(
    tmp_path: Path, grid: tuple[str, tuple[float, ...]], pixel: float, min_area: float
) -> None:
    labels = patchwork()
    written = write_map(tmp_path / "map.tif", labels, grid)
    found = read(write_polygons(written, tmp_path / "out.gpkg", min_area=min_area))
    assert found.meta["crs"] == (grid[0] or None)
    assert shapely.is_valid(found.polygons).all()
    assert shapely.coverage_is_valid(found.polygons)
    total = (labels != 255).sum() * pixel
    assert found.areas.sum() == pytest.approx(total, rel=1e-3)
    np.testing.assert_allclose(found.areas, shapely.area(found.polygons) * pixel / own_pixel(grid), rtol=1e-6)
    assert shapely.union_all(found.polygons).area == pytest.approx(shapely.area(found.polygons).sum(), rel=1e-9)
    assert set(found.classes.tolist()) == {0, 1, 2}
    assert found.names.tolist() == [NAMES[index] for index in found.classes]
    if min_area:
        assert found.areas.min() > 0.8 * min_area
    else:
        for index in range(3):
            assert found.areas[found.classes == index].sum() == pytest.approx((labels == index).sum() * pixel, rel=0.01)


def own_pixel(grid: tuple[str, tuple[float, ...]]) -> float:
    a, b, _, d, e, _ = grid[1]
    return abs(a * e - b * d)


@pytest.mark.parametrize("grid", [UTM, ROTATED])
def test_polygons_lie_on_their_pixels(tmp_path: Path, grid: tuple[str, tuple[float, ...]]) -> None:
    labels = patchwork()
    written = write_map(tmp_path / "map.tif", labels, grid)
    for simplify, wrong in ((0.0, 0.0), (0.75, 0.03)):
        found = read(write_polygons(written, tmp_path / "out.gpkg", simplify=simplify))
        burnt = features.rasterize(
            list(zip(found.polygons, found.classes.tolist(), strict=True)),
            labels.shape,
            fill=255,
            transform=rasterio.Affine(*grid[1]),
            dtype="uint8",
        )
        assert (burnt != labels).mean() <= wrong


def test_plain_images_lie_where_qgis_lays_them(tmp_path: Path) -> None:
    labels = np.zeros((40, 60), np.uint8)
    labels[30:, :20] = 1
    found = read(write_polygons(write_map(tmp_path / "map.png", labels, PLAIN), tmp_path / "out.gpkg"))
    place = found.polygons[found.names == NAMES[1]][0]
    assert place.bounds == (0, -40, 20, -30)
    assert found.areas.sum() == 2400


def test_geojson_is_in_longitude_and_latitude(tmp_path: Path) -> None:
    labels = patchwork()
    written = write_map(tmp_path / "map.tif", labels, UTM)
    found = read(write_polygons(written, tmp_path / "out.geojson"))
    content = json.loads((tmp_path / "out.geojson").read_text(encoding="utf-8"))
    assert "crs" not in content
    assert content["features"][0]["properties"].keys() == {"class", "name", "area"}
    assert found.meta["crs"] == "EPSG:4326"
    assert found.areas.sum() == pytest.approx((labels != 255).sum() * 0.25, rel=1e-3)
    # 500,000 m is the zone's middle meridian, 15 degrees east; 50 m are 0.00063 degrees there.
    west, south, east, north = shapely.total_bounds(found.polygons)
    np.testing.assert_allclose((west, north), (15.0, 45.1535), atol=1e-3)
    np.testing.assert_allclose((east - west, north - south), (50 / 78_700, 50 / 111_140), rtol=0.01)
    assert shapely.is_valid(found.polygons).all()


def test_degrees_give_square_metres_of_the_ellipsoid(tmp_path: Path) -> None:
    step = 1 / SIZE  # the map is a square degree, from 45 to 46 degrees north
    written = write_map(
        tmp_path / "map.tif", patchwork(empty=False), ("EPSG:4326", (step, 0.0, 10.0, 0.0, -step, 46.0))
    )
    found = read(write_polygons(written, tmp_path / "out.gpkg"))
    assert found.meta["crs"] == "EPSG:4326"
    assert shapely.area(found.polygons).sum() == pytest.approx(1.0)
    assert found.areas.sum() == pytest.approx(zone_area(45, 46) / 360, rel=1e-4)


def zone_area(south: float, north: float) -> float:
    """Square metres between two parallels, by the closed formula of the ellipsoid WGS 84."""
    major, flattening = 6378137.0, 1 / 298.257223563
    e = np.sqrt(flattening * (2 - flattening))

    def q(latitude: float) -> float:
        s = np.sin(np.radians(latitude))
        return float(s / (1 - (e * s) ** 2) + np.arctanh(e * s) / e)

    return float(np.pi * (major * (1 - flattening)) ** 2 * (q(north) - q(south)))


def test_maps_of_other_programs_have_numbers_for_names(tmp_path: Path) -> None:
    profile = {"driver": "GTiff", "height": 20, "width": 20, "count": 1, "dtype": "uint16", "crs": "EPSG:32633"}
    with rasterio.open(tmp_path / "map.tif", "w", transform=rasterio.Affine(*UTM[1]), **profile) as out:
        out.write(np.full((1, 20, 20), 300, np.uint16))
    found = read(write_polygons(tmp_path / "map.tif", tmp_path / "out.gpkg"))
    assert (found.classes.tolist(), found.names.tolist()) == ([300], ["class 300"])


def test_nothing_but_nodata_is_no_polygon(tmp_path: Path) -> None:
    written = write_map(tmp_path / "map.tif", np.full((20, 20), 255, np.uint8), UTM)
    assert len(read(write_polygons(written, tmp_path / "out.gpkg")).polygons) == 0


def test_an_older_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    written = write_map(tmp_path / "map.tif", patchwork(), UTM)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "out.gpkg").write_text("an older one")
    found = read(write_polygons(written, tmp_path / "new" / "out.gpkg"))
    assert len(found.polygons)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out.gpkg"]
    assert pyogrio.list_layers(tmp_path / "new" / "out.gpkg").tolist() == [["out", "Polygon"]]


@pytest.mark.parametrize("name", ["out.shp", "out", "out.gpkg.zip"])
def test_other_suffixes_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    written = write_map(tmp_path / "map.tif", patchwork(), UTM)
    with pytest.raises(InputError, match=r"polygons cannot be written as '.*'; end the name in \.gpkg or \.geojson$"):
        write_polygons(written, tmp_path / name)


def test_geojson_without_a_crs_is_refused_before_any_work(tmp_path: Path) -> None:
    info = RasterInfo("", 9, 9, 3, "uint8", False, False, (), *PLAIN, None, "PNG")
    check_polygons_path("out.gpkg", info)
    with pytest.raises(InputError, match=r"out\.json: GeoJSON needs longitudes, and the scene has no CRS; end"):
        check_polygons_path("out.json", info)


@pytest.mark.parametrize("package", ["shapely", "pyogrio"])
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else known(name))
    with pytest.raises(SettingError) as error:
        check_polygons_path("out.gpkg")
    assert str(error.value) == f"vector: {package} is not installed; pip install 'terrasift[vector]'"


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = write_map(tmp_path / "map.tif", patchwork(), UTM)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"out\.gpkg: cannot be written \(.*\); choose another folder$"):
        write_polygons(written, tmp_path / "file" / "out.gpkg")

    def fail(path: Path, **_: object) -> None:
        Path(path).write_bytes(b"half")
        raise pyogrio.errors.DataSourceError("disk full")

    monkeypatch.setattr(pyogrio.raw, "write", fail)
    (tmp_path / "new").mkdir()
    with pytest.raises(InputError, match=r"out\.gpkg: cannot be written \(disk full\); choose another folder$"):
        write_polygons(written, tmp_path / "new" / "out.gpkg")
    assert list((tmp_path / "new").iterdir()) == []


def test_images_are_no_class_maps(tmp_path: Path) -> None:
    with rasterio.open(
        tmp_path / "image.tif", "w", driver="GTiff", height=9, width=9, count=3, dtype="uint8", **_PLACE
    ) as out:
        out.write(np.zeros((3, 9, 9), np.uint8))
    with pytest.raises(InputError, match=r"image\.tif: is not a class map: that is one band of uint8 or uint16"):
        write_polygons(tmp_path / "image.tif", tmp_path / "out.gpkg")
    with pytest.raises(InputError, match=r"none\.tif: does not exist"):
        write_polygons(tmp_path / "none.tif", tmp_path / "out.gpkg")


_PLACE = {"crs": "EPSG:32633", "transform": rasterio.Affine(*UTM[1])}
