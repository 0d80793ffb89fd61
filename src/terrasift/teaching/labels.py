"""Labels: places, or areas, that somebody knows the class of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["LABELS_CRS", "Geometry", "Label", "Labels"]

Geometry = Mapping[str, Any]
"""As GeoJSON has it: ``{"type": "Point", "coordinates": [x, y]}``, a Polygon, or several of one kind."""

LABELS_CRS = "EPSG:4326"
"""The CRS that GeoJSON counts in: longitude, latitude."""


@dataclass(frozen=True)
class Label:
    """A point or an area of one class.

    Attributes
    ----------
    name
        Of the class.
    geometry
        In the CRS of the labels it is one of.
    scene
        The scene it lies in, by its path, its file's name, or that without suffix; "" for any.
    where
        How an error about it begins: the file, and its number there.
    """

    name: str
    geometry: Geometry
    scene: str = ""
    where: str = ""


@dataclass(frozen=True)
class Labels:
    """Labels as one file holds them.

    Attributes
    ----------
    labels
        In the file's order.
    crs
        Of their geometries, as a raster's `crs`; "" where they are counted in the scene's own coordinates (in columns
        and rows, the upper left corner being 0, 0, where it has none).
    """

    labels: tuple[Label, ...]
    crs: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    @property
    def names(self) -> list[str]:
        """Classes in the order in which they first come."""
        return list(dict.fromkeys(label.name for label in self.labels))
