"""What one training step sees (docs/method.md)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from terrasift.blocks.thinning import Origin, every_second

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

    def thinned(self, origin: Origin) -> Batch:
        """The same images, of whose pixels only one in four counts (`blocks.thinning`)."""
        targets = None if self.targets is None else every_second(self.targets, origin)
        return Batch(self.images, every_second(self.regions, origin), every_second(self.valid, origin), targets)
