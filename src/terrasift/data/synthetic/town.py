"""The street plan and what follows it: roads, traffic and avenues of trees; and the river, which does not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from terrasift.data.synthetic.canvas import EVERYWHERE, LOW_VEGETATION, ROAD, WATER, Canvas, Floats, Spot
from terrasift.data.synthetic.colours import BANK, FOLIAGE, PAVEMENT, RIVER, ROAD_MARKING, pick
from terrasift.data.synthetic.grounds import car
from terrasift.data.synthetic.plants import tree

__all__ = ["TownPlan", "dig_river", "draw_plan", "drive_cars", "lay_roads", "plant_avenues"]

PAVEMENT_WIDTH = 1.9


class Road(NamedTuple):
    """A road: where its middle line lies on the plan, half the width of its carriageway, its grey, and its kind."""

    middle: float
    half_width: float
    grey: float
    is_avenue: bool


class Block(NamedTuple):
    """The ground between the pavements of two avenues and of two streets: its middle, headed east, and its size."""

    middle: Spot
    length: float
    width: float


@dataclass(frozen=True)
class TownPlan:
    """A turned grid of straight streets, and of avenues that wind across them.

    A position on the plan is (east, south) in metres from the canvas's middle: an avenue keeps its east, a street its
    south. Nothing farther than `reach` is on the canvas.
    """

    middle: Spot
    reach: float
    avenues: list[Road]
    streets: list[Road]
    bend: float
    bend_length: float

    @property
    def roads(self) -> list[Road]:
        """All avenues and streets."""
        return self.avenues + self.streets

    def place(self, east: float, south: float) -> Spot:
        """Find a position on the canvas; its heading is east."""
        return self.middle.moved(east - float(self.winding(south)), south)

    def place_on(self, road: Road, along: float, offset: float) -> Spot:
        """Find the place `along` metres down a road and `offset` metres off its middle; its heading is the road's."""
        if not road.is_avenue:
            return self.place(along, road.middle + offset)
        ahead = float(self.winding(along + 0.5) - self.winding(along - 0.5))
        return self.place(road.middle + offset, along).moved(0, 0, turn=math.atan2(1, -ahead))

    def positions(self, canvas: Canvas) -> tuple[Floats, Floats]:
        """Find the east and the south of every pixel."""
        _, along, across = canvas.view(self.middle, self.reach)
        return along + self.winding(across), across

    def winding(self, south: ArrayLike) -> Floats:
        """How far the avenues have wound off a straight line."""
        sideways: Floats = self.bend * np.sin(2 * math.pi / self.bend_length * np.asarray(south, dtype=np.float32))
        return sideways

    def blocks(self) -> list[Block]:
        """List the blocks from the middle outwards."""
        blocks = [
            Block(self.place((west + east) / 2, (north + south) / 2), east - west, south - north)
            for (west, east), (north, south) in product(between(self.avenues), between(self.streets))
        ]
        return sorted(blocks, key=lambda block: math.dist(block.middle[:2], self.middle[:2]))


def between(roads: list[Road]) -> list[tuple[float, float]]:
    """Where the ground between neighbouring roads, inside their pavements, begins and ends."""
    return [
        (before.middle + before.half_width + PAVEMENT_WIDTH, after.middle - after.half_width - PAVEMENT_WIDTH)
        for before, after in pairwise(roads)
    ]


def draw_plan(canvas: Canvas) -> TownPlan:
    """Draw a plan of blocks of about 80 x 60 m, with the canvas's middle just inside a block's corner."""
    rng = canvas.rng
    bottom, right = canvas.extent
    reach = math.hypot(bottom, right) / 2
    bend = rng.uniform(4, 9)
    return TownPlan(
        middle=Spot(bottom / 2, right / 2, heading=rng.uniform(0, 2 * math.pi)),
        reach=reach,
        avenues=draw_roads(rng, reach + bend, spacing=(75, 105), half_width=(3.8, 5.2), is_avenue=True),
        streets=draw_roads(rng, reach, spacing=(58, 76), half_width=(2.8, 3.8), is_avenue=False),
        bend=bend,
        bend_length=rng.uniform(150, 230),
    )


