"""Potsdam: tiles as ISPRS gives them out to the prepared layout, and layouts of others. All tiles are generated."""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from scipy.io import loadmat, savemat

from terrasift import InputError, Legend, Recipe, SettingError, train
from terrasift.data.potsdam import (
    POTSDAM,
    POTSDAM3,
    POTSDAM3_OF_POTSDAM,
    PotsdamData,
    load_potsdam,
    prepare,
    prepare_potsdam,
)
from terrasift.data.potsdam.cutting import classes_of
from terrasift.data.potsdam.tiles import LABELLED, TILES
from terrasift.raster import read_labels

SIDE, PATCH, PATCHES = 60, 2, 225
COLORS = np.array(  # as the benchmark's page lists them
    [[255, 255, 255], [0, 0, 255], [0, 255, 255], [0, 255, 0], [255, 255, 0], [255, 0, 0]], np.uint8
)
IMAGES, LABELS = "4_Ortho_RGBIR", "5_Labels_for_participants"
LISTS = ("unlabelled_train.txt", "labelled_train.txt", "labelled_test.txt")


def write_tile(path: Path, array: NDArray[np.uint8], *, alpha: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, bands = array.shape
    grid = rasterio.Affine(0.05, 0, 366_000, 0, -0.05, 5_807_000)
    profile = {"height": height, "width": width, "count": bands, "dtype": "uint8", "transform": grid}
    with rasterio.open(path, "w", driver="GTiff", photometric="rgb", **profile) as out:
        if bands == 4:
            out.colorinterp = [*out.colorinterp[:3], ColorInterp.alpha if alpha else ColorInterp.undefined]
        out.write(np.moveaxis(array, 2, 0))


def image_of(name: str, bands: int = 4, side: int = SIDE) -> NDArray[np.uint8]:
    return np.random.default_rng([*map(int, name.split("_"))]).integers(0, 256, (side, side, bands), dtype=np.uint8)


def classes_of_tile(name: str, side: int = SIDE) -> NDArray[np.int64]:
    return np.random.default_rng([1, *map(int, name.split("_"))]).integers(0, 6, (side, side))


def write_raw(raw: Path, images: Iterable[str], labels: Iterable[str] = (), side: int = SIDE) -> Path:
    for name in images:
        write_tile(raw / IMAGES / f"top_potsdam_{name}_RGBIR.tif", image_of(name, side=side))
    for name in labels:
        write_tile(raw / LABELS / f"top_potsdam_{name}_label.tif", COLORS[classes_of_tile(name, side)])
    return raw


def names(positions: Iterable[tuple[int, int]]) -> list[str]:
    return [f"{row}_{column}" for row, column in sorted(positions)]


def read_mosaic(out: Path, kind: str, first: int, patch: int = PATCH) -> NDArray[Any]:
    """The halved tile whose patches start at an id, put together again."""
    key = "img" if kind == "imgs" else "gt"
    patches = [loadmat(out / kind / f"{first + index}.mat")[key] for index in range(PATCHES)]
    assert {array.shape[:2] for array in patches} == {(patch, patch)}
    return np.concatenate([np.concatenate(patches[row * 15 : row * 15 + 15], axis=1) for row in range(15)])


def naive_half(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    half = np.zeros((image.shape[0] // 2, image.shape[1] // 2, image.shape[2]), np.uint8)
    for row, column, band in np.ndindex(half.shape):
        total = sum(int(image[2 * row + i, 2 * column + j, band]) for i in (0, 1) for j in (0, 1))
        half[row, column, band] = (total + 2) // 4
    return half


def read_list(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().splitlines()]


def snapshot(folder: Path) -> dict[str, Any]:
    """Contents without the dates that MATLAB files hold."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): {k: v.tolist() for k, v in loadmat(path).items() if not k.startswith("__")}
        if path.suffix == ".mat"
        else path.read_text()
        for path in files
    }


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tiles, 6_12 and 6_7 with labels."""
    return write_raw(tmp_path_factory.mktemp("raw"), ["7_13", "6_12", "6_7"], ["6_12", "6_7"])


@pytest.fixture(scope="module")
def prepared(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_potsdam(raw, tmp_path_factory.mktemp("potsdam") / "out", partial=True)


def test_the_tiles_are_those_of_the_benchmark() -> None:
    participants = (
        "2_10 2_11 2_12 3_10 3_11 3_12 4_10 4_11 4_12 5_10 5_11 5_12 "
        "6_7 6_8 6_9 6_10 6_11 6_12 7_7 7_8 7_9 7_10 7_11 7_12"
    )
    held_out = "2_13 2_14 3_13 3_14 4_13 4_14 4_15 5_13 5_14 5_15 6_13 6_14 6_15 7_13"
    assert names(LABELLED) == sorted(participants.split(), key=lambda name: [*map(int, name.split("_"))])
    assert set(names(TILES - LABELLED)) == set(held_out.split())


def test_the_whole_set_has_the_counts_of_the_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a patch is cut, which would take a while: the counts follow from the tiles."""
    raw = write_raw(tmp_path / "raw", names(TILES), names(TILES), side=30)  # labels of all, as in 5_Labels_all
    monkeypatch.setattr(prepare, "cut_tile", lambda *_: 0)
    out = prepare_potsdam(raw, tmp_path / "out")
    unlabelled, labelled, test = (read_list(out / name) for name in LISTS)
    assert [len(unlabelled), len(labelled), len(test)] == [3150, 4545, 855]
    assert sorted([*unlabelled, *labelled, *test]) == list(range(8550))
    table = [line.split(",") for line in (out / "tiles.csv").read_text().splitlines()[1:]]
    assert [row[0] for row in table] == names(TILES)
    assert {int(first) for _, first, _, mark, *_ in table if mark == "0"} == {
        number for number in unlabelled if number % PATCHES == 0
    }


def test_patches_are_the_halved_tiles_in_the_order_of_rows(prepared: Path) -> None:
    for tile, name in enumerate(["6_7", "6_12", "7_13"]):
        image = read_mosaic(prepared, "imgs", tile * PATCHES)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, naive_half(image_of(name)))
    for tile, name in enumerate(["6_7", "6_12"]):
        labels = read_mosaic(prepared, "gt", tile * PATCHES)
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, classes_of_tile(name)[::2, ::2])
    assert len(list((prepared / "imgs").iterdir())) == 3 * PATCHES
    assert len(list((prepared / "gt").iterdir())) == 2 * PATCHES  # none without labels, nothing left beside
    assert Legend.load(prepared / "potsdam.yaml") == POTSDAM


def test_the_test_patches_are_drawn_by_the_seed_alone(raw: Path, prepared: Path, tmp_path: Path) -> None:
    data = load_potsdam(prepared)
    numbers = {name: [int(Path(path).stem) for path in getattr(data, name[:-4])] for name in LISTS}
    assert numbers == {name: read_list(prepared / name) for name in LISTS}
    assert numbers["unlabelled_train.txt"] == list(range(2 * PATCHES, 3 * PATCHES))
    assert len(numbers["labelled_test.txt"]) == round(2 * PATCHES * 855 / 5400)
    assert sorted(numbers["labelled_test.txt"] + numbers["labelled_train.txt"]) == list(range(2 * PATCHES))
    assert numbers["labelled_test.txt"][-1] > PATCHES  # not the first ones
    shutil.copytree(prepared, tmp_path / "out")
    prepare_potsdam(raw, tmp_path / "out", seed=1, partial=True)
    assert read_list(tmp_path / "out" / LISTS[2]) != numbers["labelled_test.txt"]
    prepare_potsdam(raw, tmp_path / "out", seed=0, partial=True)
    assert snapshot(tmp_path / "out") == snapshot(prepared)


def test_zips_are_read_as_they_are(raw: Path, prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "raw" / "Potsdam").mkdir(parents=True)
    for folder in (IMAGES, LABELS):
        with zipfile.ZipFile(tmp_path / "raw" / "Potsdam" / f"{folder}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((raw / folder).iterdir()):
                archive.write(path, f"{folder}/{folder}/{path.name}")
                archive.writestr(f"__MACOSX/{folder}/._{path.name}", b"nothing")
    (tmp_path / "raw" / "1_DSM.zip").write_text("half a download")
    out = prepare_potsdam(tmp_path / "raw", tmp_path / "out", partial=True)
    assert snapshot(out) == snapshot(prepared)


@pytest.mark.slow  # starting processes
def test_processes_write_the_same(raw: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "_WORTH_PROCESSES", 0)
    assert snapshot(prepare_potsdam(raw, tmp_path / "out", partial=True)) == snapshot(prepared)
    shutil.copytree(raw, tmp_path / "raw")
    spoil_labels(tmp_path / "raw")
    with pytest.raises(InputError, match=r"6_7_label\.tif: 3600 pixels have colours of no class \(#646464\)"):
        prepare_potsdam(tmp_path / "raw", tmp_path / "bad", partial=True)


@pytest.mark.parametrize("loss", ["missing", "empty", "gt"])
def test_a_killed_preparation_goes_on(
    raw: Path, prepared: Path, tmp_path: Path, loss: str, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    for name in LISTS:
        (tmp_path / name).unlink()
    if loss == "empty":
        (tmp_path / "imgs" / "300.mat").write_bytes(b"")
    else:
        (tmp_path / ("gt" if loss == "gt" else "imgs") / "300.mat").unlink()
    (tmp_path / "imgs" / ".300.mat.writing").mkdir()
    (tmp_path / "imgs" / ".300.mat.writing" / "300.mat").write_bytes(b"half a patch")
    kept, cut = ((tmp_path / "imgs" / name).stat().st_mtime_ns for name in ("0.mat", "299.mat"))
    with pytest.raises(InputError, match=r"unlabelled_train\.txt: is missing"):
        load_potsdam(tmp_path)
    caplog.set_level(logging.INFO, "terrasift")
    prepare_potsdam(raw, tmp_path, partial=True)
    assert snapshot(tmp_path) == snapshot(prepared)
    assert "2 of 3 tiles were there already" in caplog.text
    assert (tmp_path / "imgs" / "0.mat").stat().st_mtime_ns == kept
    assert (tmp_path / "imgs" / "299.mat").stat().st_mtime_ns > cut


def test_a_folder_of_other_tiles_is_left_alone(raw: Path, prepared: Path, tmp_path: Path) -> None:
    before = snapshot(prepared)
    other = write_raw(tmp_path / "raw", ["6_12", "6_7"], ["6_12"])
    with pytest.raises(InputError, match="was prepared from other tiles; name another folder"):
        prepare_potsdam(other, prepared, partial=True)
    assert snapshot(prepared) == before
    (tmp_path / "theirs" / "imgs").mkdir(parents=True)
    with pytest.raises(InputError, match="theirs: holds imgs from elsewhere; name another folder"):
        prepare_potsdam(raw, tmp_path / "theirs", partial=True)


def test_infrared_marked_as_alpha_is_a_band(prepared: Path, tmp_path: Path) -> None:
    write_raw(tmp_path / "raw", [], ["6_7"])
    write_tile(tmp_path / "raw" / IMAGES / "top_potsdam_6_7_RGBIR.tif", image_of("6_7"), alpha=True)
    with rasterio.open(tmp_path / "raw" / IMAGES / "top_potsdam_6_7_RGBIR.tif") as dataset:
        assert dataset.colorinterp[3] is ColorInterp.alpha
    out = prepare_potsdam(tmp_path / "raw", tmp_path / "out", partial=True)
    np.testing.assert_array_equal(read_mosaic(out, "imgs", 0), read_mosaic(prepared, "imgs", 0))


def test_without_infrared_patches_have_three_bands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    raw = write_raw(tmp_path / "raw", [], ["2_10"])
    for name in ("2_10", "02_11"):
        write_tile(raw / "2_Ortho_RGB" / f"top_potsdam_{name}_RGB.tif", image_of(name, 3))
        write_tile(raw / "3_Ortho_IRRG" / f"top_potsdam_{name}_IRRG.tif", image_of("7_7", 3))
    out = prepare_potsdam(raw, tmp_path / "out", partial=True)
    for tile, name in enumerate(["2_10", "2_11"]):
        np.testing.assert_array_equal(read_mosaic(out, "imgs", tile * PATCHES), naive_half(image_of(name, 3)))
    assert caplog.text.count("no infrared") == 1


def test_labels_without_boundaries_are_left_alone(tmp_path: Path) -> None:
    """And those of participants go before all labels, where a tile has both."""
    raw = write_raw(tmp_path / "raw", ["2_10"], ["2_10"])
    black = np.zeros((SIDE, SIDE, 3), np.uint8)
    write_tile(raw / "5_Labels_all" / "top_potsdam_2_10_label.tif", black)
    write_tile(raw / "5_Labels_for_participants_no_Boundary" / "top_potsdam_2_10_label_noBoundary.tif", black)
    out = prepare_potsdam(raw, tmp_path / "out", partial=True)
    np.testing.assert_array_equal(read_mosaic(out, "gt", 0), classes_of_tile("2_10")[::2, ::2])


def test_nearly_right_colours_count_as_their_class(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As lossy compression made them of tile 4_12, and as most cars of 6_7 are."""
    classes = classes_of_tile("4_12")
    lossy = np.abs(COLORS[classes].astype(int) - np.random.default_rng(0).integers(1, 80, (SIDE, SIDE, 3)))
    raw = write_raw(tmp_path / "raw", ["4_12", "6_7"])
    write_tile(raw / LABELS / "top_potsdam_4_12_label.tif", lossy.astype(np.uint8))
    cars = COLORS.copy()
    cars[4] = 252, 255, 0
    write_tile(raw / LABELS / "top_potsdam_6_7_label.tif", cars[classes_of_tile("6_7")])
    caplog.set_level(logging.INFO, "terrasift")
    out = prepare_potsdam(raw, tmp_path / "out", partial=True)
    np.testing.assert_array_equal(read_mosaic(out, "gt", 0), classes[::2, ::2])
    np.testing.assert_array_equal(read_mosaic(out, "gt", PATCHES), classes_of_tile("6_7")[::2, ::2])
    count = np.count_nonzero(classes_of_tile("6_7") == 4)
    assert f"taken for it: {SIDE**2} pixels of 4_12, {count} pixels of 6_7" in caplog.text


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 0, 255), (128, 255, 0), (255, 100, 255), (3, 3, 3)])
def test_other_colours_are_counted_and_placed(color: tuple[int, int, int]) -> None:
    rgb = COLORS[classes_of_tile("2_10")]
    rgb[7, 3] = rgb[9, 2] = color
    shown = "#{:02X}{:02X}{:02X}".format(*color)
    with pytest.raises(
        InputError, match=rf"2 pixels have colours of no class \({shown}\), the first at row 7, column 3"
    ):
        classes_of(rgb)


def spoil_size(raw: Path) -> None:
    write_tile(raw / IMAGES / "top_potsdam_6_7_RGBIR.tif", image_of("6_7", side=90))


def spoil_bands(raw: Path) -> None:
    write_tile(raw / IMAGES / "top_potsdam_6_7_RGBIR.tif", image_of("6_7", bands=3))


def spoil_labels(raw: Path) -> None:
    write_tile(raw / LABELS / "top_potsdam_6_7_label.tif", np.full((SIDE, SIDE, 3), 100, np.uint8))


def spoil_file(raw: Path) -> None:
    path = raw / IMAGES / "top_potsdam_6_7_RGBIR.tif"
    path.write_bytes(path.read_bytes()[:-9000])


def spoil_all_sizes(raw: Path) -> None:
    for path in raw.rglob("*.tif"):
        write_tile(path, np.zeros((62, 62, 4 if "RGBIR" in path.name else 3), np.uint8))


SPOILED: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "size": (spoil_size, ["6_7_RGBIR.tif: has 90 x 90 pixels, the other tiles 60 x 60; get it again"]),
    "all sizes": (spoil_all_sizes, ["6_7_RGBIR.tif: has 62 x 62 pixels; ", "30 divides: 6000 x 6000"]),
    "bands": (spoil_bands, ["6_7_RGBIR.tif: has 3 bands of uint8, not 4 of uint8; get it again"]),
    "labels": (spoil_labels, ["6_7_label.tif: 3600 pixels have colours of no class (#646464), the first at row 0, "]),
    "file": (spoil_file, ["6_7_RGBIR.tif: cannot be read: the file is damaged"]),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_bad_tile_is_named_in_one_line(raw: Path, tmp_path: Path, command: Callable[..., Any], what: str) -> None:
    spoil, words = SPOILED[what]
    shutil.copytree(raw, tmp_path / "raw")
    spoil(tmp_path / "raw")
    outcome = command("prepare", "potsdam", tmp_path / "raw", "--out", tmp_path / "out", "--partial")
    line = outcome.err.strip().splitlines()[-1]
    assert outcome.code == 2
    assert line.startswith("terrasift: ")
    assert all(word in line for word in words)
    assert "Traceback" not in outcome.err
    assert not any((tmp_path / "out" / name).exists() for name in LISTS)


def test_missing_tiles_are_named_and_must_be_asked_for(raw: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    outcome = command("prepare", "potsdam", raw, "--out", tmp_path / "out")
    assert outcome.code == 2
    assert outcome.err.strip() == (
        f"terrasift: {raw}: lacks 35 of 38 RGBIR images (2_10, 2_11, 2_12, 2_13, 2_14, 3_10, ...) and "
        "22 of 24 label images (2_10, 2_11, 2_12, 3_10, 3_11, 3_12, ...); add them, or go on without: --partial"
    )
    assert not (tmp_path / "out").exists()
    outcome = command("prepare", "potsdam", raw, "--out", tmp_path / "out", "--partial", "--seed", 3)
    assert outcome.code == 0
    assert "going on without 35 of 38 RGBIR images (2_10, " in outcome.err
    assert outcome.out.splitlines()[0] == f"wrote {tmp_path / 'out'}: 604 patches to train on, 71 to test"
    assert outcome.out.splitlines()[1].startswith("next: terrasift ")


@pytest.mark.parametrize(
    ("images", "labels", "match"),
    [
        ([], [], r"raw: holds no image named like top_potsdam_2_10_RGBIR\.tif; unpack"),
        (["7_13"], [], "at least one tile must have labels"),
        (["7_13"], ["7_13"], "at least one tile must have labels"),  # not one that participants got
    ],
)
def test_sets_that_cannot_be_used_are_refused(tmp_path: Path, images: list[str], labels: list[str], match: str) -> None:
    (tmp_path / "raw").mkdir()
    with pytest.raises(InputError, match=match):
        prepare_potsdam(write_raw(tmp_path / "raw", images, labels), tmp_path / "out", partial=True)
    assert not (tmp_path / "out").exists()


def test_odd_arguments_are_refused(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: is not a folder"):
        prepare_potsdam(tmp_path / "none", tmp_path / "out")
    with pytest.raises(SettingError, match="seed: is -1"):
        prepare_potsdam(raw, tmp_path / "out", seed=-1)


def write_layout(folder: Path, **lists: str) -> Path:
    """As others have prepared it: ids in any order, a blank line at the end, labels in MATLAB's own type."""
    for name in ("imgs", "gt"):
        (folder / name).mkdir(parents=True)
    for number in (7, 30, 1200):
        savemat(folder / "imgs" / f"{number}.mat", {"img": image_of(f"{number}_1", side=20)})
    for number in (7, 30):
        savemat(folder / "gt" / f"{number}.mat", {"gt": classes_of_tile(f"{number}_1", side=20).astype(np.int32)})
    content = {"unlabelled_train": "1200\n", "labelled_train": "30\n\n", "labelled_test": "7\r\n"} | lists
    for name, text in content.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def test_layouts_of_others_load(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "theirs")
    data = load_potsdam(folder)
    paths = ([str(folder / "imgs" / f"{number}.mat")] for number in (1200, 30, 7))
    assert data == PotsdamData(*paths, masks=folder / "gt")
    np.testing.assert_array_equal(
        read_labels(data.masks / Path(data.labelled_test[0]).name, POTSDAM), classes_of_tile("7_1", side=20)
    )


@pytest.mark.parametrize(
    ("lists", "match"),
    [
        ({"unlabelled_train": "1200\n8\n9\n"}, r"unlabelled_train\.txt: names 2 patches without image, .*imgs/8\.mat"),
        ({"labelled_train": "30\n1200\n"}, r"labelled_train\.txt: names 1 patches without labels, .*gt/1200\.mat"),
        ({"labelled_test": "30\n7\n"}, r"labelled_test\.txt: names 1 patches that are trained on too"),
        ({"labelled_test": ""}, r"labelled_test\.txt: names no patch"),
    ],
)
def test_lists_that_do_not_fit_are_refused(tmp_path: Path, lists: dict[str, str], match: str) -> None:
    with pytest.raises(InputError, match=match):
        load_potsdam(write_layout(tmp_path / "theirs", **lists))


@pytest.mark.parametrize("name", LISTS)
def test_a_missing_list_is_named(tmp_path: Path, name: str) -> None:
    (write_layout(tmp_path / "theirs") / name).unlink()
    with pytest.raises(InputError, match=f"{name}: is missing"):
        load_potsdam(tmp_path / "theirs")
    with pytest.raises(InputError, match="none: is not a folder"):
        load_potsdam(tmp_path / "none")


def test_potsdam_3_joins_what_the_protocol_joins() -> None:
    joined = [[POTSDAM.names[k] for k in range(6) if POTSDAM3_OF_POTSDAM[k] == group] for group in range(3)]
    assert joined == [["road", "car"], ["building", "clutter"], ["low vegetation", "tree"]]
    assert len(POTSDAM3.classes) == 3
    np.testing.assert_array_equal(POTSDAM.rgb, COLORS)


def test_patches_train_and_are_scored_like_other_images(tmp_path: Path, command: Callable[..., Any]) -> None:
    raw = write_raw(tmp_path / "raw", ["2_10", "2_13"], ["2_10"], side=960)
    folder = prepare_potsdam(raw, tmp_path / "potsdam", partial=True)
    data = load_potsdam(folder)
    changes = ("width=4", "clusters=8", "patch=32", "batch_size=2", "steps=2", "bands=[1,2,3]", "compute.device=cpu")
    images = [*data.unlabelled_train[:10], *data.labelled_train[:10]]
    recipe = Recipe.load("paper", changes)
    run = train(images, tmp_path / "run", recipe, cache=tmp_path / "cache")
    tested = data.labelled_test[:3]
    outcome = command(
        "evaluate", run.path, *tested, "--masks", data.masks, "--classes", folder / "potsdam.yaml",
        "--json", "--no-baselines",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    scores = json.loads(outcome.out)
    assert scores["classes"] == POTSDAM.names
    assert set(scores["classifiers"][0]["images"]) == set(tested)
    assert "32 x 32 pixels, 4 bands of uint8" in command("info", tested[0]).out
    mapped = command("predict", run.path, tested[0], "--out", tmp_path / "map.tif")
    assert mapped.code == 0, mapped.err
