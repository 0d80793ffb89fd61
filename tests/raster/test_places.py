"""Where pixels lie: with a geotransform, with control points, with a CRS that has no place on Earth, and with none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint

from terrasift.raster import Raster, place_of

SITE = 'LOCAL_CS["site",UNIT["metre",1]]'
GRID = rasterio.Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000)


def scene(path: Path, **profile: Any) -> Path:
    shape = {"driver": "GTiff", "height": 30, "width": 40, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", **shape, **profile) as dataset:
        dataset.write(np.ones((1, 30, 40), np.uint8))
    return path


def test_a_pixel_of_a_projected_scene(tmp_path: Path) -> None:
    with Raster(scene(tmp_path / "a.tif", crs="EPSG:32633", transform=GRID)) as raster:
        place = place_of(raster.info, 10, 20)
    assert place is not None
    assert (place.easting, place.northing) == (500_010.25, 4_999_994.75)
    assert place.longitude == pytest.approx(15.00013, abs=1e-5)  # zone 33 is about 15 degrees east, its 500 km


def test_a_local_crs_has_coordinates_but_no_degrees(tmp_path: Path) -> None:
    with Raster(scene(tmp_path / "a.tif", crs=SITE, transform=GRID)) as raster:
        assert raster.info.crs
        assert place_of(raster.info, 10, 20) == (500_010.25, 4_999_994.75, None, None)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_control_points_place_a_pixel(tmp_path: Path) -> None:
    corners = [(0, 0), (0, 40), (30, 0), (30, 40)]
    points = [GroundControlPoint(row, column, *(GRID @ (column, row))) for row, column in corners]
    with Raster(scene(tmp_path / "a.tif", crs="EPSG:32633", gcps=points)) as raster:
        place = place_of(raster.info, 10, 20)
    assert place is not None
    assert (place.easting, place.northing) == pytest.approx((500_010.25, 4_999_994.75), abs=1e-6)
    assert place.longitude == pytest.approx(15.00013, abs=1e-5)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_nothing_is_made_up(tmp_path: Path) -> None:
    for name, profile in {"crs": {"crs": "EPSG:32633"}, "plain": {}}.items():
        with Raster(scene(tmp_path / f"{name}.tif", **profile)) as raster:
            assert place_of(raster.info, 10, 20) is None
