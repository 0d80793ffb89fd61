"""Maps of scenes: on the scene's own grid, whole or not at all."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from numpy.typing import NDArray

from terrasift import InputError, Legend, Network, Recipe, Run, Scaling, SettingError, build_network
from terrasift.data.synthetic import synthetic_scene
from terrasift.prediction import Predictor, map_paths, scene_views
from terrasift.raster import Raster, write_image


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Run:
    """A copy that a test may change."""
    return Run.open(shutil.copytree(tiny_run.path, tmp_path / "run"))


@pytest.mark.parametrize("size", [(16, 16), (100, 300), (512, 512), (513, 700), (1500, 40)])
def test_views_cover_a_scene_once_with_their_margin(size: tuple[int, int]) -> None:
    written = np.zeros(size, int)
    for read, write in scene_views(*size, window=128, margin=16, step=2):
        written[write.row : write.row + write.height, write.column : write.column + write.width] += 1
        assert max(read.height, read.width) <= 128
        assert read.row % 2 == read.column % 2 == 0  # the phase of max-pooling
        for low, high, inner_low, inner_high, length in (
            (read.row, read.row + read.height, write.row, write.row + write.height, size[0]),
            (read.column, read.column + read.width, write.column, write.column + write.width, size[1]),
        ):
            assert low == max(0, inner_low - 16) or max(size) <= 128
            assert high == min(length, inner_high + 16) or high == length
    assert (written == 1).all()


def test_map_is_on_the_scenes_grid_with_colours_names_and_nodata(run: Run, scenes: Path, tmp_path: Path) -> None:
    legend = Legend.load(scenes / "classes.yaml")
    run.save_legend(legend.with_clusters(np.arange(8) % 7, 1))
    out = run.predict(scenes / "images" / "north.tif", tmp_path / "map.tif")
    with rasterio.open(scenes / "images" / "north.tif") as scene, rasterio.open(out) as dataset:
        assert (dataset.crs, dataset.transform, dataset.shape) == (scene.crs, scene.transform, scene.shape)
        assert (dataset.dtypes, dataset.nodata, dataset.count) == (("uint8",), 255, 1)
        assert dataset.block_shapes == [(256, 256)]
        assert dataset.compression.name == "deflate"
        colours = dataset.colormap(1)
        assert [colours[i][:3] for i in range(7)] == [tuple(color) for color in legend.rgb.tolist()]
        assert dataset.tags()["CLASS_1"] == "building"
        assert set(np.unique(dataset.read(1))) <= set(range(7))
    categories = ElementTree.parse(f"{out}.aux.xml").findall(".//Category")
    assert [category.text for category in categories] == legend.names


def test_without_a_mapping_the_classes_are_the_clusters(run: Run, scenes: Path, tmp_path: Path) -> None:
    out = run.predict(scenes / "images" / "north.tif", tmp_path / "map.tif")
    with Raster(scenes / "images" / "north.tif") as raster:
        values, valid = raster.read()
        expected = np.concatenate([part.clusters[0].ravel() for part in run.predictor.segment(raster)])
    with rasterio.open(out) as dataset:
        assert np.bincount(dataset.read(1).ravel(), minlength=8).tolist() == np.bincount(expected, minlength=8).tolist()
        assert dataset.tags()["CLASS_7"] == "cluster 7"
    assert run.predict_array(values, valid).dtype == np.uint8


def test_a_scene_in_one_window_equals_its_array(tiny_run: Run, scenes: Path, tmp_path: Path) -> None:
    run = Run.open(tiny_run.path, ["predict.window=256"])
    out = run.predict(scenes / "images" / "south.tif", tmp_path / "map.tif")
    with Raster(scenes / "images" / "south.tif") as raster:
        values, _ = raster.read()
    with rasterio.open(out) as dataset:
        np.testing.assert_array_equal(dataset.read(1), run.predict_array(values))


def test_margin_covers_the_receptive_field(tiny_recipe: Recipe) -> None:
    """What lies beyond the margin cannot change the features inside it."""
    from terrasift.blocks.extractors import Dic

    torch.manual_seed(0)
    extractor = Dic(3, width=4).eval()
    image = torch.rand(1, 3, 128, 128)
    changed = image.clone()
    margin = Recipe().predict.margin
    changed[:, :, :, 64 + margin :] = 0
    same = torch.isclose(extractor(image), extractor(changed), atol=1e-6).all(dim=1)
    assert same[:, :, :64].all()
    assert not same[:, :, 64:].all()


@pytest.mark.parametrize(
    ("extractor", "windows"),
    [
        *((extractor, (48, 75, 128, 201, 1024)) for extractor in ("kan", "seek", "dic")),
        ("dictionary", (128, 201, 333, 1024)),  # 112 is the smallest that it allows
    ],
)
def test_the_map_does_not_depend_on_the_windows(extractor: str, windows: tuple[int, ...], tmp_path: Path) -> None:
    """With the scene's context; odd windows, windows beyond the scene, and the scene as one array."""
    side = max(261, 2 * windows[0] - 65)
    write_image(tmp_path / "scene.tif", synthetic_scene(side, side - 4, seed=0).image)
    with Raster(tmp_path / "scene.tif") as raster:
        values, valid = raster.read()
        network = settled_network(extractor, values)
        whole = Predictor(network, recipe_of("predict.window=1024")).array(values, valid)
        assert all(np.bincount(labels.ravel()).max() < 0.9 * labels.size for labels in whole)
        for window in windows:
            tiled = whole_map(Predictor(network, recipe_of(f"predict.window={window}")), raster)
            for ours, theirs in zip(tiled, whole, strict=True):
                assert (ours == theirs).mean() >= 0.9999  # sums in another order can turn a near-tie
        alone = recipe_of("predict.context=patch", "predict.window=48", "predict.margin=8")
        patch = whole_map(Predictor(network, alone), raster)
        if extractor != "kan":  # which has no global operation, and sees no further than that margin
            assert (patch[0] == whole[0]).mean() < 0.9999


