"""MATLAB files with one image or one label map are rasters like others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from terrasift import InputError, LandClass, Legend
from terrasift.data.scenes import find_masks, find_scenes
from terrasift.raster import Raster, Window, read_labels

LEGEND = Legend((LandClass("a", "#000000"), LandClass("b", "#FFFFFF")))


def noise(dtype: str, *shape: int) -> NDArray[Any]:
    return np.random.default_rng(0).integers(0, 99, shape).astype(dtype)


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 3), (20, 30, 4), (20, 30, 13)])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "int64", "float32", "float64"])
def test_values_are_read_as_they_are(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    array = noise(dtype, *shape)
    savemat(tmp_path / "a.mat", {"x": array})
    with Raster(tmp_path / "a.mat") as raster:
        values, valid = raster.read()
        window, _ = raster.read(Window(3, 5, 7, 11), bands=(1,))
        info = raster.info
    bands = array.reshape(20, 30, -1)
    assert values.dtype == np.dtype(dtype)
    assert valid.all()
    np.testing.assert_array_equal(values, bands)
    np.testing.assert_array_equal(window, bands[3:10, 5:16, :1])
    assert (info.height, info.width, info.bands, info.dtype) == (20, 30, bands.shape[2], dtype)
    assert (info.driver, info.crs, info.transform, info.alpha) == ("MATLAB", "", (1, 0, 0, 0, 1, 0), False)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["img", "gt"])
def test_img_and_gt_go_before_other_arrays(tmp_path: Path, name: str, compressed: bool) -> None:
    array = noise("uint8", 9, 8)
    content = {"other": noise("uint8", 5, 5), name: array, "words": "about it", "side": 9.0}
    savemat(tmp_path / "a.MAT", content, do_compression=compressed)
    with Raster(tmp_path / "a.MAT") as raster:
        np.testing.assert_array_equal(raster.read()[0][:, :, 0], array)


@pytest.mark.parametrize("dtype", ["int32", "int16", "float64"])
def test_labels_are_indices_and_minus_one_and_255_count_nowhere(tmp_path: Path, dtype: str) -> None:
    savemat(tmp_path / "a.mat", {"gt": np.array([[0, 1], [-1, 255]], dtype)})
    np.testing.assert_array_equal(read_labels(tmp_path / "a.mat", LEGEND), [[0, 1], [255, 255]])
    savemat(tmp_path / "a.mat", {"gt": np.array([[0, 2], [-2, 255]], dtype)})
    with pytest.raises(InputError, match=r"a\.mat: holds class indices that the classes file does not name: -2, 2; "):
        read_labels(tmp_path / "a.mat", LEGEND)


def test_folders_of_them_are_searched(tmp_path: Path) -> None:
    for path in ("imgs/7.mat", "imgs/12.mat", "gt/7.mat", "gt/12.mat"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        savemat(tmp_path / path, {"x": noise("uint8", 20, 20)})
    scenes = find_scenes(tmp_path / "imgs")
    assert scenes == [str(tmp_path / "imgs" / name) for name in ("12.mat", "7.mat")]
    assert find_masks(scenes, tmp_path / "gt") == [tmp_path / "gt" / name for name in ("12.mat", "7.mat")]


def save_torn(path: Path) -> None:
    savemat(path, {"img": noise("uint8", 99, 99)})
    path.write_bytes(path.read_bytes()[:-2000])


def save_cells(path: Path) -> None:
    cell = np.empty((1, 1), object)
    cell[0, 0] = {"Segmentation": noise("uint16", 9, 9)}
    savemat(path, {"groundTruth": cell})


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (lambda path: None, "does not exist; check the path"),
    "torn": (save_torn, "is not a raster that can be opened ("),
    "blank": (Path.touch, "is not a MATLAB file that can be read ("),
    "words": (lambda path: path.write_text("not a matrix " * 100), "is not a MATLAB file that can be read ("),
    "hdf": (lambda path: path.write_bytes(b"MATLAB 7.3".ljust(124) + b"\0\2IM"), "is a MATLAB file of version 7.3; "),
    "cells": (save_cells, "holds groundTruth (1 x 1), not one image; save one numeric array, H x W or"),
    "nothing": (lambda path: savemat(path, {}), "holds nothing, not one image; "),
    "number": (lambda path: savemat(path, {"x": 5}), "holds x (1 x 1), not one image; "),
    "complex": (lambda path: savemat(path, {"x": noise("complex64", 9, 9)}), "holds x (9 x 9), not one image; "),
    "cube": (lambda path: savemat(path, {"x": noise("uint8", 2, 2, 2, 2)}), "holds x (2 x 2 x 2 x 2), not one"),
    "two": (
        lambda path: savemat(path, {"x": noise("uint8", 9, 9), "y": noise("uint8", 9, 9, 3)}),
        "holds x (9 x 9), y (9 x 9 x 3), not one image; ",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_holds_no_single_image_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    make, line = BAD[name]
    path = tmp_path / f"{name}.mat"
    make(path)
    with pytest.raises(InputError) as error:
        Raster(path)
    assert str(error.value).startswith(f"{path}: {line}")
    assert "\n" not in str(error.value)
