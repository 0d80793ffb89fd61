"""Arrays in place of files: the same network, the same map."""

from __future__ import annotations

import pickle
from pathlib import Path

import dask
import numpy as np
import pytest
import rioxarray
from xarray import DataArray

from terrasift import MapOptions, Recipe, Run, SettingError, train
from terrasift.data.images import ImageFiles
from terrasift.files import file_digest
from terrasift.raster import ImageArray, Raster, write_image
from terrasift.run import RunFolder

FLAGS = {"flag_values", "flag_meanings", "flag_colors"}


@pytest.fixture(scope="module")
def holed(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of an odd size, with nodata, larger than a window."""
    with Raster(scenes / "images" / "north.tif") as raster:
        values, info = raster.read()[0], raster.info
    values = np.concatenate([values, values[::-1]])[:301, :243]
    values[40:90, 30:200] = 0
    path = tmp_path_factory.mktemp("holed") / "holed.tif"
    write_image(path, ImageArray(values, "", ("r", "g", "b"), info.crs, info.transform, 0))
    return path


@pytest.mark.parametrize("chunks", [None, {"y": 100, "x": 70}], ids=["in memory", "Dask"])
def test_a_data_array_is_mapped_as_its_file_is(tiny_run: Run, holed: Path, tmp_path: Path, chunks: object) -> None:
    scene = rioxarray.open_rasterio(holed, chunks=chunks)
    expected = rioxarray.open_rasterio(tiny_run.predict(holed, tmp_path / "map.tif"))[0]
    found = tiny_run.predict(scene)
    assert (found.chunks is None) == (chunks is None)
    assert found.dims == ("y", "x")
    assert found.dtype == expected.dtype
    assert (found.values == expected.values).all()
    assert (found.values == 255).sum() == 50 * 170
    assert found.rio.crs == expected.rio.crs
    assert found.rio.transform() == expected.rio.transform()
    assert found.rio.nodata == 255
    for name in ("x", "y"):
        assert found[name].identical(scene[name])
    assert {*found.attrs} >= FLAGS
    assert found.attrs["flag_meanings"].split()[3] == tiny_run.legend.names[3].replace(" ", "_")
    assert found.attrs["flag_values"].tolist() == list(range(8))
    written = tiny_run.predict(scene, tmp_path / "of_array.tif")
    assert (rioxarray.open_rasterio(written)[0].values == expected.values).all()


def test_the_tasks_of_a_lazy_map_can_be_sent_elsewhere(tiny_run: Run, holed: Path) -> None:
    found = tiny_run.predict(rioxarray.open_rasterio(holed, chunks={"y": 100}))
    graph = pickle.loads(pickle.dumps(dict(found.data.__dask_graph__())))
    (rows,) = dask.get(graph, [list(found.data.__dask_keys__())])
    assert (np.block([list(row) for row in rows]) == found.values).all()


def test_a_run_at_another_resolution_maps_lazily_as_it_maps_files(tiny_run: Run, holed: Path, tmp_path: Path) -> None:
    run = Run(tiny_run.path)
    coarse = run.recipe.changed({"resolution": 0.4, "predict.window": 64})
    run.__dict__["recipe"] = run.__dict__["prediction_recipe"] = coarse
    run.load_network = tiny_run.load_network
    expected = rioxarray.open_rasterio(run.predict(holed, tmp_path / "map.tif"))[0]
    found = run.predict(rioxarray.open_rasterio(holed, chunks={"y": 64, "x": 64}))
    assert (found.values == expected.values).all()


def test_arrays_train_the_network_that_their_files_train(
    scenes: Path, tiny_run: Run, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    images = [scenes / "images" / "north.tif", scenes / "images" / "south.tif"]
    arrays = [rioxarray.open_rasterio(images[0], chunks={"x": 100}), Raster(images[1]).read()[0]]
    cache = tiny_run.path.parent / "cache"
    run = train(arrays, tmp_path / "run", tiny_recipe, cache=cache, cache_limit=float("inf"))
    assert file_digest(run.weights_file) == file_digest(tiny_run.weights_file)
    assert [Path(path).name for path in run.trained_on] == ["image_1.tif", "image_2.tif"]
    with Raster(run.trained_on[0]) as kept, Raster(images[0]) as original:
        assert kept.info.grid == original.info.grid
    assert train(arrays, tmp_path / "run", tiny_recipe, resume=True).is_finished
    assert run.facts is not None


def test_a_dataset_gives_the_bands_that_are_named(holed: Path, tmp_path: Path) -> None:
    scene = rioxarray.open_rasterio(holed, chunks={})
    cube = scene.to_dataset("band").rename({1: "red", 2: "green", 3: "blue"})
    cube["clouds"] = cube.red.astype(np.float32)  # of another type, and not asked for
    files = ImageFiles(cube, tmp_path / "images", ("blue", "red"))
    files.write()
    with Raster(files.paths[0]) as found, Raster(holed) as expected:
        assert found.info.descriptions == ("blue", "red")
        assert found.info.grid == expected.info.grid
        assert found.info.nodata == 0
        assert (found.read()[0] == expected.read(bands=("b", "r"))[0]).all()


def test_what_cannot_be_trained_on_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    flat = DataArray(np.zeros((64, 64), np.uint16), dims=("y", "x"))
    with pytest.raises(ValueError, match="one value"):
        train(flat, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    assert not RunFolder(tmp_path / "mine").has_begun


def test_what_only_a_file_holds_is_not_asked_of_an_array(tiny_run: Run, holed: Path) -> None:
    with pytest.raises(SettingError, match=r"confidence: .*`out`"):
        tiny_run.predict(rioxarray.open_rasterio(holed), options=MapOptions(confidence=True))
