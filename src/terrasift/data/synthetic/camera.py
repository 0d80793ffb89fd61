"""From layers to a photograph: sunlight, shadows, optics and sensor noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from terrasift.data.synthetic.canvas import PIXEL, Canvas, Floats, Mask

__all__ = ["photograph"]

# Per band: how much of the light in the open a shadow still gets from the sky, and what the air adds.
SKY = np.array((0.30, 0.35, 0.44, 0.24), dtype=np.float32)
HAZE = np.array((10, 12, 16, 3), dtype=np.float32)

# Walls are cliffs in the height; taken as steeper slopes than this they would outshine or blacken their surroundings.
STEEPEST = 2.0


def photograph(canvas: Canvas) -> NDArray[np.uint8]:
    """Light the canvas and record it: (H, W, 4) uint8."""
    rng = canvas.rng
    sun = sunlight(canvas.height, azimuth=rng.uniform(0, 2 * math.pi), elevation=math.radians(rng.uniform(38, 52)))
    light = (SKY + (1 - SKY) * sun[..., None]) * (1 + 0.04 * canvas.broad[..., None])
    focused = ndimage.gaussian_filter(canvas.colour * light + HAZE, (0.7, 0.7, 0))
    # Read-out noise of 2 grey levels, and photon noise whose variance grows with the signal.
    noise = np.sqrt(4 + 0.1 * focused) * rng.standard_normal(focused.shape, dtype=np.float32)
    image: NDArray[np.uint8] = np.rint(focused + noise).clip(0, 255).astype(np.uint8)
    return image


def sunlight(height: Floats, azimuth: float, elevation: float) -> Floats:
    """Direct light on each pixel, relative to level ground in the open; the sun stands towards `azimuth`."""
    down, right = (np.clip(slope, -STEEPEST, STEEPEST) for slope in np.gradient(height, PIXEL))
    rise_to_sun = right * math.cos(azimuth) + down * math.sin(azimuth)
    cosine_of_incidence = (1 - rise_to_sun / math.tan(elevation)) / np.sqrt(1 + right**2 + down**2)
    light: Floats = np.maximum(cosine_of_incidence, 0) * ~in_shadow(height, azimuth, elevation)
    return light


def in_shadow(height: Floats, azimuth: float, elevation: float) -> Mask:
    """Which pixels something hides from the sun.

    A pixel's ceiling is the height up to which it lies in shadow. It comes down from the pixels nearer to the sun,
    over distances that double, so that seven steps reach 127 pixels.
    """
    ceiling = height
    for distance in (1, 2, 4, 8, 16, 32, 64):
        down, right = round(distance * math.sin(azimuth)), round(distance * math.cos(azimuth))
        fall = math.hypot(down, right) * PIXEL * math.tan(elevation)
        nearer_to_sun = ndimage.shift(ceiling, (-down, -right), order=0, mode="constant")
        ceiling = np.maximum(ceiling, nearer_to_sun - fall)
    return ceiling > height + 0.2
