"""What lies on the ground around buildings and trees: paving, cars, ponds, courts, heaps and other slabs."""

from __future__ import annotations

import numpy as np

from terrasift.data.synthetic.canvas import CAR, CLUTTER, LOW_VEGETATION, ROAD, WATER, Canvas, Spot
from terrasift.data.synthetic.colours import CAR_PAINTS, COURT_LINE, COURTS, GLASS, PAVING, POND, SPOIL, Colour, pick

__all__ = ["car", "court", "heap", "pave", "pond", "slab", "sow"]


def slab(
    canvas: Canvas,
    place: Spot,
    length: float,
    width: float,
    label: int,
    colour: Colour,
    height: float = 0.0,
) -> bool:
    """Put down a flat-topped box of any class; refuse if anything but grass and paving is in its way."""
    view, box = canvas.rectangle(place, length, width)
    if not canvas.has_only(view.window, box, LOW_VEGETATION, ROAD):
        return False
    canvas.paint(view.window, box, label, colour, height, texture=0.05)
    return True


def sow(canvas: Canvas, place: Spot, length: float, width: float) -> None:
    """Give a rectangle's grass a tint of its own."""
    view, lawn = canvas.rectangle(place, length, width)
    lawn &= canvas.labels[view.window] == LOW_VEGETATION
    canvas.colour[view.window][lawn] *= canvas.rng.uniform(0.8, 1.15) * canvas.rng.uniform(0.94, 1.06, size=4)


def pave(canvas: Canvas, place: Spot, length: float, width: float) -> None:
    """Pave a rectangle wherever it is grass."""
    view, paving = canvas.rectangle(place, length, width)
    paving &= canvas.labels[view.window] == LOW_VEGETATION
    canvas.paint(view.window, paving, ROAD, pick(canvas.rng, PAVING))


def car(canvas: Canvas, place: Spot) -> None:
    """Put a car, or seldom a lorry, on the road; refuse if there is no room."""
    rng = canvas.rng
    is_lorry = rng.random() < 0.06
    length, width = (rng.uniform(6, 11), 2.5) if is_lorry else (rng.uniform(4, 5), rng.uniform(1.8, 2.05))
    view = canvas.view(place, length / 2)
    body = np.abs(2 * view.along / length) ** 5 + np.abs(2 * view.across / width) ** 5 <= 1
    if not canvas.has_only(view.window, body, ROAD):
        return
    canvas.paint(view.window, body, CAR, pick(rng, CAR_PAINTS).brighter(rng.uniform(0.85, 1.1)), 1.2, texture=0.03)
    windscreens = (np.abs(np.abs(view.along + 0.2) - 1.3) < 0.4) & (np.abs(view.across) < 0.42 * width)
    canvas.paint(view.window, body & windscreens, CAR, GLASS, 1.2, texture=0.03)


def pond(canvas: Canvas, place: Spot, radius: float) -> None:
    """Dig a pond with a crooked shore, wherever there is grass."""
    view = canvas.view(place, 1.6 * radius)
    water = np.hypot(view.along, 1.4 * view.across) + 1.5 * canvas.mottle[view.window] < radius
    water &= canvas.labels[view.window] == LOW_VEGETATION
    canvas.paint(view.window, water, WATER, POND, texture=0.03)


def court(canvas: Canvas, place: Spot) -> None:
    """Lay out a tennis court."""
    if not slab(canvas, place, 32, 16, CLUTTER, pick(canvas.rng, COURTS)):
        return
    view, inside = canvas.rectangle(place, 24.0, 11.2)
    along, across = np.abs(view.along), np.abs(view.across)
    sidelines = (np.abs(across - 5.5) < 0.13) | (np.abs(across - 4.1) < 0.13)
    cross_lines = (np.abs(along - 11.9) < 0.13) | ((np.abs(along - 6.4) < 0.13) & (across < 4.1)) | (along < 0.13)
    canvas.paint(view.window, inside & (sidelines | cross_lines), CLUTTER, COURT_LINE)


def heap(canvas: Canvas, place: Spot, radius: float) -> None:
    """Tip a heap of soil or rubble, whatever is there."""
    view = canvas.view(place, 1.6 * radius)
    rise = 1 - np.hypot(view.along, view.across) / radius + 0.25 * canvas.mottle[view.window]
    height = 0.6 * radius * rise + 0.08 * canvas.fine[view.window]
    canvas.paint(view.window, rise > 0, CLUTTER, pick(canvas.rng, SPOIL), height, texture=0.12)
