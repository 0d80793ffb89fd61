"""Files to label maps, and label maps to pairs; one line for each way in which they cannot be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from terrasift import InputError
from terrasift.data.label_maps import Match, match_label_maps, open_pairs
from terrasift.raster import write_image

GRID: dict[str, Any] = {"crs": "EPSG:32633", "transform": (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0)}
LABELS = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()


def save_segs(path: str, *maps: NDArray[Any]) -> None:
    cells = np.empty((1, len(maps)), object)
    for number, labels in enumerate(maps):
        cells[0, number] = labels
    savemat(path, {"segs": cells})


def save_ground_truth(path: str, *maps: NDArray[Any]) -> None:
    cells = np.empty((1, len(maps)), object)
    for number, labels in enumerate(maps):
        cells[0, number] = {"Segmentation": labels, "Boundaries": np.zeros_like(labels)}
    savemat(path, {"groundTruth": cells})


def names_of_pairs(predicted: str, *truths: str) -> list[list[tuple[str, str]]]:
    with open_pairs(Match(predicted, truths)) as images:
        return [[(pair.predicted.name, pair.truth.name) for pair in pairs] for pairs in images]


def open_and_read(predicted: str, truth: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
    with open_pairs(Match(predicted, (truth,))) as ((pair,),):
        return pair.read(0, pair.shape[0])


def test_folders_are_matched_by_name_whatever_the_suffix(folder: Path) -> None:
    touch("maps/b.tif", "maps/a.png", "maps/a.png.aux.xml", "maps/.hidden.tif", "maps/notes.txt")
    touch("one/a.mat", "one/b.tif", "two/a.tif", "two/b.TIF")
    assert match_label_maps("maps", ["one", "two"]) == [
        Match("maps/a.png", ("one/a.mat", "two/a.tif")),
        Match("maps/b.tif", ("one/b.tif", "two/b.TIF")),
    ]


def test_a_file_takes_files_as_they_are_named_and_its_partner_in_folders(folder: Path) -> None:
    touch("a.tif", "truth/a.png", "truth/b.png", "other.png")
    assert match_label_maps(Path("a.tif"), ["other.png", Path("truth")]) == [
        Match("a.tif", ("other.png", "truth/a.png"))
    ]


@pytest.mark.parametrize(
    ("predicted", "truth", "words"),
    [
        ("maps", "fewer", r"maps/b\.tif: has no partner in fewer; put one of that name there, or"),
        ("fewer", "maps", r"maps/b\.tif: has no partner in fewer; put one of that name there, or"),
        ("maps/b.tif", "fewer", r"maps/b\.tif: has no partner in fewer; put one there named b\.png"),
        ("maps", "maps/b.tif", r"maps/b\.tif: is not a folder, but PREDICTED is one"),
        ("maps", "none", r"none: is not a folder, but PREDICTED is one"),
        ("maps", "twice", r"twice/a\.tif: has the name of twice/a\.png; keep one"),
        ("empty", "maps", r"empty: is a folder without label maps"),
    ],
)
def test_what_has_no_partner_is_named(folder: Path, predicted: str, truth: str, words: str) -> None:
    touch("maps/a.tif", "maps/b.tif", "fewer/a.tif", "twice/a.tif", "twice/a.png", "twice/b.tif", "empty/notes.txt")
    with pytest.raises(InputError, match=f"^{words}"):
        match_label_maps(predicted, [truth])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"])
def test_rasters_of_every_integer_type_are_read_by_rows(folder: Path, dtype: str) -> None:
    limits = np.iinfo(dtype)
    labels = np.array([[limits.min, 0], [1, 2], [3, limits.max]], dtype)
    write_image(folder / "a.tif", labels, **GRID)
    with open_pairs(Match("a.tif", ("a.tif",))) as ((pair,),):
        assert pair.shape == (3, 2)
        predicted, truth, left_out = pair.read(1, 3)
    for found in (predicted, truth):
        np.testing.assert_array_equal(found, labels[1:])
        assert found.dtype == dtype
    assert not left_out.any()


def test_nodata_of_either_and_the_ignored_label_count_nowhere(folder: Path) -> None:
    write_image(folder / "a.tif", LABELS, **GRID)
    write_image(folder / "b.tif", LABELS.astype(np.int16) - 4, **GRID)
    for name, nodata in (("a.tif", 0), ("b.tif", -3)):
        with rasterio.open(name, "r+") as dataset:
            dataset.nodata = nodata
    with open_pairs(Match("a.tif", ("b.tif",)), ignore=7) as ((pair,),):
        *_, left_out = pair.read(0, 3)
    np.testing.assert_array_equal(left_out, np.isin(LABELS, [0, 1, 7, 7 + 4]))
    with open_pairs(Match("a.tif", ("b.tif",)), ignore=-1000) as ((pair,),):  # which neither type can hold, or does
        *_, left_out = pair.read(1, 3)
    assert not left_out.any()


def test_a_palette_is_read_as_its_indices(folder: Path) -> None:
    image = Image.fromarray(LABELS % 3)
    image.putpalette([9, 9, 9] * 3)  # colours that would make all labels one
    image.save("a.png", transparency=2)
    predicted, _, left_out = open_and_read("a.png", "a.png")
    np.testing.assert_array_equal(predicted, LABELS % 3)
    np.testing.assert_array_equal(left_out, LABELS % 3 == 2)


def test_each_map_of_matlab_files_is_paired_with_each(folder: Path) -> None:
    save_segs("s.mat", LABELS, LABELS + 1)
    save_ground_truth("g.mat", LABELS + 2, LABELS + 3, LABELS + 4)
    write_image(folder / "t.png", LABELS)
    expected = [[(f"s.mat #{one}", f"g.mat #{two}") for two in (1, 2, 3)] for one in (1, 2)]
    assert names_of_pairs("s.mat", "g.mat") == expected
    assert names_of_pairs("g.mat", "t.png") == [[(f"g.mat #{two}", "t.png")] for two in (1, 2, 3)]
    with open_pairs(Match("s.mat", ("g.mat",))) as images:
        predicted, truth, left_out = images[1][2].read(1, 3)
    np.testing.assert_array_equal(predicted, LABELS[1:] + 1)
    np.testing.assert_array_equal(truth, LABELS[1:] + 4)
    assert left_out.shape == (2, 4)
    assert not left_out.any()


def test_a_matlab_file_of_one_map_needs_no_number(folder: Path) -> None:
    save_segs("s.mat", LABELS)
    assert names_of_pairs("s.mat", "s.mat") == [[("s.mat", "s.mat")]]


def test_what_is_no_label_map_is_refused_in_one_line(folder: Path) -> None:
    write_image(folder / "good.png", LABELS)
    write_image(folder / "float.tif", LABELS.astype(np.float32))
    write_image(folder / "colour.png", np.zeros((3, 4, 3), np.uint8))
    savemat("other.mat", {"x": LABELS, "y": 1})
    savemat("nothing.mat", {})
    savemat("matrix.mat", {"segs": LABELS})
    savemat("matrices.mat", {"groundTruth": LABELS})
    save_segs("empty.mat")
    save_segs("double.mat", LABELS.astype(float))
    save_segs("cube.mat", np.zeros((2, 2, 2), np.uint8))
    save_segs("torn.mat", np.random.default_rng(0).integers(0, 9, (99, 99)))
    Path("torn.mat").write_bytes(Path("torn.mat").read_bytes()[:-2000])
    Path("words.mat").write_text("not a matrix " * 100)
    Path("blank.mat").touch()
    refused = {
        "float.tif": r"holds float32; labels are whole numbers",
        "colour.png": r"has 3 bands; a label raster has one band",
        "none.tif": r"does not exist",
        "none.mat": r"does not exist",
        "other.mat": r"holds x, y; label maps are in groundTruth or segs",
        "nothing.mat": r"holds nothing; label maps are in groundTruth or segs",
        "matrix.mat": r"holds an array of shape \(\); a label map is H x W",
        "matrices.mat": r"is no file of the Berkeley benchmark",
        "empty.mat": r"holds no label map",
        "double.mat": r"holds float64; labels are whole numbers",
        "cube.mat": r"holds an array of shape \(2, 2, 2\)",
        "torn.mat": r"is no file of the Berkeley benchmark",
        "words.mat": r"is no file of the Berkeley benchmark",
        "blank.mat": r"is no file of the Berkeley benchmark",
    }
    for name, words in refused.items():
        for pair in ((name, "good.png"), ("good.png", name)):
            with pytest.raises(InputError, match=rf"^{name}: {words}"):
                names_of_pairs(*pair)


@pytest.mark.parametrize(
    "other",
    [
        {"crs": "EPSG:32634", "transform": GRID["transform"]},
        {"crs": GRID["crs"], "transform": (0.5, 0.0, 500_000.01, 0.0, -0.5, 5_000_000.0)},
        {"crs": GRID["crs"], "transform": (0.51, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0)},
        {"crs": GRID["crs"], "transform": (0.5, 0.01, 500_000.0, 0.0, -0.5, 5_000_000.0)},
        {"crs": GRID["crs"], "transform": (0.5, 0.0, 500_000.0, 0.0, 0.5, 5_000_000.0)},
    ],
)
def test_another_grid_is_refused_and_both_are_shown(folder: Path, other: dict[str, Any]) -> None:
    write_image(folder / "a.tif", LABELS, **GRID)
    write_image(folder / "b.tif", LABELS, **other)
    with pytest.raises(InputError) as error:
        open_and_read("a.tif", "b.tif")
    first, second = (f"has 4 x 3 pixels, {grid['crs']}, transform {list(grid['transform'])}" for grid in (GRID, other))
    assert str(error.value) == f"b.tif: {second}, but a.tif {first}; bring both to one grid"


@pytest.mark.parametrize("grid", [{}, GRID])
def test_another_size_is_refused(folder: Path, grid: dict[str, Any]) -> None:
    write_image(folder / "a.tif", LABELS, **grid)
    write_image(folder / "b.tif", LABELS[:, :3])
    with pytest.raises(InputError, match=r"^b\.tif: has 3 x 3 pixels, but a\.tif has 4 x 3 pixels"):
        open_and_read("a.tif", "b.tif")


def test_plain_images_and_rounded_coefficients_are_on_the_grid(folder: Path) -> None:
    write_image(folder / "a.tif", LABELS, **GRID)
    rounded = (0.5 + 1e-10, 0.0, 500_000.0 - 1e-6, 0.0, -0.5, 5_000_000.0)
    write_image(folder / "b.tif", LABELS, crs=GRID["crs"], transform=rounded)
    write_image(folder / "c.png", LABELS)
    save_segs("d.mat", LABELS)
    for name in ("b.tif", "c.png", "d.mat"):
        for pair in (("a.tif", name), (name, "a.tif")):
            predicted, truth, _ = open_and_read(*pair)
            np.testing.assert_array_equal(predicted, truth)
