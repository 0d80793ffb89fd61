"""How the scenes of a trained run are shown, on every page in the same colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.recipe import Recipe, Scaling

__all__ = ["Display"]


@dataclass(frozen=True)
class Display:
    """Which of the bands that a run reads are shown, and between which values.

    Attributes
    ----------
    places
        Of the bands among those that the run reads, from 0: of red, green and blue, or of one that is shown in grey.
    scaling
        Of these bands.
    """

    places: tuple[int, ...]
    scaling: Scaling

    @classmethod
    def of(cls, recipe: Recipe) -> Display:
        """``refinement.color_bands`` of a trained recipe; its first band where these are not three that it reads."""
        scaling = recipe.measured_scaling
        asked = tuple(band - 1 for band in recipe.refinement.color_bands)
        places = asked if len(set(asked)) == 3 and max(asked) < len(scaling.low) else (0,)
        return cls(places, scaling.of_bands(places))

    def __call__(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Values (H, W, bands shown) as colours: uint8 of the same shape, 0 and 255 at the ends of the scaling."""
        if values.dtype == np.uint8 and set(self.scaling.low) == {0} and set(self.scaling.high) == {255}:
            return values
        return np.rint(255 * self.scaling.to_unit(values)).astype(np.uint8)
