from __future__ import annotations

import statistics

import numpy as np
import pytest
from scipy.ndimage import correlate

from terrasift.blocks.external.colour import colour_spaces
from terrasift.blocks.external.features import superpixel_features
from terrasift.blocks.external.leung_malik import leung_malik_bank


def gradient(values, row, column):
    """Half the difference of the horizontal neighbours; one-sided at the frame."""
    left, right = max(0, column - 1), min(values.shape[1] - 1, column + 1)
    return (values[row, right] - values[row, left]) / (right - left) if right > left else 0.0


def naive_features(rgb, superpixels):
    """Loops over superpixels, images, statistics, channels and pixels."""
    images = [space.astype(np.float64) for space in colour_spaces(rgb)]
    single = [
        np.stack([correlate(rgb[..., c].astype(np.float64), kernel, mode="nearest") for c in range(3)], axis=2)
        for kernel in leung_malik_bank()
    ]
    images += [np.maximum.reduce(single[first : first + 6]) for first in range(0, 36, 6)] + single[36:]
    table = []
    for region in range(superpixels.max() + 1):
        places = [(int(r), int(c)) for r, c in np.argwhere(superpixels == region)]
        row = []
        for image in images:
            columns = []
            for channel in range(3):
                values = [float(image[r, c, channel]) for r, c in places]
                columns.append(
                    (
                        statistics.fmean(values),
                        statistics.stdev(values) if len(values) > 1 else 0.0,
                        statistics.median(values),
                        statistics.fmean([value * value for value in values]),
                        statistics.fmean([gradient(image[..., channel], r, c) for r, c in places]),
                    )
                )
            row += [columns[channel][statistic] for statistic in range(5) for channel in range(3)]
        table.append(row)
    return np.array(table)


@pytest.fixture
def rgb():
    return np.random.default_rng(3).random((23, 19, 3)).astype(np.float32)


def test_the_375_features_equal_naive_loops(rgb):
    superpixels = np.random.default_rng(4).integers(-1, 9, (23, 19)).astype(np.int32)
    superpixels[5, 5] = 9  # one of a single pixel
    features = superpixel_features(rgb, superpixels)
    assert features.shape == (10, 375)
    expected = naive_features(rgb, superpixels)
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_thin_images(shape):
    rgb = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    superpixels = (np.arange(shape[0] * shape[1]) // 4).reshape(shape).astype(np.int32)
    np.testing.assert_allclose(
        superpixel_features(rgb, superpixels), naive_features(rgb, superpixels), rtol=1e-5, atol=1e-5
    )


def test_a_superpixel_does_not_see_the_numbers_of_others(rgb):
    """Swapping two numbers swaps two rows and nothing else."""
    superpixels = (np.arange(23 * 19) // 110).reshape(23, 19).astype(np.int32)
    order = np.array([2, 0, 3, 1])
    np.testing.assert_array_equal(
        superpixel_features(rgb, order[superpixels].astype(np.int32))[order], superpixel_features(rgb, superpixels)
    )
