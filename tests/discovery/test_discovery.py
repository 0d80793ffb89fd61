"""Discovery from images to labels, kept in a file, with any bands and types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from terrasift import InputError, Recipe, RunError, SettingError, discover
from terrasift.data.material import gather_material
from terrasift.data.patches import Patch
from terrasift.data.regions import RegionCache
from terrasift.discovery import Discovery, Targets, contrast, discover_in
from terrasift.discovery import discover as discovering
from terrasift.raster import Raster, Window, write_image

TINY = ("clusters=6", "patch=64", "crop=null", "refinement.area=64", "compute.device=cpu")


def tiny_recipe(*changes: str) -> Recipe:
    return Recipe.load("default", [*TINY, *changes])


def land(bands: int, height: int = 96, width: int = 128, seed: int = 0) -> NDArray[np.float64]:
    """(H, W, bands) in [0, 1]: a bright half, a dark one, and stripes across the lower part of both."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((height, width))
    tone = np.where(columns < width // 2, 0.3, 0.6) + np.where(rows > height // 2, 0.15 * np.sin(columns), 0)
    return np.asarray(
        (tone[:, :, None] * rng.uniform(0.7, 1, bands) + rng.normal(0, 0.03, (height, width, bands))).clip(0, 1)
    )


def write(path: Path, values: NDArray[Any], nodata: float | None = None) -> Path:
    write_image(path, values, crs="EPSG:32633", transform=(1.0, 0.0, 0.0, 0.0, -1.0, 0.0))
    if nodata is not None:
        with rasterio.open(path, "r+") as dataset:
            dataset.nodata = nodata
    return path


@pytest.fixture(autouse=True)
def few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrasift.data.sampling._WINDOWS", 1500)


@pytest.fixture
def contrast_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovering, "CONTRAST_FROM", 1)
    monkeypatch.setattr(contrast, "STEPS", 5)


@pytest.fixture
def learned_contrast(request: pytest.FixtureRequest) -> bool:
    if request.param:
        request.getfixturevalue("contrast_always")
    return bool(request.param)


EITHER_WAY = pytest.mark.parametrize("learned_contrast", [False, True], indirect=True)


@EITHER_WAY
def test_what_was_saved_is_what_was_found(learned_contrast: bool, tmp_path: Path) -> None:
    scene = write(tmp_path / "a.tif", (land(3) * 255).astype(np.uint8))
    found = discover([scene], tiny_recipe("classifiers=2"), cache=tmp_path / "cache")
    assert (found.perceptron is not None) == learned_contrast
    again = Discovery.load(found.save(tmp_path / "one.safetensors"))
    assert again.recipe == found.recipe
    other = (land(3, 70, 60, seed=5) * 255).astype(np.uint8)
    assert len(np.unique(found.labels(other))) > 2
    for classifier in (1, 2):
        np.testing.assert_array_equal(
            again.labels(other, classifier=classifier), found.labels(other, classifier=classifier)
        )
    np.testing.assert_array_equal(again.embedding(other), found.embedding(other))
    assert again.embedding(other).shape == (70, 60, found.centres[0].shape[1])
    assert again.save(tmp_path / "two.safetensors").read_bytes() == (tmp_path / "one.safetensors").read_bytes()
    same_seed = discover([scene], tiny_recipe("classifiers=2"), cache=tmp_path / "other")
    assert same_seed.save(tmp_path / "three.safetensors").read_bytes() == (tmp_path / "one.safetensors").read_bytes()
    other_seed = discover([scene], tiny_recipe("classifiers=2", "seed=1"), cache=tmp_path / "other")
    assert not np.array_equal(other_seed.filters, found.filters)


class Nearest:
    """Draws nothing but the nearest cluster."""

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape)


def test_targets_are_drawn_in_proportion_to_their_shares(tmp_path: Path) -> None:
    patch = Patch("scene.tif", Window(0, 0, 1, 3))
    nearest = np.array([[[7, 3], [5, 6], [9, 8]]], np.uint16)
    shares = np.array([[[0.75, 0.25], [1.0, 0.0], [0.5, 0.5]]], np.float32)
    targets = Targets.load(
        Targets([patch], [3], nearest, shares).save(tmp_path / "t.safetensors"), [patch], tiny_recipe("clusters=10")
    )
    regions = np.array([[2, 0, 1]], np.int32)
    draws = np.random.default_rng(0)
    drawn = np.concatenate([targets.of_patch(patch, regions, draws)[0] for _ in range(4000)])
    assert (drawn[:, 1] == 7).mean() == pytest.approx(0.75, abs=0.03)
    assert (drawn[:, 0] == 9).mean() == pytest.approx(0.5, abs=0.03)
    assert set(drawn[:, 1]) == {7, 3}
    assert set(drawn[:, 0]) == {9, 8}
    assert set(drawn[:, 2]) == {5}


