"""What a network sees in the superpixels of a scene's windows: the rows that teaching learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.regions import neighbour_pairs, region_centres, region_means
from terrasift.blocks.superpixels import superpixels
from terrasift.prediction import Look, Predictor

__all__ = ["RegionTable", "cut", "join_tables", "regions_table"]


class RegionTable(NamedTuple):
    """Superpixels of windows, a row each: n superpixels, F features."""

    features: NDArray[np.float32]
    """(n, F): means."""
    pixels: NDArray[np.int64]
    """(n,): valid pixels."""
    places: NDArray[np.int64]
    """(n, 3): number of the scene, row and column of a pixel in the middle."""
    pairs: NDArray[np.int64]
    """(m, 2): rows that touch."""


def cut(predictor: Predictor, look: Look) -> NDArray[np.int32]:
    """(H, W), from 0 without gaps: the superpixels of what a network has seen; 0 also where there is no data."""
    if not look.valid.any():
        return np.zeros(look.valid.shape, np.int32)
    # SLIC whatever the run was refined by: a click means a place and what is like it around.
    image = predictor.reader.tensor(look.values, look.valid)[0].movedim(0, 2).cpu().numpy()
    refinement = predictor.reader.recipe.refinement
    return superpixels(image, "opencv_slic", area=refinement.area, compactness=refinement.compactness, valid=look.valid)


def regions_table(look: Look, regions: NDArray[np.int32], scene: int) -> RegionTable:
    """The superpixels of what a network has seen of the scene of this number; none where there is no data."""
    if not look.valid.any():
        features, empty = np.zeros((0, look.features.shape[2]), np.float32), np.zeros((0, 3), np.int64)
        return RegionTable(features, empty[:, 0], empty, empty[:, :2])
    places = _middles(regions, look.valid) + np.array([look.window.row, look.window.column])
    return RegionTable(
        region_means(look.features, regions, look.valid),
        np.bincount(regions[look.valid]),
        np.concatenate([np.full((len(places), 1), scene), places], axis=1),
        neighbour_pairs(regions, look.valid),
    )


def join_tables(tables: Sequence[RegionTable]) -> RegionTable:
    """The rows of several tables after one another."""
    starts = np.cumsum([0, *(len(table.pixels) for table in tables)]).tolist()
    pairs = [table.pairs + start for table, start in zip(tables, starts, strict=False)]
    return RegionTable(
        np.concatenate([table.features for table in tables]),
        np.concatenate([table.pixels for table in tables]),
        np.concatenate([table.places for table in tables]),
        np.concatenate(pairs),
    )


def _middles(regions: NDArray[np.int32], valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n, 2): for each region the pixel of its own that lies nearest to its centre, which may lie outside it."""
    rows, columns = np.nonzero(valid)
    inside = regions[valid]
    centres = region_centres(regions, valid)
    away = (rows - centres[inside, 0]) ** 2 + (columns - centres[inside, 1]) ** 2
    order = np.lexsort((away, inside))
    first = order[np.searchsorted(inside[order], np.arange(len(centres)))]
    return np.stack([rows[first], columns[first]], axis=1)
