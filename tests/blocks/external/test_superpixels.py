from __future__ import annotations

import numpy as np
import pytest
from skimage.segmentation import slic

from terrasift.blocks.external import superpixels as module
from terrasift.blocks.external.superpixels import lab_superpixels


@pytest.mark.parametrize(
    ("shape", "valid_share", "asked"),
    [
        ((200, 200), 1, 16),
        ((101, 60), 1, 2),
        ((100, 100), 1, 100),
        ((100, 35), 1, 35),
        ((3, 3), 1, 1),
        ((120, 2), 1, 1),
        ((200, 200), 0.5, 8),
    ],
)
def test_how_many_are_asked_for(monkeypatch, shape, valid_share, asked):
    seen = {}

    def spy(image, **settings):
        seen.update(settings)
        return slic(image, **settings)

    monkeypatch.setattr(module, "slic", spy)
    rgb = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    valid = np.ones(shape, bool)
    valid[: int(shape[0] * (1 - valid_share))] = False
    lab_superpixels(rgb, valid)
    assert (seen["n_segments"], seen["max_num_iter"]) == (asked, 10)


def test_compactness_is_in_lab_units():
    """On an image that spans black to white, skimage converts to Lab itself and compares in the same units."""
    rgb = np.kron(np.random.default_rng(0).random((10, 10, 3)), np.ones((15, 15, 1))).astype(np.float32)
    rgb[0, 0], rgb[0, 1] = 0, 1
    expected = slic(rgb, n_segments=9, compactness=20, max_num_iter=10, convert2lab=True, channel_axis=2)
    found = lab_superpixels(rgb, np.ones((150, 150), bool))
    pairs = np.unique(np.stack([found.ravel(), expected.ravel()]), axis=1)
    assert pairs.shape[1] == found.max() + 1 == len(np.unique(expected))


def test_invalid_pixels_are_in_none():
    rgb = np.random.default_rng(0).random((80, 90, 3)).astype(np.float32)
    valid = np.zeros((80, 90), bool)
    valid[10:70, 20:85] = True
    superpixels = lab_superpixels(rgb, valid)
    assert superpixels.dtype == np.int32
    assert (superpixels[~valid] == -1).all()
    assert set(np.unique(superpixels[valid]).tolist()) == set(range(superpixels.max() + 1))
