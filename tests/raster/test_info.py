"""Bands chosen by name: each scene finds them where it has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image

from terrasift import InputError, Recipe, Run, train
from terrasift.raster import Raster, write_image

NAMES = ("Red", "green", "B08", "")


def scene(path: Path, names: Sequence[str], seed: int = 0) -> NDArray[np.uint16]:
    """Four bands of which each holds values that its name decides."""
    image = np.zeros((48, 64, len(names)), np.uint16)
    for index, name in enumerate(names):
        random = np.random.default_rng([seed, *name.casefold().encode()])
        image[:, :, index] = random.integers(1, 2000, 64) + np.arange(48)[:, None]
    write_image(path, image, crs="EPSG:32633", transform=(1, 0, 500_000, 0, -1, 5_000_000))
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = names
    return image


@pytest.mark.parametrize(
    ("bands", "numbers"),
    [
        (["red", "GREEN", " b08 "], [1, 2, 3]),
        (["B08", 4, "Red"], [3, 4, 1]),
        ([2, 1], [2, 1]),
        (None, [1, 2, 3, 4]),
    ],
)
def test_names_are_looked_up_in_the_raster(tmp_path: Path, bands: list[int | str] | None, numbers: list[int]) -> None:
    image = scene(tmp_path / "a.tif", NAMES)
    with Raster(tmp_path / "a.tif") as raster:
        assert raster.info.band_numbers(bands) == numbers
        np.testing.assert_array_equal(raster.read(bands=bands)[0], image[:, :, [number - 1 for number in numbers]])


@pytest.mark.parametrize(
    ("names", "bands", "line"),
    [
        (NAMES, ["nir"], r"a\.tif: has no band named nir; its named bands are 1 Red, 2 green, 3 B08"),
        (NAMES, [""], r"has no band named "),
        (("red", "RED ", "b", ""), ["Red"], r"has several bands named Red: 1, 2; choose one by its number"),
        (NAMES, [1, "red"], r"1 and red are both its band 1; name each once in `bands`"),
        (("", "", "", ""), ["red"], r"has no band named red; none has a name: choose by number, 1 to 4"),
        (NAMES, ["red", 5], r"has no band 5; its bands are 1 to 4"),
    ],
)
def test_a_name_that_does_not_say_one_band_is_refused_in_a_line(
    tmp_path: Path, names: Sequence[str], bands: list[int | str], line: str
) -> None:
    scene(tmp_path / "a.tif", names)
    with Raster(tmp_path / "a.tif") as raster, pytest.raises(InputError, match=line):
        raster.read(bands=bands)


def test_colours_that_a_file_declares_are_names_where_it_has_none(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    with Raster(tmp_path / "a.png") as raster:
        np.testing.assert_array_equal(raster.read(bands=["blue", "red"])[0], image[:, :, [2, 0]])
    Image.fromarray(image).quantize(8).save(tmp_path / "palette.png")
    with Raster(tmp_path / "palette.png") as raster:
        assert raster.info.band_numbers(["green"]) == [2]


SMALL = ["width=4", "clusters=6", "patch=32", "batch_size=2", "steps=2", "compute.device=cpu", "predict.window=64"]


def test_scenes_with_bands_in_another_order_are_one_training_set(tmp_path: Path) -> None:
    """The same images as with the bands in order, and so the same weights and the same maps."""
    recipe = Recipe.load("paper", [*SMALL, "bands=[red, b08, green]"])
    orders = {"mixed": (NAMES, ("B08", "", "GREEN", "red")), "sorted": (NAMES, NAMES)}
    maps: dict[str, list[NDArray[Any]]] = {}
    for order, names in orders.items():
        for seed in range(2):
            scene(tmp_path / order / f"{seed}.tif", names[seed], seed)
        run = train([tmp_path / order], tmp_path / f"run {order}", recipe, use_cache=False)
        assert Run.open(run.path).recipe.bands == ("red", "b08", "green")
        maps[order] = []
        for seed in range(2):
            out = run.predict(tmp_path / order / f"{seed}.tif", tmp_path / order / f"map {seed}.png")
            with Raster(out) as raster:
                maps[order].append(raster.read_indices()[0])
    np.testing.assert_array_equal(maps["mixed"], maps["sorted"])
    scene(tmp_path / "other.tif", ("red", "green", "swir", ""))
    with pytest.raises(InputError, match=r"other\.tif: has no band named b08; its named bands are 1 red, 2 green"):
        run.predict(tmp_path / "other.tif", tmp_path / "map.tif")
    assert not (tmp_path / "map.tif").exists()


def test_the_recipe_keeps_names_as_given(tmp_path: Path) -> None:
    recipe = Recipe.load("paper", ['bands=["B08: near, infrared", 2, "7"]'])
    recipe.save(tmp_path / "recipe.yaml")
    assert Recipe.load(tmp_path / "recipe.yaml").bands == ("B08: near, infrared", 2, "7")


def test_info_shows_the_names(tmp_path: Path, command: Callable[..., Any]) -> None:
    scene(tmp_path / "a.tif", NAMES)
    assert "bands: 1 Red, 2 green, 3 B08, 4\n" in command("info", tmp_path / "a.tif").out
