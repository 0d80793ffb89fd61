"""What fills the blocks between the roads: houses, flats, works and parks."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import cycle

import numpy as np

from terrasift.data.synthetic.buildings import hall, house
from terrasift.data.synthetic.canvas import BUILDING, CLUTTER, LOW_VEGETATION, ROAD, Canvas, Spot
from terrasift.data.synthetic.colours import CONTAINERS, HEDGE, PAVING, POOL, ROAD_MARKING, SHED, pick
from terrasift.data.synthetic.grounds import car, court, heap, pave, pond, slab, sow
from terrasift.data.synthetic.plants import clump, shrub
from terrasift.data.synthetic.town import TownPlan

__all__ = ["fill_blocks"]


def fill_blocks(canvas: Canvas, plan: TownPlan) -> None:
    """Use the blocks, from the middle outwards: of six in turn three are houses, one flats, one works, one a park."""
    uses: list[Callable[[Canvas, Spot, float, float], None]] = [houses, works, park, houses, flats, houses]
    turns = cycle(canvas.rng.permutation(len(uses)))
    for middle, length, width in plan.blocks():
        if canvas.shows(middle, math.hypot(length, width) / 2):
            uses[next(turns)](canvas, middle, length, width)


def houses(canvas: Canvas, middle: Spot, length: float, width: float) -> None:
    """Line both long sides of the block with houses, each on a plot of its own."""
    plots = round(length / 17)
    for turn in (0, math.pi):
        corner = middle.moved(0, 0, turn).moved(-length / 2, -width / 2)
        for number in range(plots):
            plot(canvas, corner.moved((number + 0.5) * length / plots, 0), length / plots, width / 2)


def plot(canvas: Canvas, front: Spot, width: float, depth: float) -> None:
    """Lay out a house, its drive and its garden to the right of `front`, the middle of the plot's street side."""
    rng = canvas.rng
    setback, house_length, house_width = rng.uniform(3, 6), rng.uniform(8.5, 12.5), rng.uniform(7.5, 10.5)
    drive_side = int(rng.choice((-1, 1)))
    sow(canvas, front.moved(0, depth / 2), width, depth)
    home = front.moved(-drive_side * (width - house_length) / 4, setback + house_width / 2)
    if house(canvas, home, house_length, house_width):
        drive = front.moved(drive_side * (width / 2 - 1.8), (setback + 5) / 2, math.pi / 2)
        pave(canvas, drive, setback + 5, 2.8)
        if rng.random() < 0.6:
            car(canvas, drive)
        pave(canvas, home.moved(0, house_width / 2 + 1.7), 0.6 * house_length, 3)
    for _ in range(3):
        shrub(canvas, front.moved(rng.uniform(-0.5, 0.5) * width, rng.uniform(0, setback)))
    back_door = setback + house_width + 2
    garden(canvas, front.moved(0, (back_door + depth) / 2), width, depth - back_door)


def garden(canvas: Canvas, middle: Spot, width: float, depth: float) -> None:
    """Furnish a back garden: at times a pool, a shed, a hedge; shrubs and trees."""
    rng = canvas.rng
    pool = middle.moved(rng.uniform(-2, 2), 0)
    if rng.random() < 0.2 and slab(canvas, pool, 10, 6, ROAD, pick(rng, PAVING)):
        slab(canvas, pool, 8, 4, CLUTTER, POOL)
    if rng.random() < 0.4:
        slab(canvas, middle.moved(0.36 * width, depth / 2 - 2), 3.5, 2.6, BUILDING, pick(rng, (SHED, *PAVING)), 2.4)
    if rng.random() < 0.6:
        slab(canvas, middle.moved(width / 2, 0, math.pi / 2), depth, 0.9, LOW_VEGETATION, HEDGE, 1.6)
    for _ in range(6):
        shrub(canvas, middle.moved(rng.uniform(-0.5, 0.5) * width, rng.uniform(-0.5, 0.5) * depth))
    clump(canvas, middle.moved(rng.uniform(-0.4, 0.4) * width, 0.3 * depth), trees=int(rng.integers(1, 5)), spread=3)


