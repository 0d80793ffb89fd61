from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from terrasift.blocks.external import bilateral
from terrasift.blocks.external.bilateral import bilateral_filter


def naive(image, smoothing, sigma, valid):
    """The definition, pixel by pixel."""
    radius = int(np.ceil(2 * sigma))
    height, width, _ = image.shape
    out = np.zeros(image.shape)
    for r in range(height):
        for c in range(width):
            if not valid[r, c]:
                continue
            total = 0.0
            for i in range(max(0, r - radius), min(height, r + radius + 1)):
                for j in range(max(0, c - radius), min(width, c + radius + 1)):
                    if valid[i, j]:
                        near = np.exp(-((i - r) ** 2 + (j - c) ** 2) / (2 * sigma**2))
                        alike = np.exp(-np.sum((image[i, j] - image[r, c]) ** 2) / (2 * smoothing))
                        out[r, c] += near * alike * image[i, j]
                        total += near * alike
            out[r, c] /= total
    return out


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(40, 15, (17, 14, 3)).astype(np.float32)


@pytest.mark.parametrize("sigma", [1.0, 1.3, 4.0])
@pytest.mark.parametrize("masked", [False, True])
def test_equals_the_definition(image, sigma, masked):
    valid = np.random.default_rng(1).random((17, 14)) < (0.6 if masked else 2)
    filtered = bilateral_filter(image, 200.0, spatial_sigma=sigma, valid=valid if masked else None)
    assert filtered.dtype == np.float32
    np.testing.assert_allclose(filtered, naive(image.astype(float), 200.0, sigma, valid), atol=1e-4)


def test_strips_leave_no_seam(monkeypatch):
    image = np.random.default_rng(0).normal(0, 20, (150, 5, 3)).astype(np.float32)
    whole = bilateral_filter(image, 100.0)
    monkeypatch.setattr(bilateral, "_STRIP_PIXELS", 1)
    np.testing.assert_allclose(bilateral_filter(image, 100.0), whole, atol=1e-4)


def test_a_wide_colour_kernel_is_a_gaussian(image):
    image = np.pad(image, ((20, 20), (20, 20), (0, 0)))
    gaussian = gaussian_filter(image, (4, 4, 0), radius=(8, 8, 0), mode="constant")
    np.testing.assert_allclose(
        bilateral_filter(image, 9e4)[10:-10, 10:-10], gaussian[10:-10, 10:-10], rtol=0.03, atol=0.05
    )


def test_an_edge_stays():
    image = np.zeros((20, 20, 3), np.float32)
    image[:, 10:] = 50
    np.testing.assert_allclose(bilateral_filter(image, 1.0), image, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (5, 2)])
def test_images_smaller_than_the_window(shape):
    image = np.full((*shape, 3), 7, np.float32)
    np.testing.assert_array_equal(bilateral_filter(image, 1.0), image)
