"""Maps of rasters as people have them: of any type, masked in any way, turned, at any ground sampling."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC

from terrasift import InputError, LandClass, Legend, Recipe, Run, train
from terrasift.prediction import Predictor, Wanted
from terrasift.raster import Raster, pixels_of, read_labels, write_image, write_polygons
from terrasift.run import network_of

HEIGHT, WIDTH = 70, 90
UTM = {"crs": "EPSG:32633", "transform": rasterio.Affine(0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0)}
ROTATED = {"crs": "EPSG:32633", "transform": rasterio.Affine(0.3, 0.4, 500_000.0, 0.4, -0.3, 5_000_000.0)}
POINTS = [GroundControlPoint(r, c, 500_000 + 2 * c + r, 5_000_000 - 2 * r, 7) for r in (0, 70) for c in (0, 45, 90)]


def fields(bands: int, dtype: str) -> NDArray[Any]:
    """Two fields and some noise, (bands, HEIGHT, WIDTH), from 1 up."""
    random = np.random.default_rng(bands)
    image = np.where(np.arange(WIDTH) < 40, 0.3, 0.7) + random.normal(0, 0.1, (bands, HEIGHT, WIDTH))
    most = 250 if dtype in ("uint8", "int8") else 10_000
    return (np.clip(image, 0, 1) * most + 1).astype(dtype)


HOLE = np.zeros((HEIGHT, WIDTH), bool)
HOLE[20:45, 30:70] = HOLE[0] = HOLE[60, 5] = True


def write(path: Path, image: NDArray[Any], grid: dict[str, Any] = UTM, **profile: Any) -> Path:
    size = {"count": len(image), "height": HEIGHT, "width": WIDTH, "dtype": image.dtype.name}
    with rasterio.open(path, "w", driver="GTiff", photometric="minisblack", **size, **grid, **profile) as out:
        out.write(image)
    return path


def with_nodata(path: Path, bands: int, dtype: str, nodata: float) -> Path:
    image = fields(bands, dtype)
    image[:, HOLE] = nodata
    return write(path, image, nodata=nodata)


def with_nan(path: Path) -> Path:
    image = fields(2, "float32")
    image[1, HOLE] = np.nan
    return write(path, image)


def with_alpha(path: Path) -> Path:
    image = fields(4, "uint8")
    image[3] = np.where(HOLE, 0, 255)
    write(path, image)
    with rasterio.open(path, "r+") as out:
        out.colorinterp = [ColorInterp.gray] * 3 + [ColorInterp.alpha]
    return path


def with_mask(path: Path) -> Path:
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        write(path, fields(3, "uint16"))
        with rasterio.open(path, "r+") as out:
            out.write_mask(~HOLE)
    return path


def with_palette(path: Path) -> Path:
    indices = np.where(HOLE, 255, fields(1, "uint8")[0] // 4).astype(np.uint8)
    with rasterio.open(write(path, indices[None], nodata=255), "r+") as out:
        out.write_colormap(1, {index: (255 - 3 * index, 3 * index, 30) for index in range(64)} | {255: (9, 9, 9)})
    return path


CASES = {
    "uint8": lambda path: with_nodata(path, 3, "uint8", 0),
    "uint16": lambda path: with_nodata(path, 4, "uint16", 65535),
    "int16": lambda path: with_nodata(path, 1, "int16", -1),
    "float64": lambda path: with_nodata(path, 2, "float64", -9999.0),
    "ten bands": lambda path: with_nodata(path, 10, "uint16", 0),
    "nan": with_nan,
    "alpha": with_alpha,
    "internal mask": with_mask,
    "palette": with_palette,
}
SMALL = (
    *("extractor=kan", "width=4", "classifiers=1", "clusters=6", "patch=32", "batch_size=4", "steps=2", "lr=1e-3"),
    *("lr_final=1e-3", "compute.device=cpu", "predict.window=64", "predict.margin=8", "min_valid=0.1"),
)


def trained(folder: Path, scene: Path, changes: Sequence[str] = ()) -> Run:
    recipe = Recipe.load("paper", [*SMALL, *changes])
    return train([scene], folder / "run", recipe, use_cache=False)


@pytest.mark.parametrize("changes", [[], ["resolution=1.7"], ["resolution=0.3"]], ids=["own", "coarse", "fine"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_nodata_in_the_scene_is_in_the_map_and_nothing_else(
    tmp_path: Path, case: str, changes: list[str]
) -> None:
    scene = CASES[case](tmp_path / "scene.tif")
    run = trained(tmp_path, scene, changes)
    out = run.predict(scene, tmp_path / "map.tif")
    with rasterio.open(out) as dataset, Raster(scene) as raster:
        labels = dataset.read(1)
        assert (dataset.shape, *dataset.transform) == ((HEIGHT, WIDTH), *rasterio.Affine(*raster.info.transform))
        assert dataset.nodata == 255
    np.testing.assert_array_equal(labels == 255, HOLE)
    assert labels[~HOLE].max() < 6


@pytest.mark.parametrize("bands", ["[3, 1]", "[b2]"])
def test_nodata_is_that_of_the_bands_read(tmp_path: Path, bands: str) -> None:
    image = fields(3, "uint8")
    image[1, HOLE] = 0
    scene = write(tmp_path / "scene.tif", image, nodata=0)
    with rasterio.open(scene, "r+") as dataset:
        dataset.descriptions = ("b1", "b2", "b3")
    run = trained(tmp_path, scene, [f"bands={bands}"])
    out = run.predict(scene, tmp_path / "map.tif")
    with rasterio.open(out) as dataset:
        np.testing.assert_array_equal(dataset.read(1) == 255, HOLE & (bands == "[b2]"))


@pytest.mark.parametrize("name", ["RGB.byte.tif", "rgb1_fake_nir_epsg3857.tif"])
@pytest.mark.parametrize("changes", [[], ["resolution=600"]], ids=["own", "coarse"])
def test_real_scenes_with_nodata(tmp_path: Path, shared: Path, name: str, changes: list[str]) -> None:
    scene = shared / "data" / "rasters" / name
    run = trained(tmp_path, scene, ["predict.window=512", *changes])
    out = run.predict(scene, tmp_path / "map.tif")
    with rasterio.open(out) as dataset, rasterio.open(scene) as original:
        assert (dataset.crs, dataset.transform, dataset.shape) == (original.crs, original.transform, original.shape)
        np.testing.assert_array_equal(dataset.read(1) == 255, original.dataset_mask() == 0)


@pytest.mark.parametrize("name", ["float.tif", "float_nan.tif", "corrupt.tif"])
def test_real_rasters_that_cannot_be_mapped_are_refused_in_a_line(tmp_path: Path, shared: Path, name: str) -> None:
    run = trained(tmp_path, with_nodata(tmp_path / "scene.tif", 1, "uint8", 0))
    with pytest.raises(InputError) as refusal:
        run.predict(shared / "data" / "rasters" / name, tmp_path / "map.tif")
    assert "\n" not in str(refusal.value)
    assert not [path for path in tmp_path.iterdir() if "map" in path.name]


def test_scenes_of_different_ground_sampling_are_brought_to_one(tmp_path: Path) -> None:
    """A scene and its every pixel repeated three by three: at one resolution they are one scene."""
    image = fields(3, "float32")
    image[:, HOLE] = np.nan
    fine = image.repeat(3, axis=1).repeat(3, axis=2)
    third = rasterio.Affine(0.5 / 3, 0.0, 500_000.0, 0.0, -0.5 / 3, 5_000_000.0)
    for name, values, transform in (("own", image, UTM["transform"]), ("fine", fine, third)):
        write_image(
            tmp_path / name / "scene.tif", np.moveaxis(values, 0, 2), crs=UTM["crs"], transform=tuple(transform)[:6]
        )
    run = trained(tmp_path, tmp_path / "own", ["resolution=0.5", "extractor=seek", "width=null", "steps=4"])
    own, repeated = (
        read_labels(run.predict(tmp_path / name / "scene.tif", tmp_path / f"{name}.png"), run.legend)
        for name in ("own", "fine")
    )
    np.testing.assert_array_equal(repeated, own.repeat(3, axis=0).repeat(3, axis=1))
    assert len(np.unique(own)) > 2


@pytest.mark.parametrize("resolution", [0.25, 1.1])
def test_a_resampled_map_does_not_depend_on_windows_and_resumes(tmp_path: Path, resolution: float) -> None:
    scene = with_nodata(tmp_path / "scene.tif", 3, "uint8", 0)
    run = trained(tmp_path, scene, [f"resolution={resolution}"])
    maps = []
    for window in (24, 37, 512):
        other = Run.open(run.path, [f"predict.window={window}"])
        maps.append(read_labels(other.predict(scene, tmp_path / f"{window}.tif"), run.legend))
    assert (np.array(maps) == maps[0]).mean() > 0.9999

    predictor = Run.open(run.path, ["predict.window=24"]).predictor
    with Raster(scene) as raster:
        every = list(predictor.segment(raster))
        done = {part.window for part in every[: len(every) // 2]}
        left = list(predictor.segment(raster, Wanted(done=done)))
    assert len(left) < len(every)
    covered = np.zeros((HEIGHT, WIDTH), int)
    for part in every:
        covered[part.window.row : part.window.row + part.window.height,
                part.window.column : part.window.column + part.window.width] += 1  # fmt: skip
    assert (covered == 1).all()
    assert {part.window for part in left} | done == {part.window for part in every}


def test_evaluation_is_on_the_scenes_own_grid(tmp_path: Path) -> None:
    """Scores of a run at another resolution are those of its maps."""
    scene = with_nodata(tmp_path / "scene.tif", 3, "uint8", 0)
    truth = np.broadcast_to(np.arange(WIDTH) >= 40, (HEIGHT, WIDTH)).astype(np.uint8)
    write_image(tmp_path / "masks" / "scene.png", truth)
    run = trained(tmp_path, scene, ["resolution=1.3"])
    legend = Legend((LandClass("left", "#102030"), LandClass("right", "#a0b0c0")))
    evaluation = run.evaluate([scene], tmp_path / "masks", legend, baselines=False)
    with rasterio.open(run.predict(scene, tmp_path / "map.tif")) as dataset:
        labels = dataset.read(1)
    assert evaluation.best.confusion.counts.sum() == (~HOLE).sum()
    assert evaluation.best.confusion.accuracy == (labels == truth)[~HOLE].mean()


def test_a_rotated_scene_gives_a_rotated_map_and_polygons(tmp_path: Path) -> None:
    scene = write(tmp_path / "scene.tif", fields(3, "uint8"), ROTATED)
    run = trained(tmp_path, scene)
    out = run.predict(scene, tmp_path / "map.tif")
    with rasterio.open(out) as dataset:
        assert dataset.transform == ROTATED["transform"]
        assert dataset.crs == ROTATED["crs"]
        labels = dataset.read(1)
    with Raster(out) as raster:
        assert pixels_of(25.0, raster.info) == 100  # of 0.25 square metres: |0.3 * -0.3 - 0.4 * 0.4|
    pyogrio, shapely = pytest.importorskip("pyogrio"), pytest.importorskip("shapely")
    write_polygons(out, tmp_path / "map.gpkg", simplify=0)
    fields_read = pyogrio.raw.read(tmp_path / "map.gpkg")
    polygons, classes, areas = shapely.from_wkb(fields_read[2]), fields_read[3][0], fields_read[3][2]
    assert areas.sum() == pytest.approx(0.25 * HEIGHT * WIDTH, rel=1e-6)
    for row, column in [(3, 4), (35, 60), (69, 89), (10, 41)]:
        place = shapely.Point(*(ROTATED["transform"] @ (column + 0.5, row + 0.5)))
        assert classes[shapely.contains(polygons, place)].tolist() == [labels[row, column]]


@pytest.mark.parametrize("changes", [[], ["resolution=4"]], ids=["own", "coarse"])
@pytest.mark.parametrize("name", ["map.tif", "map.png"])
def test_ground_control_points_go_to_the_map(tmp_path: Path, name: str, changes: list[str]) -> None:
    scene = write(tmp_path / "scene.tif", fields(3, "uint8"), {"crs": "EPSG:32633", "gcps": POINTS})
    out = trained(tmp_path, scene, changes).predict(scene, tmp_path / name)
    with rasterio.open(out) as dataset:
        points, crs = dataset.gcps
        assert dataset.transform == rasterio.Affine.identity()
    assert crs == "EPSG:32633"
    assert [(p.row, p.col, p.x, p.y, p.z) for p in points] == [(p.row, p.col, p.x, p.y, p.z) for p in POINTS]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_rational_polynomials_go_to_the_map(tmp_path: Path) -> None:
    rpcs = RPC(
        100, 50, 10, 0.1, [1.0] + [0.0] * 19, [0.1] * 20, 35, 35, 20, 0.1, [1.0] + [0.0] * 19, [0.2] * 20, 45, 45
    )
    scene = write(tmp_path / "scene.tif", fields(3, "uint8"), {"rpcs": rpcs})
    out = trained(tmp_path, scene).predict(scene, tmp_path / "map.tif")
    with rasterio.open(out) as dataset, rasterio.open(scene) as original:
        assert dataset.rpcs is not None
        assert dataset.rpcs.to_dict() == original.rpcs.to_dict()


@pytest.mark.parametrize(
    ("changes", "bands", "dtype", "grid", "line"),
    [
        ([], 3, "uint16", UTM, "holds uint16, but the run was trained on uint8"),
        ([], 4, "uint8", UTM, "has 4 bands, but the run was trained on 3"),
        (["bands=[3, 1]"], 2, "uint8", UTM, "has no band 3; its bands are 1 to 2"),
        (["bands=[nir, red]"], 3, "uint8", UTM, "has no band named nir; none has a name"),
        (["resolution=1"], 3, "uint8", {}, "has no ground sampling: it has no CRS"),
        (["resolution=9"], 3, "uint8", UTM, "has only 5 x 4 pixels at 9 m; use images of at least 16 x 16"),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_scene_that_does_not_fit_is_refused_in_a_line(
    tmp_path: Path, changes: list[str], bands: int, dtype: str, grid: dict[str, Any], line: str
) -> None:
    values = [1.0, 2.0] if "bands" in str(changes) else [1.0, 2.0, 3.0]
    scaling = f"scaling={{dtype: uint8, low: {values}, high: {values}, fill: {values}}}"
    recipe = Recipe.load("paper", [*SMALL, *changes, scaling])
    scene = write(tmp_path / "other.tif", fields(bands, dtype), grid)
    with Raster(scene) as raster, pytest.raises(InputError) as refusal:
        list(Predictor(network_of(recipe), recipe).segment(raster))
    assert f"other.tif: {line}" in str(refusal.value)