def recipe_of(*changes: str) -> Recipe:
    scaling = Scaling(dtype="uint8", low=(0,) * 3, high=(255,) * 3, fill=(0.5,) * 3)
    recipe = Recipe.load("paper", ["patch=64", "compute.device=cpu", "predict.context=scene", *changes])
    return recipe.model_copy(update={"scaling": scaling})


def settled_network(extractor: str, values: NDArray[np.uint8]) -> Network:
    """Fresh weights, with the statistics of batch normalisation that belong to the scene: labels of many kinds."""
    torch.manual_seed(0)
    network = build_network(extractor, 3, 12, 2, None if extractor == "seek" else 6).train()
    image = torch.from_numpy(values / 255).float().permute(2, 0, 1)[None]
    with torch.no_grad():
        for _ in range(40):
            network(image[..., :128, :128])
    return network


def whole_map(predictor: Predictor, raster: Raster) -> list[NDArray[np.int64]]:
    """Clusters of both classifiers, put together."""
    maps = [np.full((raster.info.height, raster.info.width), -1) for _ in range(2)]
    for window, clusters, *_ in predictor.segment(raster):
        for whole, part in zip(maps, clusters, strict=True):
            whole[window.row : window.row + window.height, window.column : window.column + window.width] = part
    assert all((whole >= 0).all() for whole in maps)
    return maps


def test_a_window_smaller_than_what_a_pixel_sees_is_refused(tiny_run: Run, scenes: Path) -> None:
    run = Run.open(tiny_run.path, ["predict.context=scene", "predict.window=32", "predict.margin=0"])
    with (
        Raster(scenes / "images" / "north.tif") as raster,
        pytest.raises(SettingError, match=r"predict.window: 32 is too small .* from 36"),
    ):
        next(run.predictor.segment(raster))


def test_nodata_stays_nodata_and_its_value_does_not_matter(run: Run, tmp_path: Path) -> None:
    image = synthetic_scene(200, 180, seed=3).image
    hole = np.s_[40:90, 50:120]
    maps = []
    for junk in (0, 200):
        valid = np.ones(image.shape[:2], bool)
        valid[hole] = False
        image[hole] = junk
        maps.append(run.predict_array(image, valid))
    assert (maps[0][hole] == 255).all()
    assert (np.delete(maps[0], np.s_[40:90], axis=0) != 255).all()
    np.testing.assert_array_equal(maps[0], maps[1])


