"""Rasters resampled to a ground sampling: what is read, where it lies, and what it takes to get back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.enums import Resampling

from terrasift import InputError
from terrasift.raster import Raster, ResampledGrid, Window, ground_sampling, write_image

UTM = {"crs": "EPSG:32633", "transform": (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0)}


def naive(
    values: NDArray[Any], valid: NDArray[np.bool_], new: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Pixel by pixel: areas covered where an axis shrinks, linear weights where it grows."""

    def weights(own: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        table, deciding = np.zeros((count, own)), np.zeros((count, own), bool)
        for i in range(count):
            low, high = i * own / count, (i + 1) * own / count
            if count <= own:
                for j in range(own):
                    table[i, j] = max(0.0, min(high, j + 1) - max(low, j))
                deciding[i] = table[i] > 1e-9
            else:
                middle = (low + high) / 2 - 0.5
                for j in range(own):
                    table[i, j] = max(0.0, 1 - abs(min(max(middle, 0), own - 1) - j))
                deciding[i, math.floor((low + high) / 2 + 1e-9)] = True
        return table, deciding

    (rows, of_row), (columns, of_column) = weights(values.shape[0], new[0]), weights(values.shape[1], new[1])
    known = np.where(valid[:, :, None], values, 0).astype(float)
    total = np.einsum("ij,jkb,lk->ilb", rows, known, columns)
    share = np.einsum("ij,jk,lk->il", rows, valid.astype(float), columns)
    found = np.einsum("ij,jk,lk->il", of_row.astype(int), valid.astype(int), of_column.astype(int)) > 0
    return np.where(found[:, :, None], total / np.where(share > 0, share, 1)[:, :, None], 0), found


SIZES = [
    ((12, 18), (4, 6)),
    ((13, 17), (5, 9)),
    ((9, 7), (20, 33)),
    ((20, 8), (7, 19)),
    ((5, 5), (5, 4)),
    ((30, 2), (1, 5)),
]


@pytest.mark.parametrize(("own", "new"), SIZES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_values_and_validity_are_those_of_the_definition(
    own: tuple[int, int], new: tuple[int, int], dtype: str
) -> None:
    random = np.random.default_rng(0)
    values = random.uniform(-3000 if dtype in ("int16", "float32") else 0, 255, (*own, 2)).astype(dtype)
    valid = random.random(own) > 0.4
    values[~valid] = np.nan if dtype.startswith("float") else 255
    grid, whole = ResampledGrid(own, new), Window(0, 0, *new)
    source = grid.sources(whole)
    found, found_valid = grid.resample(
        values[source.row : source.row + source.height, source.column : source.column + source.width],
        valid[source.row : source.row + source.height, source.column : source.column + source.width],
        whole,
    )
    expected, expected_valid = naive(values, valid, new)
    np.testing.assert_array_equal(found_valid, expected_valid)
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_allclose(found, expected, atol=0.501 if not dtype.startswith("float") else 1e-3)


@pytest.mark.parametrize("own", [(64, 96), (60, 90)])
@pytest.mark.parametrize(("new", "method"), [((20, 30), Resampling.average), ((180, 270), Resampling.bilinear)])
def test_without_nodata_gdal_gives_the_same(
    tmp_path: Path, own: tuple[int, int], new: tuple[int, int], method: Resampling
) -> None:
    image = np.random.default_rng(1).normal(size=(*own, 3)).astype(np.float32)
    write_image(tmp_path / "a.tif", image, **UTM)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        expected = dataset.read(out_shape=(3, *new), resampling=method)
    grid = ResampledGrid(own, new)
    found, valid = grid.resample(image, np.ones(own, bool), Window(0, 0, *new))
    assert valid.all()
    np.testing.assert_allclose(np.moveaxis(found, 2, 0), expected, atol=2e-3)


@pytest.mark.parametrize("resolution", [0.2, 0.31, 0.77, 2.0, 3.3])
def test_a_window_is_a_slice_of_the_whole_bit_for_bit(tmp_path: Path, resolution: float) -> None:
    random = np.random.default_rng(2)
    image = random.normal(size=(150, 210, 3)).astype(np.float32)
    image[random.random((150, 210)) < 0.3] = np.nan
    write_image(tmp_path / "a.tif", image, **UTM)
    with Raster(tmp_path / "a.tif", resolution) as raster:
        height, width = raster.info.height, raster.info.width
        whole, whole_valid = raster.read()
        assert whole.shape == (height, width, 3)
        for _ in range(20):
            row, column = random.integers(0, height), random.integers(0, width)
            window = Window(
                int(row),
                int(column),
                int(random.integers(1, height - row + 1)),
                int(random.integers(1, width - column + 1)),
            )
            values, valid = raster.read(window)
            part = np.s_[row : row + window.height, column : column + window.width]
            np.testing.assert_array_equal(values, whole[part])
            np.testing.assert_array_equal(valid, whole_valid[part])


def test_large_factors_are_read_in_strips_with_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(3).integers(0, 255, (300, 200, 2), np.uint8)
    write_image(tmp_path / "a.tif", image, **UTM)
    with Raster(tmp_path / "a.tif", 7.0) as raster:
        whole, _ = raster.read()
        monkeypatch.setattr("terrasift.raster.reading._MOST_VALUES", 10_000)
        in_strips, _ = raster.read()
    np.testing.assert_array_equal(in_strips, whole)


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("uint8", 255), ("uint16", 65535), ("float32", -9999.0), ("float32", np.nan)]
)
@pytest.mark.parametrize("resolution", [0.15, 0.3, 1.0, 4.0])
def test_nodata_never_bleeds_into_values(tmp_path: Path, dtype: str, nodata: float, resolution: float) -> None:
    random = np.random.default_rng(4)
    image = np.full((80, 120), 100, dtype)
    hole = random.random(image.shape) < 0.5
    image[hole] = nodata
    write_image(tmp_path / "a.tif", image, **UTM)
    with rasterio.open(tmp_path / "a.tif", "r+") as dataset:
        dataset.nodata = nodata
    with Raster(tmp_path / "a.tif", resolution) as raster:
        values, valid = raster.read()
    np.testing.assert_allclose(values[valid], 100, atol=1e-4)
    assert (values[~valid] == 0).all()
    assert 0 < valid.mean() <= 1


