"""Trees, alone or in clumps, and shrubs."""

from __future__ import annotations

import math

import numpy as np

from terrasift.data.synthetic.canvas import LOW_VEGETATION, TREE, Canvas, Spot
from terrasift.data.synthetic.colours import FOLIAGE, Colour, pick

__all__ = ["clump", "shrub", "tree"]


def clump(canvas: Canvas, place: Spot, trees: int, spread: float) -> None:
    """Grow some trees of one kind close together."""
    rng = canvas.rng
    foliage = pick(rng, FOLIAGE)
    for _ in range(trees):
        radius = 1.6 + rng.gamma(3, 0.6)
        tree(
            canvas,
            place.moved(*rng.normal(0, spread, size=2).tolist()),
            radius,
            foliage.brighter(rng.uniform(0.88, 1.12)),
        )


def tree(canvas: Canvas, place: Spot, radius: float, foliage: Colour) -> None:
    """Grow a tree with a lumpy crown, if it can take root."""
    phase = canvas.rng.uniform(0, 2 * math.pi)
    if not can_root(canvas, place):
        return
    view = canvas.view(place, 1.4 * radius)
    angle = np.arctan2(view.across, view.along)
    outline = 1 + 0.10 * np.sin(3 * angle + phase) + 0.07 * np.sin(7 * angle - phase)
    lumps = canvas.fine[view.window]
    distance = np.hypot(view.along, view.across) / (radius * outline) - 0.08 * lumps
    dome = np.sqrt(np.maximum(1 - distance**2, 0))
    height = radius * (0.9 + 1.2 * dome) + 0.3 * lumps
    canvas.paint(view.window, distance < 1, TREE, foliage, height, texture=0.10)


def shrub(canvas: Canvas, place: Spot) -> None:
    """Grow a shrub, in a tree's colours but low vegetation, if it can take root."""
    radius, foliage = canvas.rng.uniform(0.5, 1.3), pick(canvas.rng, FOLIAGE)
    if not can_root(canvas, place):
        return
    view = canvas.view(place, 1.5 * radius)
    distance = np.hypot(view.along, view.across) / radius - 0.2 * canvas.fine[view.window]
    height = 0.4 + radius * np.sqrt(np.maximum(1 - distance**2, 0))
    canvas.paint(view.window, distance < 1, LOW_VEGETATION, foliage, height, texture=0.12)


def can_root(canvas: Canvas, place: Spot) -> bool:
    """Whether there is open soil at a place."""
    view, soil = canvas.rectangle(place, 1, 1)
    return canvas.has_only(view.window, soil, LOW_VEGETATION)
