"""Windows of scenes as the network takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.blocks.preprocessing import fill_invalid, scale_to_unit
from terrasift.raster import Raster, Window
from terrasift.recipe import Recipe, Scaling

__all__ = ["TensorReader"]


@dataclass(frozen=True)
class TensorReader:
    """Turns band values into tensors by the rule that was measured in training.

    Attributes
    ----------
    recipe
        Says which bands.
    scaling
        The rule.
    device
        Where the tensors go.
    """

    recipe: Recipe
    scaling: Scaling
    device: torch.device

    def tensor(self, values: NDArray[Any], valid: NDArray[np.bool_]) -> torch.Tensor:
        """(H, W, B) and its validity (H, W) to (1, B, H, W): in [0, 1], each band's mean where there is no data."""
        image = scale_to_unit(values, np.array(self.scaling.low), np.array(self.scaling.high))
        image = fill_invalid(image, valid, np.array(self.scaling.fill))
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, 2, 0)))[None].to(self.device)

    def window(self, raster: Raster, window: Window) -> tuple[torch.Tensor, NDArray[np.bool_]]:
        """A window of an open scene, (1, B, H, W), and its validity, (H, W)."""
        values, valid = raster.read(window, self.recipe.bands)
        return self.tensor(values, valid), valid

    def batch(self, raster: Raster, windows: Sequence[Window]) -> tuple[torch.Tensor, list[NDArray[np.bool_]]]:
        """Windows of equal size, (N, B, H, W), and the validity of each, (H, W)."""
        parts = [self.window(raster, window) for window in windows]
        return torch.cat([tensor for tensor, _ in parts]), [valid for _, valid in parts]
