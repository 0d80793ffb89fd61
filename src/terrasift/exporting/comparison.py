"""An exported file beside the run that it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.recipe import Scaling

__all__ = ["Comparison", "Outputs", "compare", "random_images"]


class Comparison(NamedTuple):
    """An exported network beside the run it came from, on random band values."""

    shapes: tuple[tuple[int, ...], ...]
    """(N, B, H, W) of each input."""
    difference: float
    """The largest between two outputs, logits or likelihoods, as a share of the largest one."""
    agreement: float
    """The share of pixels with equal labels, in [0, 1]."""

    @property
    def is_close(self) -> bool:
        """Whether both are the same but for rounding."""
        return self.difference <= _LARGEST_DIFFERENCE and self.agreement >= _LEAST_AGREEMENT  # not-a-number is not

    def __str__(self) -> str:
        shapes = ", ".join(" x ".join(map(str, shape)) for shape in self.shapes)
        return (
            f"on random values ({shapes}) outputs differ by at most {self.difference:.1e} of the largest,"
            f" and {self.agreement:.2%} of labels are equal"
        )


class Outputs(NamedTuple):
    """What a network says of some images."""

    scores: list[NDArray[np.float32]]
    """(N, K, H, W) each."""
    labels: NDArray[Any]
    """(N, H, W)."""


def compare(found: Sequence[Outputs], expected: Sequence[Outputs], bands: int) -> Comparison:
    """What a file gives, beside what the run gives for the same images."""
    differences = []
    for ours, theirs in zip(expected, found, strict=True):
        for our, their in zip(ours.scores, theirs.scores, strict=True):
            differences.append(np.abs(our - their).max() / max(np.abs(our).max(), np.finfo(np.float32).tiny))
    equal = [(ours.labels == theirs.labels).ravel() for ours, theirs in zip(expected, found, strict=True)]
    shapes = tuple((len(ours.labels), bands, *ours.labels.shape[1:]) for ours in expected)
    return Comparison(shapes, float(np.max(differences)), float(np.concatenate(equal).mean()))


def random_images(
    scaling: Scaling, sizes: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
    """Values (N, H, W, bands), in the dtype of the run's images, and validity (N, H, W), for each (N, H, W)."""
    generator = np.random.default_rng(0)
    for size in sizes:
        values = _random_values(generator, size, scaling)
        yield values, generator.random(size) >= _INVALID


def _random_values(generator: np.random.Generator, shape: tuple[int, int, int], scaling: Scaling) -> NDArray[Any]:
    """From a little below `low` to a little above `high`."""
    low, high = np.array(scaling.low), np.array(scaling.high)
    values = low + generator.uniform(-0.1, 1.1, (*shape, len(low))) * (high - low)
    dtype = np.dtype(scaling.dtype)
    if dtype.kind in "iu":
        values = np.clip(values.round(), np.iinfo(dtype).min, np.iinfo(dtype).max)
    typed: NDArray[Any] = values.astype(dtype)
    return typed


_INVALID = 0.02  # the share of pixels without data
_LARGEST_DIFFERENCE = 1e-3  # sums in another order make some 1e-6, a wrong operation far more
_LEAST_AGREEMENT = 0.999  # two clusters can be as likely to the last digit