def flats(canvas: Canvas, middle: Spot, length: float, width: float) -> None:
    """Set two long blocks of flats on a lawn with trees, and a car park between them."""
    rng = canvas.rng
    sow(canvas, middle, length, width)
    for side in (-1, 1):
        site = middle.moved(rng.uniform(-4, 4), side * 0.32 * width)
        hall(canvas, site, rng.uniform(0.6, 0.8) * length, 12, height=rng.uniform(9, 16))
    pave(canvas, middle, 0.6 * length, 16)
    park_cars(canvas, middle, 0.6 * length)
    scatter_trees(canvas, middle, length, width, clumps=14)


def works(canvas: Canvas, middle: Spot, length: float, width: float) -> None:
    """Build a hall in a paved yard with a car park, containers and heaps; where it finds no room, leave a park."""
    rng = canvas.rng
    depth = rng.uniform(0.38, 0.45) * width
    site = middle.moved(0, 3 + depth / 2 - width / 2)
    if not hall(canvas, site, rng.uniform(0.5, 0.8) * length, depth, height=rng.uniform(7, 11)):
        park(canvas, middle, length, width)
        return
    pave(canvas, middle, length - 3, width - 3)
    park_cars(canvas, middle.moved(-0.2 * length, 0.34 * width), 0.5 * length)
    for _ in range(4):
        spread_along, spread_across = rng.normal(0, 4, size=2).tolist()
        heap(canvas, middle.moved(0.3 * length + spread_along, 0.3 * width + spread_across), rng.uniform(2, 5))
    for _ in range(10):
        spot = middle.moved(
            rng.uniform(-0.4, 0.4) * length, 0.08 * width + rng.uniform(-2, 3), float(rng.choice((0, 1.5)))
        )
        slab(canvas, spot, float(rng.choice((6.1, 12.2))), 2.5, CLUTTER, pick(rng, CONTAINERS), 2.6)


def park(canvas: Canvas, middle: Spot, length: float, width: float) -> None:
    """Lay out a park: a pond, a tennis court, paths, lawns and trees."""
    rng = canvas.rng
    sow(canvas, middle, length, width)
    pond(canvas, middle.moved(-0.25 * length, rng.uniform(-0.1, 0.1) * width), rng.uniform(8, 12))
    court(canvas, middle.moved(0.28 * length, rng.uniform(-0.2, 0.2) * width, rng.uniform(-0.2, 0.2)))
    for turn in rng.uniform(-0.6, 0.6, size=2).tolist():
        pave(canvas, middle.moved(0, 0, turn), 1.1 * length, 2)
    scatter_trees(canvas, middle, length, width, clumps=26)


def park_cars(canvas: Canvas, middle: Spot, length: float) -> None:
    """Mark two rows of bays with a lane between them, most of the bays taken."""
    for bay in np.arange(1.3 - length / 2, length / 2 - 1, 2.6).tolist():
        for side in (-1, 1):
            slab(canvas, middle.moved(bay + 1.3, side * 5.4), 0.2, 5, ROAD, ROAD_MARKING)
            if canvas.rng.random() < 0.65:
                car(canvas, middle.moved(bay, side * 5.4, side * math.pi / 2))


def scatter_trees(canvas: Canvas, middle: Spot, length: float, width: float, clumps: int) -> None:
    """Scatter trees, alone and in clumps, and shrubs over a rectangle."""
    rng = canvas.rng
    for _ in range(clumps):
        spot = middle.moved(rng.uniform(-0.47, 0.47) * length, rng.uniform(-0.47, 0.47) * width)
        clump(canvas, spot, trees=int(rng.integers(1, 7)), spread=3.5)
        shrub(canvas, spot.moved(*rng.normal(0, 5, size=2).tolist()))
