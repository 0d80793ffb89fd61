"""How frequent classes are in a scene, from what a classifier that is sometimes mistaken says of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["class_frequencies"]

_EVEN = 0.1  # pixels, evenly of all classes, counted beside each of the scene: no class is taken to be absent
_STEPS = 500


def class_frequencies(confusion: NDArray[np.int64], seen: NDArray[np.int64]) -> NDArray[np.float64]:
    """The frequencies of classes under which a classifier would say of a scene what it says.

    The likeliest frequencies by expectation maximisation. They may be far from those of the labels, which are wherever
    somebody has clicked.

    Parameters
    ----------
    confusion
        (C, C): how many labels of a class (rows) the classifier takes for which, unseen.
    seen
        (C,): pixels of the scene that it takes for each class.

    Returns
    -------
    ndarray
        (C,), above 0, sum 1.

    References
    ----------
    Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori Probabilities", Neural
    Computation 14, 2002, for the iteration; Lipton, Wang and Smola, "Detecting and Correcting for Label Shift with
    Black Box Predictors", ICML 2018, for doing it by the confusion matrix, which need not be calibrated.

    Examples
    --------
    >>> class_frequencies(np.array([[95, 5], [20, 80]]), np.array([500, 500])).round(1).tolist()
    [0.4, 0.6]
    """
    count = len(confusion)
    taken_for = confusion + 1.0 / count  # a label more of each class, nobody knows taken for what
    taken_for /= taken_for.sum(axis=1, keepdims=True)
    observed = seen / seen.sum()
    frequencies = np.full(count, 1.0 / count)
    for _ in range(_STEPS):
        joint = taken_for * frequencies[:, None]
        frequencies = (joint / joint.sum(axis=0) * observed).sum(axis=1)
        frequencies = (frequencies + _EVEN / count) / (1 + _EVEN)
    return frequencies