def draw_roads(
    rng: np.random.Generator,
    reach: float,
    *,
    spacing: tuple[float, float],
    half_width: tuple[float, float],
    is_avenue: bool,
) -> list[Road]:
    """Draw roads side by side until they pass the reach both ways; one of them runs 10 m off the middle."""
    each_way = int(reach / spacing[0]) + 2
    middles = np.cumsum(rng.uniform(*spacing, size=2 * each_way))
    middles -= middles[each_way] + 10
    return [Road(middle, rng.uniform(*half_width), rng.uniform(88, 158), is_avenue) for middle in middles.tolist()]


def dig_river(canvas: Canvas) -> None:
    """Let a river wind past the middle, about half-way between it and the edge."""
    rng = canvas.rng
    bottom, right = canvas.extent
    middle = Spot(bottom / 2, right / 2, heading=rng.uniform(0, 2 * math.pi))
    course = middle.moved(0, rng.uniform(0.2, 0.3) * min(bottom, right))
    view = canvas.view(course, bottom + right)
    shore = np.abs(view.across + 7 * canvas.broad) + 0.5 * canvas.mottle - rng.uniform(5, 8)
    canvas.paint(EVERYWHERE, shore < 3, LOW_VEGETATION, BANK, texture=0.12)
    canvas.paint(EVERYWHERE, shore < 0, WATER, RIVER, texture=0.04)


def lay_roads(canvas: Canvas, plan: TownPlan) -> None:
    """Lay pavements, then carriageways, then lane marks and zebra crossings; over water these are bridges."""
    east, south = plan.positions(canvas)
    from_avenue, avenue_half_width, avenue_grey = nearest_road(plan.avenues, east)
    from_street, street_half_width, street_grey = nearest_road(plan.streets, south)
    in_avenue = avenue_half_width - np.abs(from_avenue)
    in_street = street_half_width - np.abs(from_street)
    in_either = np.maximum(in_avenue, in_street)

    canvas.paint(EVERYWHERE, in_either > -PAVEMENT_WIDTH, ROAD, PAVEMENT, texture=0.04)
    asphalt = np.where(in_avenue > 0, avenue_grey, street_grey)[..., None]
    canvas.paint(EVERYWHERE, in_either > 0, ROAD, asphalt, texture=0.05)
    for offset, inwards, along, in_crossing in (
        (from_avenue, in_avenue, south, in_street),
        (from_street, in_street, east, in_avenue),
    ):
        dashes = (np.abs(offset) < 0.13) & (along % 6 < 3) & (in_crossing < -5)
        zebra = (offset % 1 < 0.5) & (inwards > 0.4) & (in_crossing < -0.8) & (in_crossing > -3.4)
        canvas.paint(EVERYWHERE, dashes | zebra, ROAD, ROAD_MARKING, texture=0.1)


def nearest_road(roads: list[Road], position: Floats) -> tuple[Floats, Floats, Floats]:
    """For each position: how far past the nearest road's middle it is, and that road's half width and grey."""
    middles, half_widths, greys = np.array([road[:3] for road in roads], dtype=np.float32).T
    nearest = np.searchsorted((middles[1:] + middles[:-1]) / 2, position)
    return position - middles[nearest], half_widths[nearest], greys[nearest]


def drive_cars(canvas: Canvas, plan: TownPlan) -> None:
    """Put cars in both lanes of every road, and park more along the kerbs."""
    for road, side in product(plan.roads, (-1, 1)):
        for offset, gap in ((0.4 * road.half_width, 60), (road.half_width - 1.1, 25)):
            for along in stops(canvas.rng, plan.reach, nearest=6, gap=gap):
                car(canvas, plan.place_on(road, along, side * offset))


def plant_avenues(canvas: Canvas, plan: TownPlan) -> None:
    """Plant rows of trees of one kind behind the pavements of some roads."""
    rng = canvas.rng
    for road, side in product(plan.roads, (-1, 1)):
        if rng.random() < 0.5:
            continue
        foliage = pick(rng, FOLIAGE)
        offset = side * (road.half_width + PAVEMENT_WIDTH + 1)
        for along in stops(rng, plan.reach, nearest=8, gap=5):
            tree(canvas, plan.place_on(road, along, offset), rng.uniform(2.2, 3.8), foliage)


def stops(rng: np.random.Generator, reach: float, *, nearest: float, gap: float) -> list[float]:
    """Stop at random along a road, `nearest` metres apart or, on average, `gap` metres more."""
    distances = np.cumsum(nearest + rng.exponential(gap, size=int(2 * reach / nearest) + 1)) - reach
    return [float(distance) for distance in distances[distances < reach]]
