"""Step 5: bring the features to one scale and reduce them to their principal components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["leading_components", "normalise"]


def normalise(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(x - mean) / (2 (3 std + 1))`` for each feature, then again for each superpixel.

    Parameters
    ----------
    features
        (n, features), float64.

    Returns
    -------
    ndarray
        (n, features), float64, mostly within [-0.5, 0.5].

    Notes
    -----
    - The standard deviation is that of a sample (n - 1), as in the authors' code; of one value it is 0.
    - The 1 keeps a feature that is the same everywhere from a division by 0, and gives the less weight to a feature
      the smaller its numbers are.
    """
    for axis in (0, 1):
        mean = features.mean(axis=axis, keepdims=True)
        deviation = features.std(axis=axis, keepdims=True, ddof=min(1, features.shape[axis] - 1))
        features = (features - mean) / (2 * (3 * deviation + 1))
    return features


_KEPT = 0.99  # of the variance


def leading_components(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project on as few principal components as hold 99 % of the variance.

    Parameters
    ----------
    points
        (n, features), float64.

    Returns
    -------
    ndarray
        (n, components), float64, with zero mean; at least one component.

    Examples
    --------
    >>> line = np.outer([-1.0, 0.0, 1.0], [3.0, 4.0])
    >>> abs(leading_components(line)).round(6).ravel().tolist()
    [5.0, 0.0, 5.0]
    """
    left, singular, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    explained = np.cumsum(singular**2)
    kept = int(np.searchsorted(explained, _KEPT * explained[-1])) + 1
    components: NDArray[np.float64] = left[:, :kept] * singular[:kept]
    return components
