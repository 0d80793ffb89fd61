"""Which images are meant: folders, patterns, lists; and one line for each way in which they cannot be used."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import numpy as np
import pytest

from terrasift import InputError
from terrasift.data.scenes import check_alike, check_no_labels, describe_scenes, find_masks, find_scenes
from terrasift.raster import RasterInfo, write_image


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: images/{b.tif, a.png, .hidden.tif, notes.txt, a.png.aux.xml} and images/deep/c.JPG."""
    monkeypatch.chdir(tmp_path)
    image = np.zeros((20, 30, 3), np.uint8)
    for name in ("b.tif", "a.png", ".hidden.tif", "deep/c.jpg"):
        write_image(Path("images") / name, image)
    Path("images/deep/c.jpg").rename("images/deep/c.JPG")
    for name in ("notes.txt", "a.png.aux.xml"):
        (Path("images") / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (["images"], ["images/a.png", "images/b.tif"]),
        (["./images/"], ["images/a.png", "images/b.tif"]),
        (["images/*"], ["images/a.png", "images/b.tif"]),
        (["images/*.tif"], ["images/b.tif"]),
        (["images/**/*"], ["images/a.png", "images/b.tif", "images/deep/c.JPG"]),
        (["images/deep", "images/b.tif"], ["images/deep/c.JPG", "images/b.tif"]),
        (["images/b.tif", "./images/b.tif", "images"], ["images/b.tif", "images/a.png"]),  # each once
        ("images/*.tif", ["images/b.tif"]),  # one name alone is no list of letters
        (Path("images"), ["images/a.png", "images/b.tif"]),
        (["/vsicurl/https://example.org/a.tif"], ["/vsicurl/https://example.org/a.tif"]),
        (["NETCDF:a.nc:band"], ["NETCDF:a.nc:band"]),
        (["none.tif"], ["none.tif"]),  # opening it says that it does not exist
    ],
)
def test_names_become_images(tree: Path, inputs: list[str], expected: list[str]) -> None:
    assert find_scenes(inputs) == [name.replace("/", os.sep) if "images" in name else name for name in expected]


