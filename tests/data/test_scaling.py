"""The rule to [0, 1]: the type's range for uint8, else percentiles of the valid training pixels."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from terrasift import InputError, Scaling
from terrasift.data.patches import index_patches
from terrasift.data.scaling import PERCENTILES, check_scaling, measure_scaling
from terrasift.data.scenes import describe_scenes
from terrasift.raster import RasterInfo, write_image


def scene(path: Path, array: NDArray[Any], nodata: float | None = None) -> RasterInfo:
    write_image(path, array, crs="EPSG:32633", transform=(1, 0, 0, 0, -1, 0))
    if nodata is not None:
        with rasterio.open(path, "r+") as dataset:
            dataset.nodata = nodata
    return describe_scenes([str(path)])[0]


def measure(infos: list[RasterInfo], bands: tuple[int, ...] | None = None, seed: int = 0, side: int = 64) -> Scaling:
    return measure_scaling(infos, index_patches(infos, side, 0.01, bands), bands, seed)


def test_uint8_keeps_the_range_of_its_type(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(100, 120, (64, 64, 3)).astype(np.uint8)
    scaling = measure([scene(tmp_path / "a.tif", array)])
    assert (scaling.dtype, scaling.low, scaling.high) == ("uint8", (0, 0, 0), (255, 255, 255))
    np.testing.assert_allclose(scaling.fill, array.reshape(-1, 3).mean(axis=0) / 255, atol=1e-6)


@pytest.mark.parametrize(("dtype", "nodata"), [("uint16", 0), ("int16", -9999), ("float32", -9999), ("float64", None)])
def test_other_types_take_the_percentiles_of_all_valid_pixels(tmp_path: Path, dtype: str, nodata: float | None) -> None:
    generator = np.random.default_rng(0)
    pixels, valid = [], generator.random((128, 192)) > 0.2
    infos = []
    for name, level in (("a.tif", 1000), ("b.tif", 3000)):
        array = generator.normal(level, 200, (128, 192, 2)).astype(dtype)
        array[generator.random((128, 192)) < 0.005] = 30_000  # outliers must not set the range
        array[~valid] = np.nan if nodata is None else nodata
        infos.append(scene(tmp_path / name, array, nodata))
        pixels.append(array[valid])
    scaling = measure(infos)
    everything = np.concatenate(pixels).astype(np.float64)
    low, high = np.percentile(everything, PERCENTILES, axis=0)
    np.testing.assert_allclose(scaling.low, low)
    np.testing.assert_allclose(scaling.high, high)
    unit = np.clip((everything - low) / (high - low), 0, 1)
    np.testing.assert_allclose(scaling.fill, unit.mean(axis=0), atol=1e-6)
    assert max(scaling.high) < 4000


def test_bands_are_measured_as_they_are_read(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(64, 64, 3)) * [1, 10, 100]
    info = scene(tmp_path / "a.tif", array)
    every, two = measure([info]), measure([info], bands=(3, 1))
    assert two.low == (every.low[2], every.low[0])
    assert two.fill == (every.fill[2], every.fill[0])


def test_a_sample_is_repeatable_and_near_the_whole(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(200, 200))
    info = scene(tmp_path / "a.tif", array)
    first, second, other = (measure([info], seed=seed, side=200) for seed in (1, 1, 2))  # 4096 of 40,000 pixels
    assert first == second != other
    np.testing.assert_allclose(first.low + first.high, np.percentile(array, PERCENTILES), atol=0.25)


def test_a_constant_band_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    array = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    array[:, :, 1] = 7
    info = scene(tmp_path / "a.tif", array)
    with caplog.at_level(logging.WARNING):
        measure([info], bands=(3, 2))
    assert [record.getMessage() for record in caplog.records] == [
        "band 2 has one value, 7, nearly everywhere: it tells nothing apart"
    ]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_constant_images_are_refused(tmp_path: Path, dtype: str) -> None:
    info = scene(tmp_path / "a.tif", np.full((64, 64, 2), 7, dtype))
    with pytest.raises(InputError, match=r"a\.tif: one value, 7, nearly everywhere; there is nothing to tell apart"):
        measure([info])


def test_a_scene_must_be_as_the_training_images_were(tmp_path: Path) -> None:
    info = scene(tmp_path / "a.tif", np.zeros((20, 20, 3), np.uint8))
    three = Scaling(dtype="uint8", low=(0,) * 3, high=(255,) * 3, fill=(0.5,) * 3)
    check_scaling(info, three, None)
    check_scaling(info, three, (3, 2, 1))
    with pytest.raises(InputError, match="has no band 4; its bands are 1 to 3"):
        check_scaling(info, three, (1, 2, 4))
    with pytest.raises(InputError, match="holds uint8, but the run was trained on uint16"):
        check_scaling(info, three.model_copy(update={"dtype": "uint16"}), None)
    two = Scaling(dtype="uint8", low=(0,) * 2, high=(255,) * 2, fill=(0.5,) * 2)
    with pytest.raises(InputError, match="has 3 bands, but the run was trained on 2"):
        check_scaling(info, two, None)
