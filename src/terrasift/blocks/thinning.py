"""One pixel in four: every second row and column of images, from an origin on."""

from __future__ import annotations

from torch import Tensor

__all__ = ["Origin", "every_second"]

Origin = tuple[int, int]
"""A row and a column, 0 or 1."""


def every_second(values: Tensor, origin: Origin) -> Tensor:
    """(..., H, W) to those of every second row and column from an origin on."""
    row, column = origin
    return values[..., row::2, column::2]