def test_plain_images_become_png_or_tiff_by_the_suffix(run: Run, tmp_path: Path) -> None:
    write_image(tmp_path / "plain.png", synthetic_scene(150, 140, seed=3).image)
    for name, driver in (("map.png", "PNG"), ("map.tif", "GTiff")):
        out = run.predict(tmp_path / "plain.png", tmp_path / name)
        with Raster(out) as raster:
            info, colours = raster.info, raster.read()[0]
        assert (info.driver, info.height, info.width, info.crs) == (driver, 150, 140, "")
        assert {tuple(color) for color in colours.reshape(-1, 3).tolist()} <= {
            tuple(color) for color in Legend.of_clusters(8).rgb.tolist()
        }
    assert not list(tmp_path.glob(".*"))


def test_scenes_that_do_not_fit_are_refused_and_leave_nothing(run: Run, tmp_path: Path) -> None:
    image = synthetic_scene(64, 64, bands=4, seed=0).image
    write_image(tmp_path / "four.tif", image)
    write_image(tmp_path / "wide.tif", image[:, :, :3].astype(np.uint16))
    write_image(tmp_path / "small.tif", image[:8, :8, :3])
    for name, word in (("four", "4 bands"), ("wide", "uint16"), ("small", "8 x 8")):
        with pytest.raises(InputError, match=word):
            run.predict(tmp_path / f"{name}.tif", tmp_path / "out" / "map.tif")
    assert not list((tmp_path / "out").glob("*"))


def test_a_scene_without_data_is_refused(run: Run, tmp_path: Path) -> None:
    profile = {"driver": "GTiff", "height": 64, "width": 64, "count": 3, "dtype": "uint8", "nodata": 0}
    with rasterio.open(
        tmp_path / "empty.tif", "w", crs="EPSG:32633", transform=rasterio.Affine(2, 0, 9, 0, -2, 9), **profile
    ):
        pass
    with pytest.raises(InputError, match="no valid pixel"):
        run.predict(tmp_path / "empty.tif", tmp_path / "map.tif")
    assert [path.name for path in tmp_path.glob("*map*")] == []


def test_many_scenes_keep_their_names(run: Run, scenes: Path, tmp_path: Path) -> None:
    written = run.predict_all([scenes / "images"], tmp_path / "maps")
    assert [path.name for path in written.maps] == ["north.tif", "south.tif"]
    with pytest.raises(InputError, match="folder"):
        run.predict_all([scenes / "images"], tmp_path / "one.tif")
    with pytest.raises(InputError, match="own map"):
        run.predict_all([scenes / "images" / "north.tif"], scenes / "images")


def test_only_prediction_and_device_can_be_changed_later(tiny_run: Run) -> None:
    assert Run.open(tiny_run.path, ["predict.window=64"]).prediction_recipe.predict.window == 64
    with pytest.raises(SettingError, match="clusters"):
        Run.open(tiny_run.path, ["clusters=9"])


def test_arrays_of_another_kind_are_refused(run: Run) -> None:
    for array in (np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64, 3), np.float32), np.zeros((4, 64, 3), np.uint8)):
        with pytest.raises(InputError, match="array"):
            run.predict_array(array)


def test_predictor_needs_a_trained_recipe(tiny_run: Run) -> None:
    with pytest.raises(SettingError, match="scaling"):
        _ = Predictor(tiny_run.load_network(), Recipe()).reader.scaling


def test_scenes_of_one_name_keep_their_folders() -> None:
    scenes = ["a/Tile 1/images/x.tif", "a/Tile 2/images/x.tif", "a/y.png"]
    assert map_paths(scenes, "out") == [
        Path("out/Tile 1/images/x.tif"),
        Path("out/Tile 2/images/x.tif"),
        Path("out/y.tif"),
    ]
    assert map_paths(scenes[1:], "out") == [Path("out/x.tif"), Path("out/y.tif")]
    with pytest.raises(InputError, match="would share the map"):
        map_paths(["a/x.tif", "a/x.png"], "out")