@pytest.mark.parametrize("size", [(50, 70), (51, 33)])
@pytest.mark.parametrize("resolution", [0.2, 0.8, 1.0, 1.7, 5.0])
def test_the_grid_covers_the_same_ground(tmp_path: Path, size: tuple[int, int], resolution: float) -> None:
    write_image(tmp_path / "a.tif", np.zeros(size, np.uint8), **UTM)
    with Raster(tmp_path / "a.tif") as raster:
        own = raster.info
    with Raster(tmp_path / "a.tif", resolution) as raster:
        info = raster.info
    assert info.resolution == resolution
    for corner in [(0, 0), (1, 0), (0, 1), (1, 1)]:
        ours = rasterio.Affine(*info.transform) @ (corner[0] * info.width, corner[1] * info.height)
        assert ours == pytest.approx(rasterio.Affine(*own.transform) @ (corner[0] * own.width, corner[1] * own.height))
    assert info.height == round(size[0] * 0.5 / 0.9996 / resolution)  # a metre of this projection is a little more


def test_its_own_resolution_changes_nothing(tmp_path: Path) -> None:
    image = np.random.default_rng(5).integers(0, 255, (40, 50, 3), np.uint8)
    write_image(tmp_path / "a.tif", image, **UTM)
    with Raster(tmp_path / "a.tif", 0.5) as raster:
        assert raster.resampled is None
        assert (raster.info.height, raster.info.width, raster.info.resolution) == (40, 50, 0.5)
        np.testing.assert_array_equal(raster.read()[0], image)


