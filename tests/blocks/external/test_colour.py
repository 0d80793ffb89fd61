from __future__ import annotations

import colorsys

import numpy as np

from terrasift.blocks.external.colour import colour_spaces


def naive_spaces(red, green, blue):
    """One pixel in the seven spaces, each from its textbook definition."""

    def linear(value):
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    def gamma(value):
        return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055

    def lab_curve(value):
        return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116

    r, g, b = linear(red), linear(green), linear(blue)
    x = lab_curve((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047)
    y = lab_curve(0.212671 * r + 0.715160 * g + 0.072169 * b)
    z = lab_curve((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883)
    brightest = max(red, green, blue)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return [
        (red, green, blue),
        colorsys.rgb_to_hsv(red, green, blue),
        (116 * y - 16, 500 * (x - y), 200 * (y - z)),
        (gamma(red), gamma(green), gamma(blue)),
        (
            (16 + 219 * luma) / 255,
            (128 + 112 * (blue - luma) / (1 - 0.114)) / 255,
            (128 + 112 * (red - luma) / (1 - 0.299)) / 255,
        ),
        (
            luma,
            0.5959 * red - 0.2746 * green - 0.3213 * blue,
            0.2115 * red - 0.5227 * green + 0.3112 * blue,
        ),
        tuple((brightest - value) / brightest if brightest else 0.0 for value in (red, green, blue)),
    ]


def test_each_space_equals_its_definition():
    rgb = np.random.default_rng(0).random((6, 7, 3)).astype(np.float32)
    rgb[0, :4] = [(0, 0, 0), (1, 1, 1), (0.002, 0.5, 1), (1, 0, 0)]
    spaces = list(colour_spaces(rgb))
    assert len(spaces) == 7
    expected = np.array([[naive_spaces(*pixel) for pixel in row] for row in rgb.tolist()])
    for index, space in enumerate(spaces):
        assert space.dtype == np.float32
        np.testing.assert_allclose(space, expected[:, :, index], atol=5e-3 if index == 2 else 1e-4, err_msg=str(index))
