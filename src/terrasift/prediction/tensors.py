"""Windows of scenes as the network takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.prediction.windows import Views
from terrasift.raster import Raster, Window
from terrasift.recipe import Recipe, Scaling

__all__ = ["TensorReader", "WindowBatch"]


class WindowBatch(NamedTuple):
    """N windows of equal size, margins included."""

    views: Sequence[Views]
    values: list[NDArray[Any]]
    """(H, W, B) each, in the scene's units."""
    valid: list[NDArray[np.bool_]]
    """(H, W) each: pixels that hold data."""
    images: torch.Tensor
    """(N, B, H, W), as the network takes them."""


@dataclass(frozen=True)
class TensorReader:
    """Turns band values into tensors by the rule that was measured in training.

    Attributes
    ----------
    recipe
        Says which bands, and how they are scaled.
    device
        Where the tensors go.
    """

    recipe: Recipe
    device: torch.device

    @property
    def scaling(self) -> Scaling:
        """The rule."""
        return self.recipe.measured_scaling

    def tensor(self, values: NDArray[Any], valid: NDArray[np.bool_]) -> torch.Tensor:
        """(H, W, B) and its validity (H, W) to (1, B, H, W): in [0, 1], each band's mean where there is no data."""
        image = self.scaling.to_unit(values, valid)
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, 2, 0)))[None].to(self.device)

    def window(self, raster: Raster, window: Window) -> tuple[torch.Tensor, NDArray[np.bool_]]:
        """A window of an open scene, (1, B, H, W), and its validity, (H, W)."""
        values, valid = raster.read(window, self.recipe.bands)
        return self.tensor(values, valid), valid

    def batch(self, raster: Raster, views: Sequence[Views]) -> WindowBatch:
        """Windows of an open scene that are read in equal size."""
        return self._batch(views, [raster.read(view.read, self.recipe.bands) for view in views])

    def whole(self, values: NDArray[Any], valid: NDArray[np.bool_]) -> WindowBatch:
        """An array (H, W, B) and its validity (H, W) as a window of its own."""
        window = Window(0, 0, *valid.shape)
        return self._batch([Views(window, window)], [(values, valid)])

    def _batch(self, views: Sequence[Views], parts: Sequence[tuple[NDArray[Any], NDArray[np.bool_]]]) -> WindowBatch:
        images = torch.cat([self.tensor(*part) for part in parts])
        return WindowBatch(views, [values for values, _ in parts], [valid for _, valid in parts], images)
