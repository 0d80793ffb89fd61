"""The Leung-Malik filter bank: edges, bars and spots at several sizes and orientations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["leung_malik_bank", "leung_malik_responses"]

_SUPPORT = 49
_ORIENTATIONS = 6
_ELONGATION = 3
_OSCILLATING = 36  # the bank's first filters: 18 edges, then 18 bars


@lru_cache(maxsize=1)
def leung_malik_bank() -> NDArray[np.float64]:
    """The 48 filters.

    Returns
    -------
    ndarray
        (48, 49, 49), float64, read-only; each filter has zero mean and unit L1 norm. 18 edges (first derivative of an
        elongated Gaussian across its short axis; sigma sqrt(2)^{1, 2, 3} there and three times that along it, 6
        orientations each), 18 bars (second derivative, the same), then for each sigma in sqrt(2)^{1, 2, 3, 4} a
        Gaussian, a Laplacian of Gaussian, and a Laplacian of Gaussian of three times the sigma.

    Notes
    -----
    Every filter is normalised by subtracting its mean, then dividing by its L1 norm. So even the Gaussians
    have zero mean, as in the bank's published code: they measure a spot against its surroundings.

    References
    ----------
    Leung and Malik, "Representing and Recognizing the Visual Appearance of Materials using Three-dimensional Textons",
    IJCV 2001. The bank's details: Varma and Zisserman, https://www.robots.ox.ac.uk/~vgg/research/texclass/filters.html

    Examples
    --------
    >>> bank = leung_malik_bank()
    >>> bank.shape
    (48, 49, 49)
    >>> bool(abs(bank.mean(axis=(1, 2))).max() < 1e-15)
    True
    """
    half = _SUPPORT // 2
    up, right = np.mgrid[half : -half - 1 : -1, -half : half + 1].astype(np.float64)
    scales = np.sqrt(2) ** np.arange(1, 4)
    angles = np.pi * np.arange(_ORIENTATIONS) / _ORIENTATIONS
    oscillating = [
        _gaussian(_ELONGATION * scale, np.cos(angle) * right - np.sin(angle) * up)
        * derivative(scale, np.sin(angle) * right + np.cos(angle) * up)
        for derivative in (_gaussian_slope, _gaussian_curvature)
        for scale in scales
        for angle in angles
    ]
    radius = np.hypot(up, right)
    round_ones = [
        spot
        for scale in np.sqrt(2) ** np.arange(1, 5)
        for spot in (
            _gaussian(scale, radius),
            _laplacian_of_gaussian(scale, radius),
            _laplacian_of_gaussian(3 * scale, radius),
        )
    ]
    bank = np.stack(oscillating + round_ones)
    bank -= bank.mean(axis=(1, 2), keepdims=True)
    bank /= np.abs(bank).sum(axis=(1, 2), keepdims=True)
    bank.flags.writeable = False
    return bank


def leung_malik_responses(image: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Correlate each band with the bank, and keep of the oriented filters the strongest of 6 orientations.

    Parameters
    ----------
    image
        (H, W, bands), float32 in [0, 1].

    Yields
    ------
    ndarray
        (H, W, bands), float32: 18 times, 3 scales of edges, 3 scales of bars, 12 spots. One at a time, since all
        18 of a large image would fill the memory.

    Notes
    -----
    - "Strongest" is the largest signed response, as the authors have it, not the largest magnitude.
    - Beyond the frame the image goes on with its outermost pixels. The authors' zeros would draw a strong false
      edge all around it, 24 pixels wide.
    - The filters act through the Fourier transform in single precision: errors stay below 1e-6.
    """
    half = _SUPPORT // 2
    height, width = image.shape[:2]
    padded = np.pad(np.moveaxis(image, 2, 0), ((0, 0), (half, half), (half, half)), mode="edge")
    # The circular wrap of the transform may reach the padding, which is cut off, so no more room is needed.
    size = [fft.next_fast_len(length, real=True) for length in padded.shape[1:]]
    spectrum = fft.rfft2(padded, s=size)

    def respond(kernel: NDArray[np.float64]) -> NDArray[np.float32]:
        turned = fft.rfft2(kernel[::-1, ::-1].astype(np.float32), s=size)
        response: NDArray[np.float32] = fft.irfft2(spectrum * turned, s=size)
        return response[:, 2 * half : 2 * half + height, 2 * half : 2 * half + width]

    bank = leung_malik_bank()
    for first in range(0, _OSCILLATING, _ORIENTATIONS):
        strongest = respond(bank[first])
        for kernel in bank[first + 1 : first + _ORIENTATIONS]:
            np.maximum(strongest, respond(kernel), out=strongest)
        yield np.moveaxis(strongest, 0, 2)
    for kernel in bank[_OSCILLATING:]:
        yield np.moveaxis(respond(kernel), 0, 2)


def _gaussian(sigma: float, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A Gaussian without its factor, which the normalisation of the bank would undo."""
    return np.exp(-(distance**2) / (2 * sigma**2))


def _gaussian_slope(sigma: float, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return -distance * _gaussian(sigma, distance)


def _gaussian_curvature(sigma: float, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return (distance**2 - sigma**2) * _gaussian(sigma, distance)


def _laplacian_of_gaussian(sigma: float, radius: NDArray[np.float64]) -> NDArray[np.float64]:
    return (radius**2 - 2 * sigma**2) * _gaussian(sigma, radius)