@EITHER_WAY
@pytest.mark.parametrize(("bands", "kind"), [(1, "uint8"), (3, "uint16"), (4, "nan"), (10, "nodata")])
def test_labels_of_an_array_are_the_targets_of_its_patch(
    bands: int, kind: str, learned_contrast: bool, tmp_path: Path
) -> None:
    values = land(bands)
    hole = np.s_[20:50, 40:90]
    if kind == "uint8":
        scene = write(tmp_path / "a.tif", (values * 255).astype(np.uint8))
    elif kind == "uint16":
        numbers = 1 + (values * 9000).astype(np.uint16)
        numbers[hole] = 0
        scene = write(tmp_path / "a.tif", numbers, nodata=0)
    else:
        numbers = (values * 3 - 1).astype(np.float32)
        numbers[hole] = np.nan if kind == "nan" else -9999
        scene = write(tmp_path / "a.tif", numbers, nodata=None if kind == "nan" else -9999)
    recipe = tiny_recipe("classifiers=2", "clusters=20")
    made = RegionCache(tmp_path / "cache", recipe.refinement)
    recipe, patches, reader, regions = gather_material([str(scene)], recipe, made)
    discovery, targets = discover_in(patches, reader, regions, recipe)
    assert len(patches) == 4
    assert (discovery.perceptron is not None) == learned_contrast
    invalid = 0
    for patch in patches:
        expected = targets.of_patch(patch, regions.of_patch(patch, *reader.read(patch, 64)), Nearest())
        array, valid = reader.raw(patch)
        invalid += int((~valid).sum())
        for classifier in (1, 2):
            labels = discovery.labels(array, valid, classifier)
            np.testing.assert_array_equal(labels == -1, ~valid)
            np.testing.assert_array_equal(labels[valid], expected[classifier - 1][valid])
            if kind == "nan":  # is seen without being told
                np.testing.assert_array_equal(discovery.labels(array, classifier=classifier), labels)
        embedding = discovery.embedding(array, valid)
        np.testing.assert_array_equal(np.isnan(embedding), np.broadcast_to(~valid[:, :, None], embedding.shape))
    assert (invalid > 0) == (kind != "uint8")
    labels = [targets.of_patch(patch, regions.of_patch(patch, *reader.read(patch, 64)), Nearest()) for patch in patches]
    assert len(np.unique(labels)) == 20


def test_each_classifier_has_a_clustering_of_its_own(tmp_path: Path) -> None:
    image = (land(3) * 255).astype(np.uint8)
    recipe = tiny_recipe("classifiers=2", "clusters=30", "refinement.area=20")
    found = discover([write(tmp_path / "a.tif", image)], recipe, cache=tmp_path / "cache")
    assert (found.labels(image, classifier=1) != found.labels(image, classifier=2)).mean() > 0.3


def test_what_stands_where_there_is_no_data_changes_no_byte(tmp_path: Path) -> None:
    values = land(3).astype(np.float32)
    found = []
    for name, junk, nodata in (("nan", np.nan, None), ("low", -9999.0, -9999.0), ("high", 3e38, 3e38)):
        values[20:50, 40:90] = np.float32(junk)
        scene = write(tmp_path / name / "a.tif", values, None if nodata is None else float(np.float32(nodata)))
        discovery = discover([scene], tiny_recipe(), cache=tmp_path / "cache")
        found.append(discovery.save(tmp_path / f"{name}.safetensors").read_bytes())
    assert found[0] == found[1] == found[2]


def test_an_array_without_data_has_no_labels(tmp_path: Path) -> None:
    scene = write(tmp_path / "a.tif", (land(3) * 255).astype(np.uint8))
    found = discover([scene], tiny_recipe(), cache=tmp_path / "cache")
    nothing = np.zeros((40, 30, 3), np.uint8)
    none_valid = np.zeros((40, 30), bool)
    assert (found.labels(nothing, none_valid) == -1).all()
    assert np.isnan(found.embedding(nothing, none_valid)).all()
    with pytest.raises(InputError, match="holds float32"):
        found.labels(nothing.astype(np.float32))


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    scene = write(tmp_path / "a.tif", (land(3) * 255).astype(np.uint8))
    path = discover([scene], tiny_recipe(), cache=tmp_path / "cache").save(tmp_path / "d.safetensors")
    whole = path.read_bytes()
    targets = (
        Targets([], [], np.zeros((1, 0, 4), np.uint16), np.zeros((1, 0, 4), np.float32))
        .save(tmp_path / "targets.safetensors")
        .read_bytes()
    )
    for content in (whole[:-100], whole[:50], b"", b"words", targets, whole.replace(b"centres_1", b"centres_7")):
        path.write_bytes(content)
        with pytest.raises(RunError, match=r"d\.safetensors: (is damaged|does not hold a discovery)"):
            Discovery.load(path)
    with pytest.raises(RunError, match="cannot be read"):
        Discovery.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("array", ["filters", "offset", "directions", "own_offset", "mean_1", "factors", "centres_1"])
