"""How many pixels each region of one label map shares with each region of another."""

from __future__ import annotations

__all__ = ["ContingencyTable", "Regions", "contingency"]

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from terrasift.metrics.inputs import Ignore, LabelArray, paired_blocks

# Dense counting is the faster way up to here, and takes 8 MB.
DENSE_CELLS = 2**20
# Tables are summed once this many cells have come together, or twice those of their sum so far: 24 MB.
PENDING_CELLS = 2**20


def contingency(predicted: LabelArray, truth: LabelArray, ignore: Ignore = None) -> ContingencyTable:
    """Count the pixels of every pair of labels that occurs: all that the region metrics need.

    Parameters
    ----------
    predicted, truth
        Label maps of one shape: NumPy arrays or tensors of any integer dtype. Labels are names: they may be
        negative, have gaps, and mean different things in the two maps.
    ignore
        A label, or a mask of the same shape that is True at pixels to leave out. Pixels where either map
        holds the label count nowhere.

    Returns
    -------
    ContingencyTable
        Exact integer counts. Tables of the windows of a raster add up to that of the whole.

    Raises
    ------
    InputError
        Where a dtype is wrong or shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> table = contingency(np.array([[3, 3, 5]]), np.array([[-1, -1, -1]]))
    >>> table.predicted, table.truth, table.counts
    (array([3, 5]), array([-1, -1]), array([2, 1]))
    """
    return ContingencyTable.merged(_count(*pair) for pair in paired_blocks(predicted, truth, ignore))


@dataclass(frozen=True, eq=False)
class ContingencyTable:
    """The cells of a contingency table that are not zero, ordered by truth and then by prediction.

    Parameters
    ----------
    predicted, truth
        int64 (n,): the two labels of each cell.
    counts
        int64 (n,): the pixels that hold both, at least one.
    """

    predicted: NDArray[np.int64]
    truth: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def merged(cls, tables: Iterable[ContingencyTable]) -> ContingencyTable:
        """The sum of any number of tables, in memory that grows with the sum only; that of none is empty."""
        parts: list[ContingencyTable] = []
        cells, limit = 0, PENDING_CELLS
        for table in tables:
            parts.append(table)
            cells += table.counts.size
            if cells > limit:
                parts = [_sum(parts)]
                cells = parts[0].counts.size
                limit = max(PENDING_CELLS, 2 * cells)
        return _sum(parts)

    def __add__(self, other: ContingencyTable) -> ContingencyTable:
        return ContingencyTable.merged([self, other])

    @property
    def total(self) -> int:
        """The number of pixels counted, N."""
        return int(self.counts.sum())

    @cached_property
    def predicted_regions(self) -> Regions:
        """The columns of the table."""
        return _regions(self.predicted, self.counts)

    @cached_property
    def truth_regions(self) -> Regions:
        """The rows of the table."""
        return _regions(self.truth, self.counts)


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of one of the two maps, by ascending label.

    Parameters
    ----------
    areas
        int64 (regions,): the pixels of each.
    of_cells
        (n,): for each cell of the table, the position of its region in `areas`.
    """

    areas: NDArray[np.int64]
    of_cells: NDArray[np.intp]

    @property
    def areas_of_cells(self) -> NDArray[np.int64]:
        """int64 (n,): for each cell of the table, the pixels of its region."""
        return self.areas[self.of_cells]


def _sum(tables: list[ContingencyTable]) -> ContingencyTable:
    predicted = np.concatenate([np.empty(0, np.int64), *(table.predicted for table in tables)])
    truth = np.concatenate([np.empty(0, np.int64), *(table.truth for table in tables)])
    counts = np.concatenate([np.empty(0, np.int64), *(table.counts for table in tables)])
    order = np.lexsort((predicted, truth))
    predicted, truth, counts = predicted[order], truth[order], counts[order]
    is_new = np.ones(counts.size, np.bool_)
    is_new[1:] = (predicted[1:] != predicted[:-1]) | (truth[1:] != truth[:-1])
    first = np.flatnonzero(is_new)
    return ContingencyTable(predicted[first], truth[first], np.add.reduceat(counts, first))


def _count(predicted: NDArray[np.int64], truth: NDArray[np.int64]) -> ContingencyTable:
    """The table of one block."""
    if predicted.size == 0:
        return ContingencyTable.merged([])
    predicted_codes, predicted_labels = _codes(predicted)
    truth_codes, truth_labels = _codes(truth)
    truth_codes *= predicted_labels.size  # in place: memory anew for each block costs more than the arithmetic
    truth_codes += predicted_codes
    if truth_labels.size * predicted_labels.size <= DENSE_CELLS:
        dense = np.bincount(truth_codes)
        cells = np.flatnonzero(dense)
        counts = dense[cells]
    else:
        cells, counts = np.unique(truth_codes, return_counts=True)
    truth_of_cells, predicted_of_cells = np.divmod(cells, predicted_labels.size)
    return ContingencyTable(predicted_labels[predicted_of_cells], truth_labels[truth_of_cells], counts)


def _codes(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels as positions in a sorted list of names, and that list, which may hold more names."""
    lowest, highest = labels.min(), labels.max()
    span = int(highest) - int(lowest) + 1
    if span <= labels.size:
        return labels - lowest, lowest + np.arange(span)
    names, codes = np.unique(labels, return_inverse=True)
    return codes, names


def _regions(labels: NDArray[np.int64], counts: NDArray[np.int64]) -> Regions:
    names, of_cells = np.unique(labels, return_inverse=True)
    areas = np.zeros(names.size, np.int64)
    np.add.at(areas, of_cells, counts)
    return Regions(areas, of_cells)
