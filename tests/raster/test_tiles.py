"""Tiles at halving levels, and previews of scenes that are slow to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from terrasift.data.synthetic import synthetic_scene
from terrasift.errors import InputError
from terrasift.raster import Raster, TileReader, Window, level_count, preview, preview_base, write_image, write_preview
from terrasift.raster.tiles import level_shape, mean_of_blocks, overview_levels

GRID: dict[str, Any] = {"crs": "EPSG:32633", "transform": (1, 0, 0, 0, -1, 0)}


def tiles(reader: TileReader, level: int, kind: str = "image", base: int = 0) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A whole level, put together."""
    height, width = level_shape(reader.info.height, reader.info.width, level - base)
    rows = []
    for row in range(-(-height // 256)):
        parts = [getattr(reader, kind)(level, row, column) for column in range(-(-width // 256))]
        rows.append([np.concatenate(each, axis=1) for each in zip(*parts, strict=True)])
    values, valid = (np.concatenate(each) for each in zip(*rows, strict=True))
    assert valid.shape == (height, width)
    return values, valid


def add_overviews(path: Path, factors: list[int]) -> None:
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews(factors, rasterio.enums.Resampling.nearest)


@pytest.mark.parametrize("sides", [(1, 1), (256, 256), (257, 256), (5, 4097), (20_000, 19_999)])
def test_the_last_level_and_no_other_is_one_tile(sides: tuple[int, int]) -> None:
    last = level_count(*sides) - 1
    assert max(level_shape(*sides, last)) <= 256
    assert last == 0 or max(level_shape(*sides, last - 1)) > 256


def test_a_level_is_made_of_overviews_and_what_they_leave(tmp_path: Path) -> None:
    """Overviews by nearest pixel show which were read: means of the pixels themselves would differ."""
    image = synthetic_scene(700, 531, seed=1).image
    write_image(tmp_path / "image.tif", image, **GRID)
    plain = TileReader(tmp_path / "image.tif")
    add_overviews(tmp_path / "image.tif", [2])
    reader = TileReader(tmp_path / "image.tif")
    half = Raster(tmp_path / "image.tif", overview=0)
    assert (half.info.height, half.info.width) == (350, 266)
    assert np.array_equal(tiles(reader, 0)[0], image)
    assert np.array_equal(tiles(reader, 1)[0], half.read()[0])
    assert np.array_equal(tiles(reader, 2)[0], mean_of_blocks(*half.read(), 2)[0])
    assert not np.array_equal(tiles(reader, 2)[0], tiles(plain, 2)[0])
    for each in (plain, reader, half):
        each.close()


def test_overviews_rounded_down_are_filled_up(tmp_path: Path) -> None:
    """The writer of Cloud Optimized GeoTIFFs makes 301 x 513 of 603 x 1027, where a level has 302 x 514."""
    labels = np.random.default_rng(0).integers(0, 5, (603, 1027)).astype(np.uint8)
    write_image(tmp_path / "plain.tif", labels, **GRID)
    rasterio.shutil.copy(tmp_path / "plain.tif", tmp_path / "cog.tif", driver="COG", overview_resampling="mode")
    reader = TileReader(tmp_path / "cog.tif")
    half = Raster(tmp_path / "cog.tif", overview=0)
    assert (half.info.height, half.info.width) == (301, 513)
    values, _ = tiles(reader, 1, "labels")
    assert np.array_equal(values[:301, :513], half.read_indices()[0])
    assert np.array_equal(values[301, :513], values[300, :513])
    assert np.array_equal(values[:, 513], values[:, 512])
    reader.close()
    half.close()


@pytest.mark.parametrize(
    ("sides", "factors", "levels"),
    [
        ((4000, 200), [2, 4, 8, 16, 32], {1: 0, 2: 1, 3: 2, 4: 3, 5: 4}),  # GDAL calls the last two a 15th and a 29th
        ((128, 4097), [2, 4, 16], {1: 0, 2: 1, 4: 2}),
        ((600, 900), [3, 9], {}),
        ((600, 900), [3, 4, 9], {2: 1}),
        ((600, 900), [], {}),
    ],
)
def test_overviews_are_known_by_their_sizes(
    tmp_path: Path, sides: tuple[int, int], factors: list[int], levels: dict[int, int]
) -> None:
    """A tile holds the rows and columns that it should, whatever overviews there are."""
    rows, columns = np.indices(sides)
    image = np.stack([rows % 251, columns % 251, (rows // 64) % 2 * 200], axis=2).astype(np.uint8)
    write_image(tmp_path / "image.tif", image, **GRID)
    if factors:
        add_overviews(tmp_path / "image.tif", factors)
    reader = TileReader(tmp_path / "image.tif")
    assert overview_levels(reader.raster) == levels
    for level in range(1, level_count(*sides)):
        whole = tiles(reader, level)[0]
        exact = mean_of_blocks(image, np.ones(sides, bool), 1 << level)[0]
        difference = np.abs(whole[:, :, 2].astype(int) - exact[:, :, 2])
        assert (difference > 100).mean() <= 2**level / 64 * 0.5  # the nearest pixel's stripe, but at stripes' edges
    reader.close()


def test_labels_are_never_averaged(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).choice([0, 200], (300, 600)).astype(np.uint8)
    write_image(tmp_path / "labels.tif", labels, **GRID)
    reader = TileReader(tmp_path / "labels.tif")
    values, valid = tiles(reader, 2, "labels")
    assert set(np.unique(values)) == {0, 200}
    assert np.array_equal(values[:75, :150], labels[2::4, 2::4])
    assert valid.all()
    reader.close()


@pytest.mark.parametrize("place", [(0, -1, 0), (0, 0, 3), (2, 1, 0), (-1, 0, 0)])
def test_tiles_outside_are_refused(tmp_path: Path, place: tuple[int, int, int]) -> None:
    write_image(tmp_path / "labels.tif", np.zeros((300, 600), np.uint8), **GRID)
    reader = TileReader(tmp_path / "labels.tif")
    with pytest.raises(ValueError, match="has no tile"):
        reader.image(*place)
    reader.close()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32"])
def test_means_are_of_valid_pixels_alone(dtype: str) -> None:
    random = np.random.default_rng(0)
    values = random.integers(0, 250, (7, 10, 2)).astype(dtype)
    valid = random.random((7, 10)) < 0.4
    valid[:4, :4] = False
    if dtype == "float32":
        values[~valid] = np.nan
    means, some = mean_of_blocks(values, valid, 4)
    assert means.shape == (2, 3, 2)
    assert means.dtype == values.dtype
    for row, column in np.ndindex(2, 3):
        here = np.s_[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert some[row, column] == valid[here].any()
        if some[row, column]:
            exact = values[here][valid[here]].astype(np.float64).mean(axis=0)
            assert np.abs(means[row, column] - exact).max() <= (1e-4 if dtype == "float32" else 0.5001)


def test_which_scenes_need_a_preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "_QUICK", 512)
    image = np.zeros((300, 900, 3), np.uint8)
    write_image(tmp_path / "tiled.tif", image, **GRID)
    write_image(tmp_path / "lines.png", image)
    write_image(tmp_path / "small.png", image[:200, :200])
    write_image(tmp_path / "quick.tif", image, **GRID)
    add_overviews(tmp_path / "quick.tif", [2])
    write_image(tmp_path / "thirds.tif", image, **GRID)
    add_overviews(tmp_path / "thirds.tif", [3, 9])
    found = {}
    for path in tmp_path.glob("*"):
        with Raster(path) as raster:
            found[path.name] = preview_base(raster)
    assert found == {"tiled.tif": 2, "lines.png": 0, "small.png": None, "quick.tif": None, "thirds.tif": 2}


@pytest.mark.parametrize(("base", "bands"), [(0, [1, 2, 3]), (2, [3, 1, 2]), (1, [2])])
def test_a_preview_shows_the_scene(tmp_path: Path, base: int, bands: list[int]) -> None:
    image = synthetic_scene(603, 1030, seed=2).image
    image[image == 0] = 1
    image[100:300, 200:500] = 0
    write_image(tmp_path / "scene.tif", image, **GRID)
    with rasterio.open(tmp_path / "scene.tif", "r+") as dataset:
        dataset.nodata = 0
    write_preview(tmp_path / "scene.tif", tmp_path / "view" / "p.tif", bands, lambda values: values, base)
    scene, shown = TileReader(tmp_path / "scene.tif"), TileReader(tmp_path / "view" / "p.tif", base)
    assert list((tmp_path / "view").iterdir()) == [tmp_path / "view" / "p.tif"]
    for level in range(base, level_count(603, 1030)):
        there, valid_there = tiles(shown, level, base=base)
        height, width = level_shape(603, 1030, level)
        means, valid = mean_of_blocks(*Raster(tmp_path / "scene.tif").read(None, bands), 1 << level)
        assert there.shape == (height, width, len(bands))
        assert (valid == valid_there).mean() > 0.99  # GDAL's means of masks round at edges
        both = valid & valid_there
        difference = (there.astype(int) - means)[both]
        assert abs(difference.mean()) < 1
        # JPEG is not exact, and GDAL's overviews of odd sides drift by part of a pixel; a whole one would be far worse.
        shifted = np.abs(np.roll(there, 1, axis=0).astype(int) - means)[both].mean()
        assert np.abs(difference).mean() < 0.5 * shifted
    scene.close()
    shown.close()


def test_a_failed_preview_leaves_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (600, 600, 3)).astype(np.uint8)
    write_image(tmp_path / "torn.tif", noise, **GRID)
    (tmp_path / "torn.tif").write_bytes((tmp_path / "torn.tif").read_bytes()[:-200_000])
    with pytest.raises(InputError, match=r"torn.tif: cannot be read: the file is damaged"):
        write_preview(tmp_path / "torn.tif", tmp_path / "view" / "p.tif", [1, 2, 3], lambda values: values, 0)
    assert not list((tmp_path / "view").iterdir())


def test_a_window_of_an_overview_has_its_nodata(tmp_path: Path) -> None:
    values = np.ones((512, 512), np.uint8)
    values[:256] = 9
    write_image(tmp_path / "a.tif", values, **GRID)
    with rasterio.open(tmp_path / "a.tif", "r+") as dataset:
        dataset.nodata = 9
    add_overviews(tmp_path / "a.tif", [2])
    with Raster(tmp_path / "a.tif", overview=0) as half:
        assert half.read(Window(100, 0, 100, 10))[1].sum(axis=0).tolist() == [72] * 10
