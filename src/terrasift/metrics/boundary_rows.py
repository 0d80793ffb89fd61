"""The boundary displacement error of rasters too large for memory."""

from __future__ import annotations

__all__ = ["ReadRows", "boundary_displacement_error_by_rows"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError, SettingError
from terrasift.metrics.boundaries import boundary, distances_between, frame
from terrasift.metrics.inputs import LabelArray, label_map_pair, valid_pixels

ReadRows: TypeAlias = Callable[[int, int], tuple[LabelArray, LabelArray]]
FindSites: TypeAlias = Callable[[NDArray[np.integer[Any]], NDArray[np.bool_]], NDArray[np.bool_]]


def boundary_displacement_error_by_rows(
    read_rows: ReadRows, shape: tuple[int, int], ignore: int | None = None, rows: int = 512
) -> float:
    """`boundary_displacement_error` of two rasters, read a band of rows at a time: once down and once up.

    Exact, not an estimate: of the boundary pixels above a band, only the lowest of each column can be the
    nearest to a pixel of the band, and likewise below. A map of one label takes a third reading.

    Parameters
    ----------
    read_rows
        ``read_rows(start, stop)`` gives rows start..stop-1 of both maps, predicted and truth, at full width
        and of any integer dtype.
    shape
        (H, W) of the maps.
    ignore
        A label; pixels where either map holds it count nowhere.
    rows
        Height of a band. Memory is for a dozen arrays of `rows` x W, and for 2 numbers per column and band.

    Returns
    -------
    float
        In pixels, at least 0; NaN where no pixel counts.

    Raises
    ------
    InputError
        Where a dtype is wrong, or the rows read have another shape than those asked for.
    SettingError
        Where `rows` is below 1.
    """
    if rows < 1:
        raise SettingError("rows", f"is {rows}", "a band has at least one row")
    raster = _Raster(read_rows, shape, ignore, rows)
    find: list[FindSites] = [boundary, boundary]
    above = _lowest_sites_above(raster, find)
    has_boundary = [bool(np.isfinite(rows_of_sites).any()) for rows_of_sites in above[-1]]
    if not all(has_boundary):
        find = [boundary if has else frame for has in has_boundary]
        above = _lowest_sites_above(raster, find)
    if not np.isfinite(above[-1]).any():
        return float("nan")

    totals, pixels = np.zeros(2), np.zeros(2)
    below = np.full((2, shape[1]), np.inf)
    for band, top in reversed(list(enumerate(raster.tops))):
        sites = raster.sites(top, find)
        for start, end in ((0, 1), (1, 0)):
            beside = np.stack([above[band][end], below[end]]) - top
            distances = _distances(sites[start], sites[end], beside)
            totals[start] += distances.sum()
            pixels[start] += distances.size
        below = np.where(sites.any(axis=1), top + sites.argmax(axis=1), below)
    return float((totals / pixels).mean())


@dataclass(frozen=True)
class _Raster:
    """Two label maps that are read a band at a time."""

    read_rows: ReadRows
    shape: tuple[int, int]
    ignore: int | None
    rows: int

    @property
    def tops(self) -> range:
        """The first row of each band."""
        return range(0, self.shape[0], self.rows)

    def sites(self, top: int, find: list[FindSites]) -> NDArray[np.bool_]:
        """Where either map has its boundary in a band: (2, h, W). Takes a look at the rows beside it."""
        height, width = self.shape
        start, stop = max(top - 1, 0), min(top + self.rows + 1, height)
        maps = label_map_pair(*self.read_rows(start, stop))
        if maps[0].shape != (stop - start, width):
            raise InputError("read_rows", f"rows {start}..{stop - 1} came with shape {maps[0].shape}")
        valid = valid_pixels(maps, self.ignore)
        found = np.stack([find_one(labels, valid) for find_one, labels in zip(find, maps, strict=True)])
        return found[:, top - start :][:, : self.rows]


def _lowest_sites_above(raster: _Raster, find: list[FindSites]) -> list[NDArray[np.float64]]:
    """By band, the row of the lowest site above it in each column: (2, W), -inf where there is none.

    One more at the end is for what would be below the raster.
    """
    above = [np.full((2, raster.shape[1]), -np.inf)]
    for top in raster.tops:
        sites = raster.sites(top, find)
        lowest = top + sites.shape[1] - 1 - sites[:, ::-1].argmax(axis=1)
        above.append(np.where(sites.any(axis=1), lowest, above[-1]))
    return above


def _distances(start: NDArray[np.bool_], end: NDArray[np.bool_], beside: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each site of `start` to the nearest of `end`, in the band or beside it.

    `beside` (2, W) is the row, from the top of the band, of the one site above and of the one below in each
    column; infinite where there is none.
    """
    # SciPy's trees take a third of a second to import, which only rasters this large are worth.
    from scipy.spatial import KDTree

    rows, columns = np.nonzero(start)
    distances = distances_between(start, end) if end.any() else np.full(rows.size, np.inf)
    _, columns_beside = np.nonzero(np.isfinite(beside))
    rows_beside = beside[np.isfinite(beside)]
    to_edge = np.minimum(rows + 1, len(start) - rows)
    unsure = distances > to_edge
    if unsure.any() and rows_beside.size:
        tree = KDTree(np.stack([rows_beside, columns_beside], axis=1))
        outwards, _ = tree.query(np.stack([rows[unsure], columns[unsure]], axis=1))
        distances[unsure] = np.minimum(distances[unsure], outwards)
    return distances
