"""A landscape and what a segmentation may make of it: the label maps of docs/figures/metrics.py."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

LabelMap: TypeAlias = NDArray[np.int64]

SHAPE = (48, 64)
FIELD, FOREST, LAKE, HOUSE = range(4)


def landscape() -> LabelMap:
    """Fields with a forest, a lake and a house."""
    rows, columns = np.indices(SHAPE)
    labels = np.full(SHAPE, FIELD)
    labels[columns + rows / 3 > 50] = FOREST
    labels[((rows - 34) / 9) ** 2 + ((columns - 18) / 13) ** 2 < 1] = LAKE
    labels[8:16, 12:22] = HOUSE
    return labels


def house(top: int, bottom: int, left: int, right: int) -> LabelMap:
    """The landscape with its house elsewhere."""
    labels = merged(landscape(), HOUSE)
    labels[top:bottom, left:right] = HOUSE
    return labels


def mosaic(side: int) -> LabelMap:
    """Squares, each a region."""
    rows, columns = np.indices(SHAPE) // side
    return rows * (SHAPE[1] // side) + columns


def shifted(labels: LabelMap, pixels: int) -> LabelMap:
    """Everything further down and to the right."""
    return np.pad(labels, ((pixels, 0), (pixels, 0)), mode="edge")[:-pixels, :-pixels]


def cut(labels: LabelMap, side: int) -> LabelMap:
    """A refinement: every region cut along a grid, its pieces in shades of its colour."""
    return labels + 4 * mosaic(side)


def merged(labels: LabelMap, region: int) -> LabelMap:
    """A region made one with the fields."""
    return np.where(labels == region, FIELD, labels)


def lower_fields_cut(pieces: int) -> LabelMap:
    """The fields keep their upper half, the larger; the rest of them goes to so many new regions."""
    labels = landscape()
    rows, columns = np.indices(SHAPE)
    piece = 1 + columns * pieces // SHAPE[1]
    return np.where((rows >= 26) & (labels == FIELD), labels + 4 * piece, labels)


def wrong_fields(count: int, *, scattered: bool) -> LabelMap:
    """So many field pixels called forest, all in one place or all over the fields."""
    labels = landscape()
    fields = np.flatnonzero(labels == FIELD)
    rows, columns = np.unravel_index(fields, SHAPE)
    order = np.random.default_rng(0).random(fields.size) if scattered else np.hypot(rows - 10, columns - 36)
    labels.flat[fields[np.argsort(order)[:count]]] = FOREST
    return labels


def random_labels(count: int) -> LabelMap:
    """A label drawn for each pixel."""
    return np.random.default_rng(0).integers(0, count, SHAPE)


def single_pixels() -> LabelMap:
    """Every pixel a region, the finest of label maps."""
    return np.random.default_rng(0).permutation(SHAPE[0] * SHAPE[1]).reshape(SHAPE)
