"""Labels sought in scenes: which pixels of which windows they speak of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.raster import RasterInfo, Window, burn, pixel_bounds, to_pixels
from terrasift.teaching.labels import Geometry, Label, Labels

__all__ = ["DrawnLabels", "PaintedLabels", "PlacedLabel", "Placement", "SceneLabels", "Votes", "place_labels"]


class SceneLabels(Protocol):
    """The labels of one scene; its length is how many there are, a mask being one."""

    def __len__(self) -> int: ...

    def touch(self, window: Window) -> bool:
        """Whether some may lie in a window."""

    def votes(self, window: Window, regions: NDArray[np.integer[Any]], valid: NDArray[np.bool_], classes: int) -> Votes:
        """What labels call the superpixels of a window; `regions` and `valid` are (H, W)."""


class Votes(NamedTuple):
    """What labels call the superpixels of a window."""

    counts: NDArray[np.int64]
    """(n, C): how many labels call each superpixel what."""
    heard: frozenset[int]
    """The labels, by their number in the scene, that hold a pixel with data here."""


class PlacedLabel(NamedTuple):
    """A label on the pixels of a scene."""

    of_class: int
    """Index of its class."""
    geometry: Geometry
    """In columns and rows of the scene."""
    bounds: tuple[float, float, float, float]
    """Smallest column and row, largest column and row."""

    @property
    def is_area(self) -> bool:
        """Whether it is a polygon."""
        return "Polygon" in self.geometry["type"]

    def touches(self, window: Window) -> bool:
        """Whether it may hold a pixel of a window."""
        left, top, right, bottom = self.bounds
        across = left < window.column + window.width and right >= window.column
        return across and top < window.row + window.height and bottom >= window.row


@dataclass(frozen=True)
class DrawnLabels:
    """Points and polygons of one scene.

    A point speaks for the superpixel it lies in; a polygon for those of which it holds half, or, where it is smaller
    than any, for the one it holds most of. Pixels without data are nobody's.
    """

    labels: tuple[PlacedLabel, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def touch(self, window: Window) -> bool:
        """As for `SceneLabels`."""
        return any(label.touches(window) for label in self.labels)

    def votes(self, window: Window, regions: NDArray[np.integer[Any]], valid: NDArray[np.bool_], classes: int) -> Votes:
        """As for `SceneLabels`."""
        sizes = np.bincount(regions[valid], minlength=int(regions.max()) + 1)
        counts, heard = np.zeros((len(sizes), classes), np.int64), set()
        for number, label in enumerate(self.labels):
            if not label.touches(window):
                continue
            held = np.bincount(regions[burn(label.geometry, window) & valid], minlength=len(sizes))
            chosen = held > 0
            if not chosen.any():
                continue
            heard.add(number)
            if label.is_area:
                half = 2 * held >= np.maximum(sizes, 1)
                chosen &= half if half.any() else held == held.max()
            counts[chosen, label.of_class] += 1
        return Votes(counts, frozenset(heard))


@dataclass(frozen=True)
class PaintedLabels:
    """A sparse mask of one scene: each labelled pixel speaks for its superpixel.

    Attributes
    ----------
    mask
        (H, W), int64: class indices on the scene's own grid, -1 where nothing is labelled.
    shape
        (height, width) of the scene as it is read, at another resolution perhaps.
    """

    mask: NDArray[np.int64]
    shape: tuple[int, int]

    def touch(self, window: Window) -> bool:
        """As for `SceneLabels`."""
        return bool((self._read(window) >= 0).any())

    def votes(self, window: Window, regions: NDArray[np.integer[Any]], valid: NDArray[np.bool_], classes: int) -> Votes:
        """As for `SceneLabels`."""
        painted, count = self._read(window), int(regions.max()) + 1
        chosen = (painted >= 0) & valid
        keys = regions[chosen] * classes + painted[chosen]
        counts = np.bincount(keys, minlength=count * classes).reshape(count, classes)
        return Votes(counts, frozenset([0] if chosen.any() else []))

    def __len__(self) -> int:
        return 1

    def _read(self, window: Window) -> NDArray[np.int64]:
        rows, columns = (
            (start + np.arange(length)) * have // side
            for start, length, have, side in (
                (window.row, window.height, self.mask.shape[0], self.shape[0]),
                (window.column, window.width, self.mask.shape[1], self.shape[1]),
            )
        )
        return self.mask[np.ix_(rows, columns)]


@dataclass(frozen=True)
class Placement:
    """Labels, scene by scene.

    Attributes
    ----------
    scenes
        The labels in each scene, by its number.
    outside
        How many lie in none.
    """

    scenes: dict[int, SceneLabels]
    outside: int = 0


def place_labels(labels: Labels, names: Sequence[str], infos: Sequence[RasterInfo]) -> Placement:
    """Seek labels in scenes. One that lies in several scenes counts in each.

    Parameters
    ----------
    labels
        In whatever CRS.
    names
        Classes in the order of their indices; those of all labels among them.
    infos
        The scenes.

    Raises
    ------
    InputError
        If a label names a scene that is none of these, if it could lie in several scenes because they have no CRS, or
        if its CRS cannot be brought to a scene's.
    """
    found: dict[int, list[PlacedLabel]] = defaultdict(list)
    outside = 0
    by_name = _numbers_by_name(infos)
    for label in labels:
        placed = list(_in_scenes(label, labels.crs, names.index(label.name), infos, by_name))
        outside += not placed
        for number, one in placed:
            found[number].append(one)
    return Placement({number: DrawnLabels(tuple(placed)) for number, placed in found.items()}, outside)


def _in_scenes(
    label: Label, crs: str, index: int, infos: Sequence[RasterInfo], by_name: dict[str, list[int]]
) -> Iterable[tuple[int, PlacedLabel]]:
    numbers: Sequence[int] = range(len(infos))
    if label.scene:
        numbers = by_name.get(label.scene, [])
        if not numbers:
            raise InputError(label.where, f"lies in scene {label.scene!r}, which is none of those given", "name it")
    elif len(infos) > 1 and not all(info.grid.is_placed for info in infos):
        plain = next(info.path for info in infos if not info.grid.is_placed)
        what = f"could lie in any of {len(infos)} scenes: {plain} says nowhere where it lies"
        raise InputError(label.where, what, "add a column `scene` with the names of their files")
    for number in numbers:
        info = infos[number]
        geometry = to_pixels(label.geometry, crs if info.grid.is_placed else "", info)
        placed = PlacedLabel(index, geometry, pixel_bounds(geometry))
        if placed.touches(Window(0, 0, info.height, info.width)):
            yield number, placed


def _numbers_by_name(infos: Sequence[RasterInfo]) -> dict[str, list[int]]:
    """Scenes by their paths, their files' names, and those without suffix."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, info in enumerate(infos):
        path = Path(info.path)
        for name in {info.path, str(path.absolute()), path.name, path.stem}:
            numbers[name].append(number)
    return numbers
