"""Houses under tiles, and blocks and halls under flat roofs."""

from __future__ import annotations

import math

import numpy as np

from terrasift.data.synthetic.canvas import BUILDING, LOW_VEGETATION, Canvas, Spot
from terrasift.data.synthetic.colours import FLAT_ROOFS, GLASS, MACHINERY, ROOF_TILES, SOLAR_PANEL, Colour, pick

__all__ = ["hall", "house"]


def house(canvas: Canvas, place: Spot, length: float, width: float) -> bool:
    """Build a house, gabled or hipped, at times with a wing and solar panels; refuse if the site is not all grass."""
    rng = canvas.rng
    if not is_building_site(canvas, place, length, width):
        return False
    tiles = pick(rng, ROOF_TILES).brighter(rng.uniform(0.85, 1.12))
    eave, pitch, hipped = rng.uniform(3.5, 6), rng.uniform(0.45, 0.9), rng.random() < 0.3
    wing = place.moved(rng.uniform(-0.2, 0.2) * length, 0.45 * width, math.pi / 2)
    has_wing = rng.random() < 0.4 and is_building_site(canvas, wing, width, 0.7 * width)
    pitched_roof(canvas, place, length, width, tiles, eave, pitch, hipped=hipped)
    if has_wing:
        pitched_roof(canvas, wing, width, 0.7 * width, tiles, eave, pitch, hipped=False)
    on_roof(canvas, place.moved(rng.uniform(-0.3, 0.3) * length, 0.1 * width), 0.8, 0.8, tiles.brighter(0.8), 1.3)
    if rng.random() < 0.35:
        on_roof(canvas, place.moved(0, -0.27 * width), rng.uniform(0.3, 0.7) * length, 0.3 * width, SOLAR_PANEL, 0.1)
    return True


def hall(canvas: Canvas, place: Spot, length: float, width: float, height: float) -> bool:
    """Build a flat roof with a parapet, machinery and skylights; refuse if the site is not all grass."""
    rng = canvas.rng
    if not is_building_site(canvas, place, length, width):
        return False
    roofing = pick(rng, FLAT_ROOFS).brighter(rng.uniform(0.9, 1.08))
    view, roof = canvas.rectangle(place, length, width)
    deck = roof & (np.abs(view.along) < length / 2 - 0.4) & (np.abs(view.across) < width / 2 - 0.4)
    canvas.paint(view.window, deck, BUILDING, roofing, height)
    canvas.paint(view.window, roof & ~deck, BUILDING, roofing.brighter(1.1), height + 0.6)
    for _ in range(int(length * width / 60)):
        spot = place.moved(rng.uniform(-0.42, 0.42) * length, rng.uniform(-0.42, 0.42) * width)
        if rng.random() < 0.5:
            on_roof(canvas, spot, rng.uniform(1, 3), rng.uniform(1, 2), MACHINERY, rng.uniform(0.6, 1.8))
        else:
            on_roof(canvas, spot, 1.2, 1.2, GLASS, 0.3)
    return True


def is_building_site(canvas: Canvas, place: Spot, length: float, width: float) -> bool:
    """Whether a rectangle, and a step around it, is all grass."""
    view, site = canvas.rectangle(place, length + 1, width + 1)
    return canvas.has_only(view.window, site, LOW_VEGETATION)


def pitched_roof(
    canvas: Canvas, place: Spot, length: float, width: float, tiles: Colour, eave: float, pitch: float, *, hipped: bool
) -> None:
    """Paint a roof that rises from its two long sides to the ridge or, if hipped, from all four."""
    view, roof = canvas.rectangle(place, length, width)
    inwards = width / 2 - np.abs(view.across)
    if hipped:
        inwards = np.minimum(inwards, length / 2 - np.abs(view.along))
    canvas.paint(view.window, roof, BUILDING, tiles, eave + pitch * inwards)


def on_roof(canvas: Canvas, place: Spot, length: float, width: float, colour: Colour, above: float) -> None:
    """Fix a box on whatever roof is there, `above` metres over it."""
    view, box = canvas.rectangle(place, length, width)
    box &= canvas.labels[view.window] == BUILDING
    canvas.paint(view.window, box, BUILDING, colour, canvas.height[view.window] + above)
