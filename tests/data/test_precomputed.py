"""Regions from label rasters: the same as those made here, whatever they are called, and clear errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from terrasift import InputError, Recipe, superpixels, train
from terrasift.data.patches import Patch, windows_of
from terrasift.data.precomputed import PrecomputedRegions
from terrasift.data.scenes import describe_scenes, find_scenes
from terrasift.raster import Raster, Window, write_image
from terrasift.recipe import Refinement

PATCH = 64


def precomputed(recipe: Recipe, folder: Path) -> Recipe:
    return recipe.model_copy(update={"refinement": Refinement(method="precomputed", folder=str(folder))})


def write_superpixels(scenes: list[str], folder: Path, recipe: Recipe, rename: Callable[[Any], Any]) -> None:
    for scene in scenes:
        with Raster(scene) as raster:
            image, _ = raster.read()
        labels = np.zeros(image.shape[:2], np.int64)
        for number, window in enumerate(windows_of(*labels.shape, PATCH)):
            part = np.s_[window.row : window.row + PATCH, window.column : window.column + PATCH]
            made = superpixels((image[part] / 255).astype(np.float32), area=recipe.refinement.area)
            labels[part] = rename(number * 1000 + made)
        write_image(folder / f"{Path(scene).stem}.tif", labels.astype(np.int32))


def test_training_on_precomputed_superpixels_is_training_on_superpixels(
    scenes: Path, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    recipe = tiny_recipe.model_copy(update={"steps": 3})
    write_superpixels(find_scenes(scenes / "images"), tmp_path / "labels", recipe, rename=lambda label: 7 * label - 900)
    made = train([scenes / "images"], tmp_path / "made", recipe, cache=tmp_path / "cache")
    read = train([scenes / "images"], tmp_path / "read", precomputed(recipe, tmp_path / "labels"))
    assert read.weights_file.read_bytes() == made.weights_file.read_bytes()


def regions_of(
    tmp_path: Path, labels: NDArray[Any], valid: NDArray[np.bool_], nodata: int | None = None
) -> NDArray[np.int32]:
    height, width = labels.shape
    write_image(tmp_path / "images" / "a.tif", np.zeros((height, width, 3), np.uint8))
    grid: dict[str, Any] = {"crs": "EPSG:32633", "transform": (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)}
    write_image(tmp_path / "labels" / "a.tif", labels, **grid)
    with rasterio.open(tmp_path / "labels" / "a.tif", "r+") as dataset:
        dataset.nodata = nodata
    infos = describe_scenes([str(tmp_path / "images" / "a.tif")])
    source = PrecomputedRegions(tmp_path / "labels", infos)
    image = np.zeros((*valid.shape, 3), np.float32)
    return source.of_patch(Patch(infos[0].path, Window(0, 0, height, width)), image, valid)


def test_a_pixel_without_a_label_is_a_region_of_its_own(tmp_path: Path) -> None:
    labels = np.repeat([[3], [90]], [8, 8], axis=0).repeat(16, axis=1).astype(np.uint8)
    labels[5, 4:6] = 0
    found = regions_of(tmp_path, labels, np.ones((16, 16), np.bool_), nodata=0)
    expected = np.where(labels == 90, 1, 0)
    expected[5, 4:6] = [2, 3]
    np.testing.assert_array_equal(found, expected)


def test_where_there_is_no_data_and_beyond_the_scene_regions_are_zero(tmp_path: Path) -> None:
    labels = np.full((16, 20), 5, np.uint16)
    labels[:, 10:] = 2
    valid = np.zeros((32, 32), np.bool_)
    valid[:16, 3:20] = True
    found = regions_of(tmp_path, labels, valid)
    expected = np.zeros((32, 32), np.int32)
    expected[:16, 3:10] = 1
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((16, 17), np.uint8), "has 17 x 16 pixels, but"),
        (np.zeros((16, 16), np.float32), "holds float32, not region numbers"),
        (np.zeros((16, 16, 3), np.uint8), "has 3 bands, not one of region numbers"),
    ],
)
def test_a_label_raster_that_does_not_fit_is_refused(tmp_path: Path, labels: NDArray[Any], message: str) -> None:
    write_image(tmp_path / "images" / "a.tif", np.zeros((16, 16, 3), np.uint8))
    write_image(tmp_path / "labels" / "a.tif", labels)
    with pytest.raises(InputError, match=f"labels.a.tif.*{re.escape(message)}"):
        PrecomputedRegions(tmp_path / "labels", describe_scenes([str(tmp_path / "images" / "a.tif")]))


def test_a_scene_without_a_label_raster_ends_in_one_line_and_leaves_nothing(
    scenes: Path, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    write_image(tmp_path / "labels" / "north.tif", np.zeros((256, 256), np.uint8))
    with pytest.raises(InputError, match=r"south\.tif: has no label raster in .*labels; put one there named south"):
        train([scenes / "images"], tmp_path / "run", precomputed(tiny_recipe, tmp_path / "labels"))
    assert not (tmp_path / "run").exists()
