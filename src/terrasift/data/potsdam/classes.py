"""The classes of Potsdam, and Potsdam-3 as a view of them."""

from __future__ import annotations

from terrasift.legend import LandClass, Legend

__all__ = ["POTSDAM", "POTSDAM3", "POTSDAM3_OF_POTSDAM"]

POTSDAM = Legend(
    (
        LandClass("road", "#FFFFFF"),
        LandClass("building", "#0000FF"),
        LandClass("low vegetation", "#00FFFF"),
        LandClass("tree", "#00FF00"),
        LandClass("car", "#FFFF00"),
        LandClass("clutter", "#FF0000"),
    )
)
"""The six classes in the order of their indices, in the colours of the ISPRS labels. Road is any impervious surface."""

POTSDAM3 = Legend(
    (
        LandClass("road and car", "#FFFFFF"),
        LandClass("building and clutter", "#0000FF"),
        LandClass("vegetation and tree", "#00FF00"),
    )
)
"""The three classes of Potsdam-3."""

POTSDAM3_OF_POTSDAM = (0, 1, 2, 2, 0, 1)
"""The Potsdam-3 class of each Potsdam class."""
