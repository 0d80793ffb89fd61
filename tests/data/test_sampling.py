"""Samples of patches and of windows in them: bounded, seeded, and of valid pixels only."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terrasift import Scaling
from terrasift.data import sampling
from terrasift.data.patches import Patch, PatchReader, windows_of
from terrasift.data.sampling import draw_filter_windows, draw_patches

PATCHES = [Patch("scene", window) for window in windows_of(640, 640, 64)]  # 100


def test_all_patches_are_kept_where_they_fit_and_a_seeded_few_where_not() -> None:
    assert draw_patches(PATCHES, seed=0) == PATCHES
    assert draw_patches(PATCHES, seed=0, most=640 * 640) == PATCHES
    few = draw_patches(PATCHES, seed=0, most=30 * 64 * 64)
    assert len(few) == 30
    assert few == [patch for patch in PATCHES if patch in set(few)]  # in their order
    assert few == draw_patches(PATCHES, seed=0, most=30 * 64 * 64)
    assert few != draw_patches(PATCHES, seed=1, most=30 * 64 * 64)
    assert len(draw_patches(PATCHES, seed=0, most=10)) == 1


SCALING = Scaling(dtype="float32", low=(0,), high=(1,), fill=(0,))


class NumberedReader(PatchReader):
    """Every pixel has a value of its own; nothing is valid left of column 20, where all is -1."""

    def read(self, patch: Patch, side: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        rows, columns = np.indices((side, side)) + np.array([patch.window.row, patch.window.column])[:, None, None]
        valid = columns >= 20
        values = np.where(valid, rows * 640 + columns, -1).astype(np.float32)
        return values[:, :, None], valid


def test_windows_are_cut_from_valid_pixels_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_WINDOWS", 2000)
    fine, coarse = draw_filter_windows(PATCHES, NumberedReader(SCALING), 64, seed=0)
    for windows, step in ((fine, 1), (coarse, 2)):
        assert 1800 < len(windows) < 2000
        assert windows.shape[1:] == (1, 7, 7)
        assert windows.min() >= 0
        offsets = step * (np.arange(7)[:, None] * 640 + np.arange(7))
        np.testing.assert_array_equal(
            windows[:, 0] - windows[:, 0, :1, :1], np.broadcast_to(offsets, (len(windows), 7, 7))
        )
        assert len(np.unique(windows[:, 0, 0, 0] // (64 * 640))) == 10
    again, _ = draw_filter_windows(PATCHES, NumberedReader(SCALING), 64, seed=0)
    np.testing.assert_array_equal(again, fine)
