"""A scene's superpixels kept at hand, so that a click is answered at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.prediction import Predictor
from terrasift.raster import TILE, Raster, RasterInfo
from terrasift.teaching.gathering import grid_windows
from terrasift.teaching.regions import RegionTable, cut, join_tables, regions_table

__all__ = ["SceneSuperpixels", "read_superpixels"]

_MOST_PIXELS = 150_000_000  # about a gigabyte
_NONE = 65535


@dataclass(frozen=True)
class SceneSuperpixels:
    """All superpixels of a scene.

    Attributes
    ----------
    table
        A row each.
    regions
        (H, W), int32, on the grid on which the network sees the scene: the row of each pixel, -1 without data.
    shape
        (height, width) of the scene's own grid.
    """

    table: RegionTable
    regions: NDArray[np.int32]
    shape: tuple[int, int]

    def at(self, row: int, column: int) -> int:
        """The superpixel of a pixel of the scene's own grid; -1 where there is no data, or no such pixel."""
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            return -1
        rows, columns = self._on_grid(np.array([row]), np.array([column]))
        return int(self.regions[rows[0], columns[0]])

    def tile(self, classes: NDArray[np.int64], level: int, row: int, column: int) -> bytes:
        """Classes (n,) of the superpixels as a tile: `TILE` x `TILE`, uint16 little endian, 65535 without data."""
        step = 1 << level
        starts = [(first * TILE + np.arange(TILE)) * step for first in (row, column)]
        inside = [start < side for start, side in zip(starts, self.shape, strict=True)]
        middles = [np.minimum(start + step // 2, side - 1) for start, side in zip(starts, self.shape, strict=True)]
        found = self.regions[np.ix_(*self._on_grid(*middles))]
        known = (found >= 0) & inside[0][:, None] & inside[1]
        return np.where(known, classes[found], _NONE).astype("<u2").tobytes()

    def _on_grid(
        self, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        height, width = self.regions.shape
        return rows * height // self.shape[0], columns * width // self.shape[1]


def read_superpixels(
    predictor: Predictor, path: str, number: int, own: RasterInfo, heard: Callable[[float], None]
) -> SceneSuperpixels:
    """Cut a whole scene into superpixels, and see what the network sees in each.

    Parameters
    ----------
    predictor
        Of the run.
    path
        Of the scene.
    number
        What its table calls it.
    own
        The scene on its own grid.
    heard
        Is told the share that is done, in [0, 1].

    Raises
    ------
    InputError
        If the scene is too large to be kept at hand, or damaged.
    """
    tables, first = [], 0
    with Raster(path, predictor.reader.recipe.resolution) as raster:
        info = raster.info
        if info.height * info.width > _MOST_PIXELS:
            what = f"has {info.width} x {info.height} pixels, too many to answer clicks at once"
            raise InputError(path, what, "teach with labels from a GIS: terrasift teach RUN LABELS")
        regions = np.full((info.height, info.width), -1, np.int32)
        windows = grid_windows(info, TILE)
        for done, window in enumerate(windows, 1):
            look = predictor.look(raster, window)
            found = cut(predictor, look)
            table = regions_table(look, found, number)
            regions[window.slices][look.valid] = found[look.valid] + first
            tables.append(table)
            first += len(table.pixels)
            heard(done / len(windows))
    return SceneSuperpixels(join_tables(tables), regions, (own.height, own.width))
