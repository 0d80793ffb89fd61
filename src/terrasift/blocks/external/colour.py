"""Seven colour spaces of one image: 21 channels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2hsv, rgb2lab, rgb2ycbcr, rgb2yiq

__all__ = ["colour_spaces"]


def colour_spaces(rgb: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The image in RGB, HSV, Lab, linear -> sRGB, YCbCr, YIQ, and CMY of CMYK, in this order.

    Parameters
    ----------
    rgb
        (H, W, 3), float32 in [0, 1].

    Yields
    ------
    ndarray
        (H, W, 3), float32. Lab has L in [0, 100] and a, b in about [-128, 127]; I and Q of YIQ lie in
        [-0.6, 0.6]; all others in [0, 1], with YCbCr at its studio levels (Y from 16 / 255 to 235 / 255).

    Notes
    -----
    - The ranges are those of the authors' code. They matter: the normalisation that follows divides by
      3 std + 1, so a channel counts the less the smaller its numbers are.
    - "linear -> sRGB" applies the sRGB gamma as if the values were linear light, brightening the shadows.
    - CMYK is the plain formula K = 1 - max(R, G, B), C = (1 - R - K) / (1 - K); for black, C = M = Y = 0. The authors
      also tried a printer's profile, which would tie the result to a file.
    """
    yield rgb
    yield rgb2hsv(rgb)
    yield rgb2lab(rgb)
    yield _linear_to_srgb(rgb)
    yield rgb2ycbcr(rgb) / np.float32(255)
    yield rgb2yiq(rgb)
    yield _rgb_to_cmy(rgb)


def _linear_to_srgb(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """IEC 61966-2-1."""
    curve = np.float32(1.055) * rgb ** np.float32(1 / 2.4) - np.float32(0.055)
    encoded: NDArray[np.float32] = np.where(rgb <= 0.0031308, np.float32(12.92) * rgb, curve)
    return encoded


def _rgb_to_cmy(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    brightest = rgb.max(axis=2, keepdims=True)
    cmy: NDArray[np.float32] = np.divide(brightest - rgb, brightest, out=np.zeros_like(rgb), where=brightest > 0)
    return cmy
