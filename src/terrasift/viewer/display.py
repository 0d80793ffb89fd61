"""How a scene's values are shown: as red, green and blue, or grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.preprocessing import scale_to_unit
from terrasift.raster import TILE, RasterInfo
from terrasift.recipe import Recipe, Scaling

__all__ = ["Display", "png"]


@dataclass(frozen=True)
class Display:
    """Which bands of a scene are shown, and between which values.

    Attributes
    ----------
    bands
        Numbers from 1: three, or one that is shown in grey.
    scaling
        The run's; its first bands are those shown.
    """

    bands: tuple[int, ...]
    scaling: Scaling

    @classmethod
    def of(cls, info: RasterInfo, recipe: Recipe, scaling: Scaling) -> Display:
        """The first three of the bands that a run reads from a scene; with one or two of them, the first."""
        numbers = info.band_numbers(recipe.bands)
        return cls(tuple(numbers[:3] if len(numbers) >= 3 else numbers[:1]), scaling)

    def __call__(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Values (H, W, bands shown) as uint8 of the same shape: bytes as they are, others by the run's scaling."""
        if values.dtype == np.uint8:
            return values
        count = len(self.bands)
        low, high = np.array(self.scaling.low[:count]), np.array(self.scaling.high[:count])
        unit = scale_to_unit(np.nan_to_num(values), low, high)
        return np.rint(255 * unit).astype(np.uint8)


def png(colors: NDArray[np.uint8], valid: NDArray[np.bool_], side: int = TILE) -> bytes:
    """A square PNG of colours (h, w, 3 or 1); transparent where `valid`, (h, w), is False and beyond the edges."""
    height, width = valid.shape
    opaque = height == width == side and valid.all()
    picture = np.zeros((side, side, 3 if opaque else 4), np.uint8)
    picture[:height, :width, :3] = colors[:, :, ::-1]  # OpenCV's order
    if not opaque:
        picture[:height, :width, 3] = np.where(valid, 255, 0)
    # Aerial images shrink by a quarter at best; over the loopback that costs more time than it saves.
    return cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()
