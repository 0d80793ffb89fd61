"""A dictionary of small filters, learned from the images themselves: what texture there is, in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from terrasift.blocks.thinning import Origin

__all__ = ["FILTERS", "FILTER_SIDE", "dictionary_responses", "half_resolution", "learn_filters", "rectified"]

FILTER_SIDE = 7
"""Rows and columns of a filter, pixels."""

FILTERS = 48
"""At each resolution."""

_ROUNDS = 15  # of k-means
_REGULARISATION = 0.01  # of the largest variance of a direction: those far below it are noise, and stay small
_THRESHOLD = 0.25  # a weaker response is none
_NO_TEXTURE = 1e-9  # of a band's variance: that much is rounding
_MOST_COMPONENTS = 10  # of many bands: with more, windows have thousands of numbers


def learn_filters(windows: NDArray[Any], count: int = FILTERS, seed: int = 0) -> NDArray[np.float32]:
    """Filters that windows of the images are made of: whitened, then clustered by direction.

    Parameters
    ----------
    windows
        (n, bands, side, side), floats in [0, 1]: drawn at random, all pixels valid.
    count
        F, filters.
    seed
        Of the first centres.

    Returns
    -------
    ndarray
        (F, bands, side, side), float32. The convolution of an image with one of them, in the sense of neural networks,
        says how much of that pattern each window holds. A constant added to all bands, in deviations of each, changes
        nothing: one band that is constant gives 0. Where there is no texture at all, all filters are 0.

    Notes
    -----
    Bands are first brought to unit deviation, so that one that varies much does not drown the others, and more than
    ten to their ten principal components. A window's mean over all its numbers is subtracted. Whitening is ZCA with
    0.01 of the largest eigenvalue added to all, clustering 15 rounds of spherical k-means.

    References
    ----------
    Coates and Ng, "Learning Feature Representations with K-Means", Neural Networks: Tricks of the Trade, 2012.
    Rolf et al., "A generalizable and accessible approach to machine learning with global satellite imagery", Nature
    Communications 12, 2021.
    """
    side = windows.shape[2]
    generator = np.random.default_rng(seed)
    mixing = _band_mixing(windows)
    points = np.einsum("cb,nbij->ncij", mixing, windows.astype(np.float64)).reshape(len(windows), -1)
    points -= points.mean(axis=1, keepdims=True)
    variances, directions = np.linalg.eigh(points.T @ points / len(points))
    largest = float(variances[-1])
    if largest < _NO_TEXTURE:
        return np.zeros((count, *windows.shape[1:]), np.float32)
    whitening = directions / np.sqrt(np.maximum(variances, 0) + _REGULARISATION * largest) @ directions.T
    centres = _spherical_kmeans(points @ whitening, count, generator)
    filters = centres @ whitening
    filters -= filters.mean(axis=1, keepdims=True)  # instead of the window's mean
    filters = np.einsum("cb,fcij->fbij", mixing, filters.reshape(count, len(mixing), side, side))
    learned: NDArray[np.float32] = filters.astype(np.float32)
    return learned


def dictionary_responses(images: Tensor, filters: Tensor, origin: Origin | None = None) -> Tensor:
    """What each filter finds, and what its negative does, at every pixel.

    Parameters
    ----------
    images
        (N, bands, H, W).
    filters
        (F, bands, side, side), side odd.
    origin
        Where one pixel in four is looked at, from here on (`blocks.thinning`).

    Returns
    -------
    Tensor
        (N, 2 F, H, W), not negative: ``relu(y - 0.25)`` and ``relu(-y - 0.25)``. Edges are reflected.
    """
    reflected = _reflected(images, filters.shape[-1] // 2)
    if origin is None:
        return rectified(functional.conv2d(reflected, filters))
    row, column = origin
    return rectified(functional.conv2d(reflected[..., row:, column:], filters, stride=2))


def rectified(found: Tensor) -> Tensor:
    """(N, F, H, W) to (N, 2 F, H, W): the two halves of `dictionary_responses`."""
    return torch.cat([found, -found], dim=1).sub_(_THRESHOLD).relu_()


def half_resolution(images: Tensor) -> Tensor:
    """Means of 2 x 2 pixels: (N, C, H, W) to (N, C, ceil(H / 2), ceil(W / 2)); an odd last row or column repeats."""
    height, width = images.shape[-2:]
    if height % 2 or width % 2:
        images = functional.pad(images, (0, width % 2, 0, height % 2), mode="replicate")
    return functional.avg_pool2d(images, 2)


def _reflected(images: Tensor, reach: int) -> Tensor:
    """With `reach` more pixels on every side; what is too small to be reflected repeats its edge."""
    mode = "reflect" if min(images.shape[-2:]) > reach else "replicate"
    return functional.pad(images, (reach, reach, reach, reach), mode=mode)


def _band_mixing(windows: NDArray[Any]) -> NDArray[np.float64]:
    """(components, bands): every band at unit deviation; their strongest ten directions where there are more."""
    pixels = np.moveaxis(windows, 1, -1).reshape(-1, windows.shape[1]).astype(np.float64)
    deviations = pixels.std(axis=0)
    scale = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=deviations > 1e-6)
    if len(scale) <= _MOST_COMPONENTS:
        return np.diag(scale)
    _, directions = np.linalg.eigh(np.cov(pixels * scale, rowvar=False))
    mixing: NDArray[np.float64] = directions[:, ::-1][:, :_MOST_COMPONENTS].T * scale
    return mixing


def _spherical_kmeans(points: NDArray[np.float64], count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """(count, D), rows of length 1: the directions around which the points lie."""
    centres = _unit(points[generator.permutation(len(points))[:count]])
    if len(centres) < count:
        centres = np.concatenate([centres, _unit(generator.standard_normal((count - len(centres), points.shape[1])))])
    for _ in range(_ROUNDS):
        similarity = points @ centres.T
        nearest = similarity.argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, points)
        lost = ~np.any(sums, axis=1)
        sums[lost] = points[generator.integers(len(points), size=int(lost.sum()))]
        centres = _unit(sums)
    return centres


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit
