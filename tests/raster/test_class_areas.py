"""Areas of classes: what pixels cover on the ground, whatever the CRS; by polygon; and in the map's own table."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from numpy.typing import NDArray
from rasterio.warp import transform

from terrasift import InputError, LandClass, Legend
from terrasift.raster import ClassMapWriter, RasterInfo, Window, class_areas, row_areas

NAMES = ["road", 'say "<tree>" & more', "Wiese, Äcker"]
LEGEND = Legend(tuple(LandClass(name, f"#0000{index:02X}") for index, name in enumerate(NAMES)))
UTM = ("EPSG:32633", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0))
PLAIN = ("", (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
EARTH = 510_065_621.724  # square kilometres of the ellipsoid of WGS 84 (Moritz 2000, J. Geod. 74: 5.100656e14 m2)


def info(crs: str, transform: tuple[float, ...], shape: tuple[int, int] = (40, 60)) -> RasterInfo:
    return RasterInfo("grid", *shape, 1, "uint8", False, False, (), crs, transform, None, "GTiff")


def write_map(path: Path, labels: NDArray[Any], grid: tuple[str, tuple[float, ...]]) -> Path:
    with ClassMapWriter(path, info(*grid, shape=labels.shape), LEGEND) as writer:  # type: ignore[arg-type]
        writer.write(labels, Window(0, 0, *labels.shape))
    return path


@pytest.fixture
def labels() -> NDArray[np.uint8]:
    labels = np.random.default_rng(0).integers(0, 3, (40, 60)).astype(np.uint8)
    labels[:, 50:] = 255
    return labels


@pytest.mark.parametrize(("top", "side"), [(90.0, 1.0), (90.5, 1.0), (90.0, 0.25)])
def test_all_pixels_of_a_world_are_the_ellipsoid(top: float, side: float) -> None:
    rows, columns = round(2 * top / side), round(360 / side)
    areas = row_areas(info("EPSG:4326", (side, 0.0, -180.0, 0.0, -side, top), (rows, columns)))
    assert areas is not None
    assert areas.sum() * columns / 1e6 == pytest.approx(EARTH, rel=1e-9)


def test_a_pixel_in_degrees_is_as_large_as_its_sides_on_the_ellipsoid() -> None:
    """Radii of curvature along the meridian and across it, at 50 degrees north (Snyder 1987, eqs. 4-18 to 4-20)."""
    areas = row_areas(info("EPSG:4326", (1e-4, 0.0, 8.0, 0.0, -1e-4, 50.00005), (1, 1)))
    phi, axis, flat = np.radians(50), 6_378_137.0, 1 / 298.257223563
    square = flat * (2 - flat)
    across = axis / np.sqrt(1 - square * np.sin(phi) ** 2)
    along = axis * (1 - square) / (1 - square * np.sin(phi) ** 2) ** 1.5
    assert areas is not None
    assert areas[0] == pytest.approx(along * across * np.cos(phi) * np.radians(1e-4) ** 2, rel=1e-8)


def test_web_mercator_is_undone_and_utm_taken_as_surveys_do() -> None:
    mercator = row_areas(info("EPSG:3857", (10.0, 0.0, 1e6, 0.0, -10.0, 6_446_275.84)))  # 50 degrees north
    assert mercator is not None
    assert mercator[0] == pytest.approx(100 * np.cos(np.radians(50)) ** 2, rel=0.01)
    utm = row_areas(info(*UTM))
    assert utm is not None
    assert (utm == 100).all()
    feet = row_areas(info("EPSG:2263", (1.0, 0.0, 1e6, 0.0, -1.0, 2e5)))
    assert feet is not None
    assert feet == pytest.approx(0.3048006096**2)


def test_where_a_plane_is_far_off_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    areas = row_areas(info("EPSG:3995", (100_000.0, 0.0, -2e6, 0.0, -100_000.0, 2e6)))
    assert areas is not None
    assert (areas == 1e10).all()
    assert "areas of EPSG:3995 are up to" in caplog.text


def test_a_rotated_grid_in_degrees_is_refused() -> None:
    with pytest.raises(InputError, match="is rotated and counts in degrees"):
        row_areas(info("EPSG:4326", (0.1, 0.01, 8.0, 0.01, -0.1, 50.0)))


@pytest.mark.parametrize(("grid", "unit", "each"), [(UTM, "ha", 0.01), (PLAIN, "pixels", 1.0)])
def test_classes_of_a_map(
    tmp_path: Path, labels: NDArray[np.uint8], grid: tuple[str, tuple[float, ...]], unit: str, each: float
) -> None:
    found = class_areas(write_map(tmp_path / "map.tif", labels, grid))
    assert found.unit == unit
    assert [(entry.value, entry.name) for entry in found.classes] == list(enumerate(NAMES))
    assert [entry.pixels for entry in found.classes] == np.bincount(labels.ravel())[:3].tolist()
    assert [entry.area for entry in found.classes] == pytest.approx([each * entry.pixels for entry in found.classes])


def test_strips_of_any_height_count_the_same(
    tmp_path: Path, labels: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = ("EPSG:4326", (0.5, 0.0, 8.0, 0.0, -0.5, 70.0))
    path = write_map(tmp_path / "map.tif", labels, grid)
    whole = class_areas(path)
    monkeypatch.setattr("terrasift.raster.class_map_reading._MOST_PIXELS", 7 * 60)
    strips = class_areas(path)
    assert [entry.pixels for entry in strips.classes] == [entry.pixels for entry in whole.classes]
    assert [entry.area for entry in strips.classes] == pytest.approx([entry.area for entry in whole.classes], rel=1e-12)


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    """Two rectangles, one of them twice named, that overlap; one reaches beyond the map."""
    left, right = (
        shapely.box(500_000, 4_999_800, 500_200, 5_000_000),
        shapely.box(500_107, 4_999_000, 600_000, 5_000_000),
    )
    path = tmp_path / "zones.gpkg"
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb([left, right]),
        field_data=[np.array(["west", "east"], object)],
        fields=["name"],
        geometry_type="Polygon",
        crs="EPSG:32633",
    )
    return path


def test_zones_hold_the_pixels_whose_middles_they_hold(
    tmp_path: Path, labels: NDArray[np.uint8], zones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terrasift.raster.class_map_reading._MOST_PIXELS", 9 * 60)
    found = class_areas(write_map(tmp_path / "map.tif", labels, UTM), zones).zones
    expected = {"west": labels[:20, :20], "east": labels[:, 11:]}
    for name, part in expected.items():
        assert [entry.pixels for entry in found[name]] == np.bincount(part.ravel(), minlength=3)[:3].tolist()
        assert [entry.area for entry in found[name]] == pytest.approx([0.01 * entry.pixels for entry in found[name]])


def test_zones_in_another_crs_are_brought_to_the_map(tmp_path: Path, labels: NDArray[np.uint8], zones: Path) -> None:
    path = write_map(tmp_path / "map.tif", labels, UTM)
    meta, _, geometry, values = pyogrio.raw.read(zones)

    def moved(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(transform("EPSG:32633", "EPSG:4326", *places.T), axis=1)

    degrees = shapely.transform(shapely.segmentize(shapely.from_wkb(geometry), 50), moved)
    pyogrio.raw.write(
        tmp_path / "degrees.geojson",
        geometry=shapely.to_wkb(degrees),
        field_data=values,
        fields=meta["fields"],
        geometry_type="Polygon",
        crs="EPSG:4326",
    )
    here, there = class_areas(path, zones).zones, class_areas(path, tmp_path / "degrees.geojson").zones
    assert here == there


def test_gdal_and_qgis_find_a_table_in_the_map(tmp_path: Path, labels: NDArray[np.uint8]) -> None:
    """As GDAL itself reads it, where its tool is installed; else from the file beside the map."""
    path = write_map(tmp_path / "map.tif", labels, UTM)
    try:
        found = subprocess.run(["gdalinfo", "-json", str(path)], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("needs gdalinfo")
    table = json.loads(found)["rat"]
    fields = {field["name"]: (field["type"], field["usage"]) for field in table["fieldDefn"]}
    assert fields == {
        "Value": (0, 5),
        "Class": (2, 2),
        "Count": (0, 1),
        "Red": (0, 6),
        "Green": (0, 7),
        "Blue": (0, 8),
        "Hectares": (1, 0),
    }
    rows = [row["f"] for row in table["row"]]
    counts = np.bincount(labels.ravel())[:3].tolist()
    colors = [(0, 0, index) for index in range(3)]
    assert rows == [
        [index, name, count, *color, pytest.approx(count / 100)]
        for index, (name, count, color) in enumerate(zip(NAMES, counts, colors, strict=True))
    ]