def test_a_name_with_brackets_is_that_file(tree: Path) -> None:
    Path("images/b.tif").rename("images/b[1].tif")
    assert find_scenes(["images/b[1].tif"]) == ["images/b[1].tif"]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([], r"images: none given; name files"),
        (["empty"], r"empty: is a folder without images; name a folder that holds rasters"),
        (["images/*.jp2"], r"images/\*\.jp2: matches no image; check the pattern"),
        (["images", "nothing/*"], r"nothing/\*: matches no image"),
    ],
)
def test_names_without_an_image_are_refused(tree: Path, inputs: list[str], words: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(InputError, match=words):
        find_scenes(inputs)


@pytest.mark.parametrize("line", ["a\0b.tif", "a\0/*.tif"])
def test_a_list_with_what_is_no_path_is_refused_with_its_line(tree: Path, line: str) -> None:
    Path("list.txt").write_text(f"images/b.tif\n{line}\n")
    with pytest.raises(InputError, match=r"list\.txt:2: .* is no path; write one path on a line"):
        find_scenes(["list.txt"])


def test_paths_may_come_one_by_one_but_arrays_may_not(tree: Path) -> None:
    assert find_scenes(Path(name) for name in ("images/b.tif", "images/a.png")) == ["images/b.tif", "images/a.png"]
    for wrong in (np.zeros((16, 16, 3)), [np.zeros((16, 16))], [7]):
        with pytest.raises(InputError, match=r"images: one is of type \w+, not a path; name files"):
            find_scenes(wrong)  # type: ignore[arg-type]


def test_files_that_are_left_out_are_said(tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    find_scenes(["images"])
    assert not caplog.records
    Path("images/model.bin").touch()
    with caplog.at_level(logging.WARNING):
        find_scenes(["images"])
    assert "left out 1 files that are not images: model.bin" in caplog.text


def test_small_images_are_refused_with_their_size(tmp_path: Path) -> None:
    write_image(tmp_path / "dot.tif", np.zeros((1, 1), np.uint8))
    with pytest.raises(InputError, match=r"dot\.tif: has only 1 x 1 pixels; use images of at least 16 x 16"):
        describe_scenes([str(tmp_path / "dot.tif")])


def test_images_that_differ_are_named(tmp_path: Path) -> None:
    def info(name: str, dtype: str, bands: int) -> RasterInfo:
        write_image(tmp_path / name, np.zeros((20, 20, bands), dtype))
        return describe_scenes([str(tmp_path / name)])[0]

    rgb, wide, four = info("rgb.tif", "uint8", 3), info("wide.tif", "uint16", 3), info("four.tif", "uint8", 4)
    check_alike([rgb, rgb], None)
    check_alike([rgb, four], (1, 2, 3))
    with pytest.raises(InputError, match=r"wide\.tif: holds uint16, but .*rgb\.tif holds uint8"):
        check_alike([rgb, wide], None)
    with pytest.raises(InputError, match=r"four\.tif: has 4 bands, but .*rgb\.tif has 3; .*`bands="):
        check_alike([rgb, four], None)
    with pytest.raises(InputError, match=r"rgb\.tif: has no band 4; its bands are 1 to 3"):
        check_alike([four, rgb], (4, 1))


def test_masks_are_found_by_name_whatever_the_suffix(tree: Path) -> None:
    mask = np.zeros((20, 30), np.uint8)
    for name in ("a.tif", "b.png", "other.png"):
        write_image(Path("masks") / name, mask)
    Path("masks/a.tif.aux.xml").touch()
    assert find_masks(["images/a.png", "images/b.tif"], "masks") == [Path("masks/a.tif"), Path("masks/b.png")]
    with pytest.raises(InputError, match=r"c\.JPG: has no mask in masks; put one there named c\.png or \.tif"):
        find_masks(["images/deep/c.JPG"], "masks")
    with pytest.raises(InputError, match=r"other/a\.png: has the same mask as images/a\.png"):
        find_masks(["images/a.png", "other/a.png"], "masks")
    write_image(Path("masks/b.tif"), mask)
    with pytest.raises(InputError, match=r"b\.tif: has 2 masks in masks: b\.png, b\.tif; keep one"):
        find_masks(["images/b.tif"], "masks")
    with pytest.raises(InputError, match="none: is not a folder"):
        find_masks(["images/b.tif"], "none")


@pytest.fixture
def tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two places as data sets lay them out: images of one name in both, each beside its masks."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    for place in ("Tile 1", "Tile 2"):
        write_image(Path(place, "images", "part.jpg.tif"), generator.integers(0, 255, (64, 64, 3), np.uint8))
        write_image(Path(place, "masks", "part.jpg.png"), generator.integers(0, 3, (64, 64), np.uint8))
    return tmp_path


def test_the_hint_for_a_folder_of_folders_matches(tiles: Path) -> None:
    with pytest.raises(InputError) as error:
        find_scenes([tiles])
    pattern = re.findall(r"write '(.*)'", str(error.value))[0]
    assert find_scenes([pattern]) == [str(tiles / place / "images" / "part.jpg.tif") for place in ("Tile 1", "Tile 2")]


def test_masks_are_found_beside_images_or_in_the_folders_named(tiles: Path) -> None:
    scenes = find_scenes("Tile */images/*.tif")
    masks = [Path(place, "masks", "part.jpg.png") for place in ("Tile 1", "Tile 2")]
    assert find_masks(scenes, [mask.parent for mask in masks]) == masks
    assert find_masks(scenes) == [mask.absolute() for mask in masks]
    assert find_masks(scenes[:1], "Tile 2/masks") == masks[1:]
    with pytest.raises(InputError, match="has the same mask as"):
        find_masks(scenes, "Tile 1/masks")
    Path("Tile 2/masks").rename("Tile 2/truth")
    with pytest.raises(InputError, match="masks: is not a folder; name the folder of the masks"):
        find_masks(scenes)


def test_masks_among_images_are_refused(tiles: Path) -> None:
    scenes = find_scenes("**/*")
    assert len(scenes) == 4
    with pytest.raises(InputError, match=r"masks/part\.jpg\.png: holds only 3 colours: it is a mask"):
        check_no_labels(describe_scenes(scenes))
    check_no_labels(describe_scenes(find_scenes("**/images/*")))
