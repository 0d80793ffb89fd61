"""What everything is painted on: layers of class, colour and height."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from terrasift.data.synthetic.colours import DRY_GRASS, LUSH_GRASS

__all__ = [
    "BUILDING",
    "CAR",
    "CLUTTER",
    "EVERYWHERE",
    "LOW_VEGETATION",
    "PIXEL",
    "ROAD",
    "SYNTHETIC_CLASSES",
    "TREE",
    "WATER",
    "Canvas",
    "Floats",
    "Mask",
    "Spot",
    "grassland",
]

SYNTHETIC_CLASSES: tuple[tuple[str, str], ...] = (
    ("road", "#FFFFFF"),
    ("building", "#0000FF"),
    ("low vegetation", "#00FFFF"),
    ("tree", "#00FF00"),
    ("car", "#FFFF00"),
    ("clutter", "#FF0000"),
    ("water", "#0080A0"),
)
"""Name and colour of each class: those of ISPRS Potsdam in their order, then water."""

ROAD, BUILDING, LOW_VEGETATION, TREE, CAR, CLUTTER, WATER = range(len(SYNTHETIC_CLASSES))

PIXEL = 0.25
"""Ground sampling distance in metres."""

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Window = tuple[slice, slice]

EVERYWHERE: Window = (slice(None), slice(None))


class Spot(NamedTuple):
    """A spot on the ground and the way something there points.

    `y` (down) and `x` (right) are metres from the canvas's first pixel, `heading` is in radians from right to down.
    """

    y: float
    x: float
    heading: float

    def moved(self, along: float, across: float, turn: float = 0.0) -> Spot:
        """Step `along` metres ahead and `across` metres to the right, then turn by `turn` radians."""
        cosine, sine = math.cos(self.heading), math.sin(self.heading)
        y = self.y + along * sine + across * cosine
        x = self.x + along * cosine - across * sine
        return Spot(y, x, self.heading + turn)


class View(NamedTuple):
    """The pixels around a place: their window, and their metres ahead and to the right of the place."""

    window: Window
    along: Floats
    across: Floats


@dataclass(frozen=True)
class Canvas:
    """The layers, painted in place; each (H, W), but the colour (H, W, 4).

    Attributes
    ----------
    labels
        uint8, the class of the topmost object.
    colour
        float32, 0 to 255: red, green, blue and near infrared in full sun.
    height
        float32, metres above the ground.
    fine, mottle, broad
        float32, noise around 0 with grains of 0.5, 4 and 40 m: the texture of all surfaces.
    rng
        The only source of chance.
    """

    labels: NDArray[np.uint8]
    colour: Floats
    height: Floats
    fine: Floats
    mottle: Floats
    broad: Floats
    rng: np.random.Generator

    @property
    def extent(self) -> tuple[float, float]:
        """Metres from top to bottom and from left to right."""
        rows, columns = self.labels.shape
        return rows * PIXEL, columns * PIXEL

    def shows(self, place: Spot, reach: float) -> bool:
        """Whether any pixel is within `reach` metres of a place, both down and to the right."""
        bottom, right = self.extent
        return -reach < place.y < bottom + reach and -reach < place.x < right + reach

    def view(self, place: Spot, reach: float) -> View:
        """Look at the pixels within `reach` metres of a place; off the canvas there are none."""
        rows, columns = self.labels.shape
        top, bottom = pixels_within(place.y, reach, rows)
        left, right = pixels_within(place.x, reach, columns)
        y = np.arange(top, bottom, dtype=np.float32)[:, None] * PIXEL - place.y
        x = np.arange(left, right, dtype=np.float32)[None, :] * PIXEL - place.x
        cosine, sine = math.cos(place.heading), math.sin(place.heading)
        return View((slice(top, bottom), slice(left, right)), x * cosine + y * sine, y * cosine - x * sine)

    def rectangle(self, place: Spot, length: float, width: float) -> tuple[View, Mask]:
        """Look at a place, and mark the pixels of a rectangle that is centred there and points its way."""
        view = self.view(place, math.hypot(length, width) / 2)
        return view, (np.abs(view.along) <= length / 2) & (np.abs(view.across) <= width / 2)

    def has_only(self, window: Window, mask: Mask, *labels: int) -> bool:
        """Whether a window's mask has any pixels, all of these classes."""
        found = self.labels[window][mask]
        return found.size > 0 and bool(np.isin(found, labels).all())

    def paint(
        self,
        window: Window,
        mask: Mask,
        label: int,
        colour: ArrayLike,
        height: ArrayLike = 0.0,
        *,
        texture: float = 0.06,
    ) -> None:
        """Paint the pixels of a window's mask, except where something higher stands already."""
        heights = np.broadcast_to(np.asarray(height, dtype=np.float32), mask.shape)
        colours = np.broadcast_to(np.asarray(colour, dtype=np.float32), (*mask.shape, 4))
        seen = mask & (heights >= self.height[window])
        grain = 1 + texture * (self.fine[window][seen] + self.mottle[window][seen])
        self.labels[window][seen] = label
        self.height[window][seen] = heights[seen]
        self.colour[window][seen] = colours[seen] * grain[:, None]


def grassland(rows: int, columns: int, rng: np.random.Generator) -> Canvas:
    """Make a canvas of nothing but grass, lush here and dry there."""
    shape = (rows, columns)
    fine, mottle, broad = (noise(rng, shape, grain) for grain in (0.5, 4, 40))
    canvas = Canvas(
        labels=np.full(shape, LOW_VEGETATION, dtype=np.uint8),
        colour=np.zeros((*shape, 4), dtype=np.float32),
        height=np.zeros(shape, dtype=np.float32),
        fine=fine,
        mottle=mottle,
        broad=broad,
        rng=rng,
    )
    lush, dry = np.array(LUSH_GRASS, dtype=np.float32), np.array(DRY_GRASS, dtype=np.float32)
    dryness = 1 / (1 + np.exp(-3 * (broad + 0.5 * mottle)))[..., None]
    everything = np.ones(shape, dtype=np.bool_)
    canvas.paint(EVERYWHERE, everything, LOW_VEGETATION, lush + dryness * (dry - lush), texture=0.09)
    return canvas


def noise(rng: np.random.Generator, shape: tuple[int, int], grain: float) -> Floats:
    """Sum smooth noise of three grains: one in metres, its half and its quarter, the finer the weaker."""
    total = np.zeros(shape, dtype=np.float32)
    for fraction in (1, 0.5, 0.25):
        step = fraction * grain / PIXEL
        coarse = rng.standard_normal([int(side / step) + 2 for side in shape], dtype=np.float32)
        smooth = ndimage.affine_transform(coarse, [1 / step, 1 / step], output_shape=shape, order=2, mode="mirror")
        total += fraction * smooth
    return total


def pixels_within(centre: float, reach: float, count: int) -> tuple[int, int]:
    """Where, in a row of `count` pixels, those within `reach` metres of a centre begin and end."""
    first, last = int((centre - reach) // PIXEL), int((centre + reach) // PIXEL) + 1
    return min(max(first, 0), count), min(max(last, 0), count)
