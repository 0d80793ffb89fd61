"""Colours as pictures that a browser shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from terrasift.raster import TILE

__all__ = ["png"]


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