def test_arrays_that_do_not_fit_together_are_no_discovery(array: str, found: Path, tmp_path: Path) -> None:
    arrays, (texts, path) = load_file(found), (texts_of(found), tmp_path / "d.safetensors")
    bad = arrays.copy()
    for wrong in (arrays[array][..., :-1], arrays[array][None], arrays[array].astype(np.int64)):
        save_file(bad | {array: np.ascontiguousarray(wrong)}, path, texts)
        with pytest.raises(RunError, match="does not hold a discovery"):
            Discovery.load(path)
    hole = arrays[array].copy()
    hole.flat[0] = np.nan
    save_file(bad | {array: hole}, path, texts)
    with pytest.raises(RunError, match=f"{array} holds values that are no numbers"):
        Discovery.load(path)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("found")
    scene = write(folder / "a.tif", (land(3) * 255).astype(np.uint8))
    return discover([scene], tiny_recipe(), cache=folder / "cache").save(folder / "d.safetensors")


def texts_of(path: Path) -> dict[str, str]:
    with safe_open(path, "numpy") as file:
        return dict(file.metadata())


def test_targets_of_another_run_are_refused(tmp_path: Path) -> None:
    patches = [Patch("scene.tif", Window(0, 0, 1, 3))]
    nearest, shares = np.zeros((1, 3, 2), np.uint16), np.full((1, 3, 2), 0.5, np.float32)
    path, recipe = tmp_path / "t.safetensors", tiny_recipe("clusters=10")
    Targets(patches, [3], nearest, shares).save(path, made_of="this")
    assert Targets.load(path, patches, recipe, "this")
    with pytest.raises(RunError, match="but those of another run; delete it, and resume"):
        Targets.load(path, patches, recipe, "that")
    for counts, near, share in [
        ([3], nearest + 10, shares),
        ([4], nearest, shares),
        ([3, 0], nearest, shares),
        ([3], nearest.repeat(2, axis=0), shares.repeat(2, axis=0)),
        ([3], nearest, -shares),
        ([3], nearest, shares * np.float32(np.nan)),
        ([3], nearest.astype(np.int64), shares),
    ]:
        Targets(patches, counts, near.astype(near.dtype), share).save(path)
        with pytest.raises(RunError, match=r"does not hold the targets of these patches|no numbers"):
            Targets.load(path, patches, recipe)


def test_too_few_superpixels_and_no_texture_are_said(tmp_path: Path) -> None:
    scene = write(tmp_path / "a.tif", (land(3) * 255).astype(np.uint8))
    with pytest.raises(SettingError, match=r"clusters: 5000 is more than the \d+ superpixels; set clusters to"):
        discover([scene], tiny_recipe("clusters=5000"), cache=tmp_path / "cache")
    with pytest.raises(InputError, match="no superpixels that touch"):
        discover([scene], tiny_recipe("refinement.area=90000", "clusters=2"), cache=tmp_path / "cache")


def test_flat_fields_without_texture_are_told_apart(tmp_path: Path) -> None:
    fields = np.full((64, 128, 3), 90, np.uint8)
    fields[:, 64:] = 160
    scene = write(tmp_path / "a.tif", fields)
    found = discover([scene], tiny_recipe("clusters=2"), cache=tmp_path / "cache")
    left, right = (np.unique(found.labels(part)) for part in (fields[:, :64], fields[:, 64:]))
    assert (len(left), len(right)) == (1, 1)
    assert left != right


@pytest.mark.parametrize("hole", [False, True])
def test_precomputed_superpixels_do_as_well(hole: bool, tmp_path: Path) -> None:
    """Those that lie where the image has no data are none."""
    values = land(3).astype(np.float32)
    if hole:
        values[20:50, 40:90] = np.nan
    scene = write(tmp_path / "images" / "a.tif", values)
    names = np.arange(96)[:, None] // 8 * 100 + np.arange(128) // 8
    write(tmp_path / "labels" / "a.tif", names.astype(np.int32))
    recipe = tiny_recipe("refinement.method=precomputed", f"refinement.folder={tmp_path / 'labels'}")
    made = RegionCache(tmp_path / "cache", recipe.refinement)
    recipe, patches, reader, regions = gather_material([str(scene)], recipe, made)
    for patch in patches:
        image, valid = reader.read(patch, 64)
        numbers = np.unique(regions.of_patch(patch, image, valid)[valid])
        assert numbers.tolist() == list(range(len(numbers)))
    discovery, targets = discover_in(patches, reader, regions, recipe)
    assert (
        len(np.unique([targets.of_patch(p, regions.of_patch(p, *reader.read(p, 64)), Nearest()) for p in patches])) == 6
    )
    with Raster(scene) as raster, pytest.raises(SettingError, match=r"refinement\.method"):
        discovery.labels(raster.read()[0])
    sliced = replace(discovery, recipe=tiny_recipe().model_copy(update={"scaling": recipe.scaling}))
    with Raster(scene) as raster:
        assert sliced.labels(raster.read()[0]).max() == 5
