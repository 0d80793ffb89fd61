"""A generated orthophoto with its ground truth: the scene of the demo, and the tests' data.

Every object is painted into three layers: what it is, how it looks in full sun, and how high it stands. Light is
computed once from the heights, so gables get a lit and a dark side, crowns are round, and shadows fall across
whatever lies beside them.

From the ground up: `colours`; `canvas`, the layers; `buildings`, `plants` and `grounds`, one function an object;
`town`, the street plan and what follows it; `land_use`, what fills the blocks; `camera`, light and sensor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrasift.data.synthetic.camera import photograph
from terrasift.data.synthetic.canvas import SYNTHETIC_CLASSES, grassland
from terrasift.data.synthetic.land_use import fill_blocks
from terrasift.data.synthetic.town import dig_river, draw_plan, drive_cars, lay_roads, plant_avenues
from terrasift.errors import SettingError

__all__ = ["SYNTHETIC_CLASSES", "SyntheticScene", "synthetic_scene"]

# Pixels painted beyond each side and cut off again: shadows and crowns reach into the scene from outside.
MARGIN = 32


@dataclass(frozen=True)
class SyntheticScene:
    """A generated image and the class of each of its pixels.

    Attributes
    ----------
    image
        (H, W, bands) uint8: red, green, blue and, with four bands, near infrared.
    labels
        (H, W) uint8, indices into `SYNTHETIC_CLASSES`.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def synthetic_scene(height: int = 1000, width: int = 1000, *, bands: int = 3, seed: int = 0) -> SyntheticScene:
    """Generate an aerial photograph of a small town, 0.25 m a pixel, with its ground truth.

    Parameters
    ----------
    height, width
        Size in pixels, 1 or more. From about 1000 x 1000 on every class is present.
    bands
        3 for red, green and blue; 4 adds near infrared, in which vegetation is bright and water dark. The first
        three bands are the same either way.
    seed
        Which town. The same seed and size give the same scene.

    Raises
    ------
    SettingError
        If a side is below 1, or `bands` is neither 3 nor 4.

    Examples
    --------
    >>> scene = synthetic_scene(64, 96, bands=4, seed=1)
    >>> scene.image.shape, scene.labels.shape
    ((64, 96, 4), (64, 96))
    """
    for side, pixels in (("height", height), ("width", width)):
        if pixels < 1:
            raise SettingError(side, f"a scene of {pixels} pixels is empty", "use 1 or more")
    if bands not in (3, 4):
        raise SettingError("bands", f"a synthetic scene cannot have {bands}", "use 3 (RGB) or 4 (and near infrared)")

    canvas = grassland(height + 2 * MARGIN, width + 2 * MARGIN, np.random.default_rng(seed))
    plan = draw_plan(canvas)
    dig_river(canvas)
    lay_roads(canvas, plan)
    fill_blocks(canvas, plan)
    drive_cars(canvas, plan)
    plant_avenues(canvas, plan)
    inside = (slice(MARGIN, MARGIN + height), slice(MARGIN, MARGIN + width))
    return SyntheticScene(photograph(canvas)[inside][..., :bands].copy(), canvas.labels[inside].copy())
