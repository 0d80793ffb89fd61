"""Patches cover their scene, leave out what is mostly nodata, and are read one window at a time."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from terrasift import InputError, Scaling
from terrasift.data.patches import Patch, PatchReader, RawReader, index_patches, windows_of
from terrasift.data.scenes import describe_scenes
from terrasift.raster import Raster, RasterInfo, Window, write_image

SCALING = Scaling(dtype="float32", low=(0.0,), high=(10.0,), fill=(0.25,))


def float_scene(path: Path, array: NDArray[Any]) -> RasterInfo:
    write_image(path, array.astype(np.float32))
    return describe_scenes([str(path)])[0]


@given(st.integers(1, 700), st.integers(1, 700), st.integers(16, 300))
def test_windows_cover_a_scene_and_stay_inside(height: int, width: int, side: int) -> None:
    covered = np.zeros((height, width), bool)
    windows = windows_of(height, width, side)
    for window in windows:
        assert (window.height, window.width) == (min(side, height), min(side, width))
        assert 0 <= window.row <= height - window.height
        assert 0 <= window.column <= width - window.width
        covered[window.row : window.row + window.height, window.column : window.column + window.width] = True
    assert covered.all()
    assert len(windows) == len(set(windows)) == -(-height // side) * -(-width // side)  # no more than it takes


def test_windows_that_are_mostly_invalid_are_left_out(tmp_path: Path) -> None:
    array = np.ones((100, 150), np.float32)
    array[:50, :50] = np.nan  # all of it
    array[:50, 50:76] = np.nan  # 52 %
    array[50:, :25] = np.nan  # 50 %
    info = float_scene(tmp_path / "a.tif", array)
    kept = {(patch.window.row, patch.window.column) for patch in index_patches([info], 50, 0.5)}
    assert kept == {(0, 100), (50, 0), (50, 50), (50, 100)}
    assert len(index_patches([info], 50, 0.48)) == 5
    assert len(index_patches([info], 50, 1.0)) == 3


def test_only_the_bands_asked_for_must_be_valid(tmp_path: Path) -> None:
    array = np.ones((32, 32, 2), np.float32)
    array[:, :, 1] = np.nan
    info = float_scene(tmp_path / "a.tif", array)
    assert len(index_patches([info], 32, 1.0, bands=(1,))) == 1
    with pytest.raises(InputError, match=r"a\.tif: no window of 32 px has 100% valid pixels; check nodata, or lower"):
        index_patches([info], 32, 1.0)


def test_scenes_that_cannot_be_invalid_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(tmp_path / "a.tif", np.ones((40, 90), np.uint8))
    infos = describe_scenes([str(tmp_path / "a.tif")])
    monkeypatch.setattr(Raster, "read", None)
    assert [patch.window for patch in index_patches(infos, 40, 0.5)] == windows_of(40, 90, 40)


def test_no_more_than_a_window_is_ever_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.random.default_rng(0).random((300, 500))
    array[:100, :100] = np.nan
    info = float_scene(tmp_path / "a.tif", array)
    read, windows = Raster.read, []

    def spy(self: Raster, window: Window | None = None, bands: Any = None) -> Any:
        windows.append(window)
        return read(self, window, bands)

    monkeypatch.setattr(Raster, "read", spy)
    patches = index_patches([info], 64, 0.5)
    with PatchReader(scaling=SCALING) as reader:
        for patch in patches:
            reader.read(patch, 64)
    assert len(windows) == len(windows_of(300, 500, 64)) + len(patches)
    assert all(window is not None and window.height * window.width <= 64 * 64 for window in windows)


def test_a_patch_is_scaled_and_filled(tmp_path: Path) -> None:
    array = np.random.default_rng(0).uniform(-5, 15, (64, 64))
    array[3, 4] = np.nan
    float_scene(tmp_path / "a.tif", array)
    with PatchReader(scaling=SCALING) as reader:
        image, valid = reader.read(Patch(str(tmp_path / "a.tif"), Window(0, 0, 64, 64)), 64)
    assert (image.shape, image.dtype, valid.shape) == ((64, 64, 1), np.float32, (64, 64))
    assert np.argwhere(~valid).tolist() == [[3, 4]]
    assert image[3, 4, 0] == 0.25
    expected = np.clip(array / 10, 0, 1)
    np.testing.assert_allclose(image[valid][:, 0], expected[valid], atol=1e-6)


@pytest.mark.parametrize("size", [(20, 30), (20, 90), (90, 20)])
def test_a_scene_smaller_than_a_patch_is_used_whole_and_padded(tmp_path: Path, size: tuple[int, int]) -> None:
    info = float_scene(tmp_path / "a.tif", np.full(size, 5.0))
    patches = index_patches([info], 64, 1.0)
    assert {(patch.window.height, patch.window.width) for patch in patches} == {(min(size[0], 64), min(size[1], 64))}
    height, width = min(size[0], 64), min(size[1], 64)
    with PatchReader(scaling=SCALING) as reader:
        for patch in patches:
            image, valid = reader.read(patch, 64)
            assert image.shape == (64, 64, 1)
            assert valid[:height, :width].all()
            assert valid.sum() == height * width
            assert (image[valid] == 0.5).all()
            assert (image[~valid] == 0.25).all()


def test_few_scenes_are_open_at_once_and_all_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Raster] = []
    closed: list[Raster] = []
    start, close = Raster.__init__, Raster.close
    monkeypatch.setattr(Raster, "__init__", lambda self, *a, **k: (opened.append(self), start(self, *a, **k))[1])
    monkeypatch.setattr(Raster, "close", lambda self: (closed.append(self), close(self))[1])
    for number in range(20):
        write_image(tmp_path / f"{number}.tif", np.full((16, 16), number, np.uint8))
    with RawReader() as reader:
        for number in [*range(20), 19, 0]:
            values, _ = reader.raw(Patch(str(tmp_path / f"{number}.tif"), Window(0, 0, 16, 16)))
            assert (values == number).all()
            assert len(opened) - len(closed) <= 16
    assert len(opened) == 21  # the twentieth was still open, the first no more
    assert {id(raster) for raster in opened} == {id(raster) for raster in closed}


def test_a_reader_can_be_sent_to_another_process(tmp_path: Path) -> None:
    float_scene(tmp_path / "a.tif", np.full((16, 16), 5.0))
    patch = Patch(str(tmp_path / "a.tif"), Window(0, 0, 16, 16))
    with PatchReader(scaling=SCALING) as reader:
        reader.read(patch, 16)
        with pickle.loads(pickle.dumps(reader)) as copy:
            np.testing.assert_array_equal(copy.read(patch, 16)[0], reader.read(patch, 16)[0])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_reader_opens_its_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GDAL's handles share one position in the file with the parent: both would read garbage."""
    float_scene(tmp_path / "a.tif", np.full((16, 16), 5.0))
    patch = Patch(str(tmp_path / "a.tif"), Window(0, 0, 16, 16))
    opened = multiprocessing.get_context("fork").Value("i", 0)
    start = Raster.__init__

    def counted(self: Raster, *arguments: Any, **options: Any) -> None:
        opened.value += 1
        start(self, *arguments, **options)

    monkeypatch.setattr(Raster, "__init__", counted)
    with RawReader() as reader:
        reader.raw(patch)
        process = multiprocessing.get_context("fork").Process(target=reader.raw, args=(patch,))
        process.start()
        process.join()
        reader.raw(patch)
    assert process.exitcode == 0
    assert opened.value == 2
