"""What everything looks like in full sun, before texture, light and noise.

The palettes overlap on purpose: grey roofs, roads and cars share their greys, planted roofs and lawns their greens,
shrubs and trees all of theirs; and roofs, grass and cars come in several colours. Colour alone tells little.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = [
    "BANK",
    "CAR_PAINTS",
    "CONTAINERS",
    "COURTS",
    "COURT_LINE",
    "DRY_GRASS",
    "FLAT_ROOFS",
    "FOLIAGE",
    "GLASS",
    "HEDGE",
    "LUSH_GRASS",
    "MACHINERY",
    "PAVEMENT",
    "PAVING",
    "POND",
    "POOL",
    "RIVER",
    "ROAD_MARKING",
    "ROOF_TILES",
    "SHED",
    "SOLAR_PANEL",
    "SPOIL",
    "Colour",
    "pick",
]


class Colour(NamedTuple):
    """What an 8-bit camera records, 0 to 255."""

    red: float
    green: float
    blue: float
    near_infrared: float

    def brighter(self, factor: float) -> Colour:
        """Scale all bands."""
        return Colour(*(factor * band for band in self))


def pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    """Draw one of some colours."""
    return colours[rng.integers(len(colours))]


LUSH_GRASS = Colour(96, 116, 72, 196)
DRY_GRASS = Colour(160, 150, 112, 208)
BANK = Colour(108, 108, 76, 150)
HEDGE = Colour(64, 90, 50, 190)
FOLIAGE = (
    Colour(76, 102, 54, 205),
    Colour(60, 88, 50, 190),
    Colour(94, 112, 58, 212),
    Colour(108, 112, 72, 200),
    Colour(54, 72, 54, 150),
)

RIVER = Colour(62, 80, 76, 22)
POND = Colour(66, 84, 74, 24)
POOL = Colour(104, 164, 174, 40)

PAVEMENT = Colour(172, 168, 160, 162)
ROAD_MARKING = Colour(222, 220, 212, 206)
PAVING = (
    Colour(152, 148, 142, 142),
    Colour(170, 128, 108, 150),
    Colour(112, 112, 114, 102),
    Colour(188, 180, 162, 176),
)

ROOF_TILES = (
    Colour(172, 108, 88, 150),
    Colour(144, 88, 74, 138),
    Colour(126, 118, 114, 118),
    Colour(90, 86, 86, 96),
    Colour(168, 146, 126, 150),
)
FLAT_ROOFS = (
    Colour(214, 214, 208, 196),
    Colour(158, 154, 148, 146),
    Colour(98, 99, 102, 92),
    Colour(132, 134, 136, 128),
    Colour(112, 120, 80, 168),
)
SHED = Colour(128, 104, 84, 120)
MACHINERY = Colour(152, 154, 156, 140)
SOLAR_PANEL = Colour(42, 50, 78, 44)
GLASS = Colour(38, 44, 50, 30)

CAR_PAINTS = (
    Colour(228, 228, 226, 220),
    Colour(40, 42, 46, 40),
    Colour(126, 128, 132, 118),
    Colour(178, 180, 184, 172),
    Colour(132, 46, 44, 110),
    Colour(56, 68, 104, 80),
)

CONTAINERS = (*CAR_PAINTS, Colour(190, 110, 50, 150), Colour(60, 112, 84, 90))
SPOIL = (Colour(158, 130, 100, 162), Colour(150, 144, 136, 146), Colour(120, 96, 74, 130))
COURTS = (Colour(172, 96, 72, 140), Colour(78, 122, 92, 110), Colour(70, 104, 146, 90))
COURT_LINE = Colour(226, 224, 218, 210)
