"""Numbers in which neighbouring superpixels, which mostly share their class, are alike (docs/discovery.md, step 4)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Projection", "closer_pairs", "principal_components", "whiten_by_neighbours"]

_TEXTURE_WEIGHT = 0.7  # of blocks of responses, against 1 for blocks of bands
_VARIANCE_KEPT = 0.995
_MOST_COMPONENTS = 100
_WHITENED = 60  # numbers that are kept
_REGULARISATION = 1e-3  # of the mean variance between neighbours
_ROWS = 1 << 16  # at a time


class Projection(NamedTuple):
    """A linear map of descriptors: ``(x - offset) @ directions``."""

    offset: NDArray[np.float32]
    """(D,)."""
    directions: NDArray[np.float32]
    """(D, P)."""

    def __call__(self, descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, D) to (n, P), float32."""
        projected = np.empty((len(descriptors), self.directions.shape[1]), np.float32)
        for start in range(0, len(descriptors), _ROWS):
            rows = slice(start, start + _ROWS)
            np.matmul(descriptors[rows] - self.offset, self.directions, out=projected[rows])
        return projected

    def times(self, directions: NDArray[np.float32]) -> Projection:
        """This map and a (P, Q) matrix after it, as one."""
        return Projection(self.offset, self.directions @ directions)


def principal_components(descriptors: NDArray[np.float32], blocks: list[int]) -> Projection:
    """Each block of numbers at unit total deviation, texture at 0.7; then the directions that hold the variance.

    Parameters
    ----------
    descriptors
        (n, D), float32.
    blocks
        Sizes of the blocks of numbers, in order: bands and two of responses, repeated (`descriptors.block_sizes`).

    Returns
    -------
    Projection
        To the principal components that hold 99.5 % of the variance, at most 100.
    """
    mean, moments = _moments(descriptors)
    variances = np.maximum(np.diag(moments), 0)
    scale = np.empty(len(mean))
    start = 0
    for number, size in enumerate(blocks):
        block = slice(start, start + size)
        total = np.sqrt(variances[block].sum())
        scale[block] = (1.0 if number % 3 == 0 else _TEXTURE_WEIGHT) / total if total > 1e-9 else 0.0
        start += size
    strengths, directions = np.linalg.eigh(scale[:, None] * moments * scale)
    strengths, directions = np.maximum(strengths[::-1], 0), directions[:, ::-1]
    held = np.cumsum(strengths) / max(strengths.sum(), np.finfo(np.float64).tiny)
    count = min(_MOST_COMPONENTS, int(np.searchsorted(held, _VARIANCE_KEPT)) + 1)
    return Projection(mean.astype(np.float32), (scale[:, None] * directions[:, :count]).astype(np.float32))


def closer_pairs(components: NDArray[np.float32], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The half of adjacent pairs, (m, 2), that are more alike in their principal components: rarely a class border."""
    distances = np.concatenate(
        [_squared(components, pairs[start : start + _ROWS]) for start in range(0, len(pairs), _ROWS)]
    )
    closer: NDArray[np.int64] = pairs[distances <= np.median(distances)]
    return closer


def whiten_by_neighbours(components: NDArray[np.float32], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """Directions scaled so that neighbours differ alike in all; those first in which superpixels differ most.

    Parameters
    ----------
    components
        (n, P), float32, centred.
    pairs
        (m, 2): neighbours that are taken to share their class (`closer_pairs`).

    Returns
    -------
    ndarray
        (P, at most 60), float32: multiplied by it, half the mean outer product of the neighbours' differences becomes
        the identity, and the scatter of all superpixels diagonal.

    References
    ----------
    Bar-Hillel, Hertz, Shental and Weinshall, "Learning a Mahalanobis Metric from Equivalence Constraints", JMLR 6,
    2005 (relevant component analysis). Switzer and Green, "Min/max autocorrelation factors for multivariate spatial
    imagery", Stanford University technical report 6, 1984.
    """
    width = components.shape[1]
    within = np.zeros((width, width))
    for start in range(0, len(pairs), _ROWS):
        part = pairs[start : start + _ROWS]
        differences = (components[part[:, 0]] - components[part[:, 1]]).astype(np.float64)
        within += differences.T @ differences
    within /= 2 * max(1, len(pairs))
    within += max(_REGULARISATION * np.trace(within) / width, 1e-12) * np.eye(width)
    variances, directions = np.linalg.eigh(within)
    whitening = directions / np.sqrt(variances)
    _, total = _moments(components)
    _, rotation = np.linalg.eigh(whitening.T @ total @ whitening)
    kept: NDArray[np.float32] = (whitening @ rotation[:, ::-1][:, :_WHITENED]).astype(np.float32)
    return kept


def _squared(components: NDArray[np.float32], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    squared: NDArray[np.float32] = ((components[pairs[:, 0]] - components[pairs[:, 1]]) ** 2).sum(axis=1)
    return squared


def _moments(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (D,) and covariance (D, D)."""
    mean = rows.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), _ROWS):
        centred = (rows[start : start + _ROWS] - mean).astype(np.float32)
        covariance += centred.T @ centred
    return mean, covariance / len(rows)
