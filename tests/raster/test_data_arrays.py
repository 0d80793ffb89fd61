"""Arrays of xarray as images, in the layouts that rioxarray, odc-stac and stackstac give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rioxarray
from numpy.typing import NDArray
from xarray import DataArray, Dataset

from terrasift.raster import ImageArray, Raster, Window, image_of, write_image

TRANSFORM = (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0)
NAMES = ("red", "nir")
RNG = np.random.default_rng(0)
VALUES = RNG.integers(0, 3000, (40, 60, 2)).astype(np.uint16)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    image = ImageArray(VALUES, "", NAMES, "EPSG:32633", TRANSFORM, 0)
    write_image(tmp_path / "scene.tif", image)
    return tmp_path / "scene.tif"


def of_rioxarray(file: Path) -> DataArray:
    return rioxarray.open_rasterio(file, chunks={"x": 32, "y": 32})


def of_odc_stac(file: Path) -> Dataset:
    """A variable for each band with an attribute `nodata`, one time, `spatial_ref` with a GeoTransform."""
    opened = rioxarray.open_rasterio(file)
    planes = {name: opened[index].drop_vars("band").expand_dims("time") for index, name in enumerate(NAMES)}
    for plane in planes.values():
        plane.attrs = {"nodata": 0}
    return Dataset(planes).assign_coords(time=[np.datetime64("2021-06-01", "ns")])


def of_stackstac(file: Path) -> DataArray:
    """Coordinates of upper left corners, float64 with NaN, CRS and transform as attributes, many coordinates."""
    opened = rioxarray.open_rasterio(file)
    values = opened.values.astype(np.float64)
    values[values == 0] = np.nan
    places = {
        "time": [np.datetime64("2021-06-01", "ns")],
        "id": ("time", ["S2_0"]),
        "band": list(NAMES),
        "y": opened.y.values + 5,
        "x": opened.x.values - 5,
        "epsg": 32633,
    }
    attributes = {"crs": "epsg:32633", "transform": TRANSFORM, "resolution": 10}
    return DataArray(values[None], places, ("time", "band", "y", "x"), "stackstac-0", attributes)


LAYOUTS = {"rioxarray": of_rioxarray, "odc-stac": of_odc_stac, "stackstac": of_stackstac}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_reads_as_the_file_does(layout: str, file: Path) -> None:
    window = Window(7, 11, 20, 30)
    with Raster(file) as expected, Raster(image_of(LAYOUTS[layout](file))) as found:
        assert found.info.grid == expected.info.grid
        assert found.info.descriptions == NAMES
        assert found.info.may_be_invalid
        for bands in (None, ("nir",), ("nir", "red"), (2, 1)):
            (values, valid), (its_values, its_valid) = found.read(window, bands), expected.read(window, bands)
            if layout != "stackstac":  # whose floats are valid where all bands are
                assert (valid == its_valid).all()
            assert (values[valid] == its_values[valid]).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_part_of_a_cube_lies_where_the_part_lies(layout: str, file: Path) -> None:
    part = LAYOUTS[layout](file).isel(y=slice(4, 30), x=slice(9, 50))
    with Raster(image_of(part)) as found:
        assert found.info.transform == (10.0, 0.0, 500_090.0, 0.0, -10.0, 4_999_960.0)
        assert (found.info.height, found.info.width) == (26, 41)


def test_dimensions_of_any_order_and_coordinates_in_degrees() -> None:
    latitudes, longitudes = 45 - 0.001 * np.arange(40), 15 + 0.001 * np.arange(60)
    image = DataArray(VALUES, {"latitude": latitudes, "longitude": longitudes}, ("latitude", "longitude", "feature"))
    image = image.transpose("feature", "longitude", "latitude").rio.write_crs(4326)
    with Raster(image_of(image)) as found:
        assert found.info.crs == "EPSG:4326"
        assert found.info.transform == pytest.approx((0.001, 0, 14.9995, 0, -0.001, 45.0005))
        assert (found.read()[0] == VALUES).all()


def test_times_become_bands_where_they_are_named_so() -> None:
    times = np.array(["2021-06-01", "2021-06-11T10:30"], "datetime64[ns]")
    cube = DataArray(VALUES, {"time": times}, ("y", "x", "time"))
    assert image_of(cube.rename(time="band")).descriptions == ("2021-06-01", "2021-06-11T10:30:00")
    both = cube.expand_dims(band=["red", "nir"]).stack(bands=("time", "band"))
    assert image_of(both).descriptions[0] == "2021-06-01 red"
    assert image_of(both).shape == (40, 60, 4)


def test_no_bands_no_coordinates_no_place() -> None:
    plain = image_of(DataArray(VALUES[:, :, 0], dims=("y", "x")))
    assert (plain.shape, plain.crs, plain.transform) == ((40, 60, 1), "", (1, 0, 0, 0, 1, 0))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32", "float64"])
@pytest.mark.parametrize("nodata", [None, -128, np.nan])
def test_an_array_is_valid_where_its_file_is(dtype: str, nodata: float | None, tmp_path: Path) -> None:
    values: NDArray[Any] = RNG.integers(-128, -125, (20, 30, 3)).astype(dtype)
    if dtype.startswith("float"):
        values[3:5, 4:9, 1] = np.nan
    elif nodata is not None and (np.isnan(nodata) or dtype == "uint8"):
        return  # no such file can be
    image = ImageArray(values, nodata=nodata)
    write_image(tmp_path / "image.tif", image)
    with Raster(image) as array, Raster(tmp_path / "image.tif") as stored:
        assert array.info.dtype == stored.info.dtype
        for one, other in zip(array.read(), stored.read(), strict=True):
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