@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.integers(1, 20),
)
def test_windows_that_tile_the_new_grid_tile_the_own(own: tuple[int, int], new: tuple[int, int], side: int) -> None:
    grid = ResampledGrid(own, new)
    labels = np.arange(new[0] * new[1]).reshape(new)
    found = np.full(own, -1)
    for row in range(0, new[0], side):
        for column in range(0, new[1], side):
            window = Window(row, column, min(side, new[0] - row), min(side, new[1] - column))
            part = grid.own_window(window)
            place = np.s_[part.row : part.row + part.height, part.column : part.column + part.width]
            assert (found[place] == -1).all()
            found[place] = grid.to_own(labels[row : row + window.height, column : column + window.width], window)
    rows = (np.arange(own[0]) + 0.5) * new[0] / own[0]
    columns = (np.arange(own[1]) + 0.5) * new[1] / own[1]
    nearest = labels[np.floor(rows + 1e-9).astype(int)[:, None], np.floor(columns + 1e-9).astype(int)]
    np.testing.assert_array_equal(found, nearest)


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(0, 2**32 - 1),
)
def test_where_a_pixel_is_valid_so_is_the_one_at_its_middle(
    own: tuple[int, int], new: tuple[int, int], seed: int
) -> None:
    valid = np.random.default_rng(seed).random(own) < 0.2
    grid, whole = ResampledGrid(own, new), Window(0, 0, *new)
    _, found = naive(np.zeros((*own, 1)), valid, new)
    assert grid.to_own(found, whole)[valid].all()


@pytest.mark.parametrize(
    ("crs", "transform", "expected"),
    [
        ("EPSG:4326", (0.001, 0, 10, 0, -0.001, 60), (0.001 * 111_413, 0.001 * 55_801)),  # a degree at 60 degrees north
        ("EPSG:3857", (1, 0, 0, 0, -1, 8_399_737.9), (0.5, 0.5)),  # Mercator at 60 degrees north
        ("EPSG:32633", (2, 0, 500_000, 0, -2, 6_651_000), (2 / 0.9996, 2 / 0.9996)),
        ("EPSG:2263", (1, 0, 980_000, 0, -1, 200_000), (0.3048, 0.3048)),  # feet
        ("EPSG:32633", (0.3, 0.4, 500_000, 0.4, -0.3, 5_000_000), (0.5, 0.5)),  # rotated
    ],
)
def test_ground_sampling_is_in_metres_on_the_ground(
    tmp_path: Path, crs: str, transform: tuple[float, ...], expected: tuple[float, float]
) -> None:
    write_image(tmp_path / "a.tif", np.zeros((4, 4), np.uint8), crs=crs, transform=transform)
    with Raster(tmp_path / "a.tif") as raster:
        assert ground_sampling(raster.info) == pytest.approx(expected[1], rel=4e-3)
    across, down = 1000 * expected[1], 1000 * expected[0]
    write_image(tmp_path / "b.tif", np.zeros((500, 500), np.uint8), crs=crs, transform=transform)
    with Raster(tmp_path / "b.tif", 10 * expected[0]) as raster:
        assert raster.info.height == pytest.approx(500 * down / (10 * down), abs=1)
        assert raster.info.width == pytest.approx(500 * across / (10 * down), abs=1)


def test_ground_control_points_give_a_ground_sampling(tmp_path: Path) -> None:
    points = [
        rasterio.control.GroundControlPoint(r, c, 500_000 + 2 * c, 5_000_000 - 2 * r, 0)
        for r in (0, 40)
        for c in (0, 60)
    ]
    profile = {"driver": "GTiff", "height": 40, "width": 60, "count": 1, "dtype": "uint8", "crs": "EPSG:32633"}
    with rasterio.open(tmp_path / "a.tif", "w", gcps=points, **profile) as dataset:
        dataset.write(np.zeros((40, 60), np.uint8), 1)
    with Raster(tmp_path / "a.tif", 4.0) as raster:
        assert (raster.info.height, raster.info.width) == (20, 30)
        assert raster.info.gcps[-1][:2] == (20, 30)


def test_a_scene_that_lies_nowhere_is_refused_in_a_line(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((30, 40, 3), np.uint8))
    with pytest.raises(InputError, match=r"a\.png: has no ground sampling: it has no CRS; give it one, or leave out"):
        Raster(tmp_path / "a.png", 2.0)
