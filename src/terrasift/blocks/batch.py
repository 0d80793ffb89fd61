"""What one training step sees (docs/method.md)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["Batch"]


class Batch(NamedTuple):
    """Patches with the regions inside which their labels are made constant."""

    images: Tensor
    """(N, B, H, W), float32 in [0, 1]."""
    regions: Tensor
    """(N, H, W), int32, numbered from 0 in each image."""
    valid: Tensor
    """(N, H, W), bool: pixels that hold data; the others train nothing."""
    targets: Tensor | None = None
    """(N, classifiers, H, W), int64: what the pixels are to be; None: what the network itself says, refined."""

    def thinned(self, row: int, column: int) -> Batch:
        """The same images, of whose pixels only every second one counts, in both directions, from an origin on."""
        every_second = (..., slice(row, None, 2), slice(column, None, 2))
        targets = None if self.targets is None else self.targets[every_second]
        return Batch(self.images, self.regions[every_second], self.valid[every_second], targets)
