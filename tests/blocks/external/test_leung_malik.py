from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import correlate

from terrasift.blocks.external.leung_malik import leung_malik_bank, leung_malik_responses


def gauss1d(sigma, x, order):
    variance = sigma**2
    value = math.exp(-(x * x) / (2 * variance)) / math.sqrt(math.pi * 2 * variance)
    return {
        0: value,
        1: -value * x / variance,
        2: value * (x * x - variance) / variance**2,
    }[order]


def naive_bank():
    """The published bank, value by value: y points up, angles turn from 0 to 150 degrees."""
    bank = []
    for order in (1, 2):
        for scale in (math.sqrt(2), 2.0, 2 * math.sqrt(2)):
            for orientation in range(6):
                cosine, sine = math.cos(math.pi * orientation / 6), math.sin(math.pi * orientation / 6)
                kernel = np.zeros((49, 49))
                for row in range(49):
                    for column in range(49):
                        x, y = column - 24, 24 - row
                        along, across = cosine * x - sine * y, sine * x + cosine * y
                        kernel[row, column] = gauss1d(3 * scale, along, 0) * gauss1d(scale, across, order)
                bank.append(kernel)
    for power in (1, 2, 3, 4):
        sigma = math.sqrt(2) ** power
        squares = np.add.outer((np.arange(49) - 24.0) ** 2, (np.arange(49) - 24.0) ** 2)
        gaussian = np.exp(-squares / (2 * sigma**2))
        bank.append(gaussian / gaussian.sum())
        for s in (sigma, 3 * sigma):
            gaussian = np.exp(-squares / (2 * s**2))
            log = gaussian * (squares - 2 * s**2) / (s**4 * gaussian.sum())
            bank.append(log - log.mean())
    return np.array([(k - k.mean()) / np.abs(k - k.mean()).sum() for k in bank])


def test_zero_mean_and_unit_norm():
    bank = leung_malik_bank()
    assert bank.shape == (48, 49, 49)
    np.testing.assert_allclose(bank.mean(axis=(1, 2)), 0, atol=1e-17)
    np.testing.assert_allclose(np.abs(bank).sum(axis=(1, 2)), 1, rtol=1e-12)


def test_equals_the_published_formulas():
    np.testing.assert_allclose(leung_malik_bank(), naive_bank(), atol=1e-14)


def test_edges_are_odd_and_bars_even():
    bank = leung_malik_bank()
    turned = bank[:, ::-1, ::-1]
    np.testing.assert_allclose(bank[:18], -turned[:18], atol=1e-15)
    np.testing.assert_allclose(bank[18:], turned[18:], atol=1e-15)


def test_the_bank_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        leung_malik_bank()[0] = 0


@pytest.mark.parametrize("shape", [(35, 28, 3), (60, 51, 1), (1, 1, 3)])
def test_responses_equal_correlation(shape):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    responses = np.array(list(leung_malik_responses(image)))
    assert responses.shape == (18, *shape)
    assert responses.dtype == np.float32
    bank = naive_bank()
    for band in range(shape[2]):
        plane = image[..., band].astype(np.float64)
        single = np.array([correlate(plane, kernel, mode="nearest") for kernel in bank])
        expected = np.concatenate([single[:36].reshape(6, 6, *shape[:2]).max(axis=1), single[36:]])
        np.testing.assert_allclose(responses[..., band], expected, atol=1e-6)


def test_a_flat_image_has_no_texture():
    for response in leung_malik_responses(np.full((30, 40, 3), 0.7, np.float32)):
        np.testing.assert_allclose(response, 0, atol=1e-6)
