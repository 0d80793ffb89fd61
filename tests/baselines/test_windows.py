"""A scene cut into windows, each an image of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrasift import InputError, Scaling
from terrasift.baselines.windows import SegmentImage, WindowSegmenter, even_windows
from terrasift.raster import Raster, write_image


class Windows(WindowSegmenter):
    """Each window by a function."""

    def __init__(self, segment: SegmentImage, scaling: Scaling) -> None:
        super().__init__(scaling)
        self.clusters = 8
        self._function = segment

    def _clusters(self, image: np.ndarray, valid: np.ndarray) -> np.ndarray:
        return self._function(image, valid)


@given(st.integers(1, 100), st.integers(1, 100), st.integers(8, 110))
def test_windows_cover_a_scene_once_and_are_nearly_equal(height: int, width: int, most: int) -> None:
    seen = np.zeros((height, width), int)
    windows = even_windows(height, width, most)
    for window in windows:
        seen[window.row : window.row + window.height, window.column : window.column + window.width] += 1
    assert (seen == 1).all()
    for sides in ([window.height for window in windows], [window.width for window in windows]):
        assert max(sides) <= most
        assert max(sides) - min(sides) <= 1
    assert len(windows) == -(-height // most) * -(-width // most)


def test_the_segmenter_sees_scaled_values_and_the_mean_where_there_is_no_data(plant: Callable[..., Any]) -> None:
    planted = plant(hole=16)
    seen = []

    def segment(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
        seen.append((image, valid))
        return np.full(valid.shape, 7)

    part = planted.segment(Windows(segment, planted.scaling))
    ((image, valid),) = seen
    with Raster(planted.path) as raster:
        raw, _ = raster.read()
    np.testing.assert_array_equal(valid, planted.valid)
    np.testing.assert_allclose(image[valid], raw[valid] / 255, atol=1e-6)
    assert (image[~valid] == 0.5).all()
    np.testing.assert_array_equal(part.clusters[0], np.where(planted.valid, 7, 0))
    np.testing.assert_array_equal(part.valid, planted.valid)


def test_a_window_without_data_is_not_segmented(plant: Callable[..., Any]) -> None:
    planted = plant(hole=64)

    def refuse(*_: object) -> np.ndarray:
        raise AssertionError

    part = planted.segment(Windows(refuse, planted.scaling))
    assert not part.clusters[0].any()
    assert not part.valid.any()


def test_a_scene_that_does_not_fit_is_refused(plant: Callable[..., Any], tmp_path: Any) -> None:
    four = Scaling(dtype="uint8", low=(0,) * 4, high=(255,) * 4, fill=(0,) * 4)
    with pytest.raises(InputError, match="3 bands"):
        plant().segment(Windows(lambda *_: np.zeros(1, int), four))
    small = tmp_path / "small.tif"
    write_image(small, np.zeros((64, 8, 4), np.uint8))
    with Raster(small) as raster, pytest.raises(InputError, match="8 x 64"):
        next(Windows(lambda *_: np.zeros(1, int), four).segment(raster))
