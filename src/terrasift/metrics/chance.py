"""What mutual information comes to by chance."""

from __future__ import annotations

__all__ = ["expected_mutual_information"]

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Areas at a time, so that the table of pairs of areas stays in the processor's cache.
BLOCK_AREAS = 64
# Outcomes less likely than this, against the likeliest, do not show in float64.
NEGLIGIBLE = 1e-17


def expected_mutual_information(predicted_areas: NDArray[np.int64], truth_areas: NDArray[np.int64]) -> float:
    """The mean mutual information, in nats, of two partitions with regions of these sizes placed at random.

    By chance the overlap n of regions of a and b pixels out of N is hypergeometric, and adds
    ``n / N log(N n / (a b))``. Scikit-learn's function of the same name sums this over every n up to
    min(a, b): minutes for a scene. Here the sum leaves out what float64 cannot hold, and pairs of equal areas
    are computed once.

    Parameters
    ----------
    predicted_areas, truth_areas
        Pixels of each region; at least one each, and both with the same sum, N.

    References
    ----------
    .. [1] Vinh, Epps, Bailey, "Information theoretic measures for clusterings comparison", JMLR 11, 2010,
       equation 24a.
    """
    total = int(truth_areas.sum())
    rows, row_counts = np.unique(truth_areas, return_counts=True)
    columns, column_counts = np.unique(predicted_areas, return_counts=True)
    expected = 0.0
    # Pairs of similar areas share a block, and so need about as many terms.
    for top in range(0, rows.size, BLOCK_AREAS):
        row_block = slice(top, top + BLOCK_AREAS)
        for left in range(0, columns.size, BLOCK_AREAS):
            column_block = slice(left, left + BLOCK_AREAS)
            information = _expected_overlap_information(rows[row_block, None], columns[column_block], total)
            expected += float(row_counts[row_block] @ information @ column_counts[column_block])
    return expected / total


def _expected_overlap_information(a: NDArray[np.int64], b: NDArray[np.int64], total: int) -> NDArray[np.float64]:
    """The mean of n log(N n / (a b)) over hypergeometric n, for all pairs of areas a (column) and b (row)."""
    expected_overlap = a * (b / total)
    mass = np.zeros(expected_overlap.shape)
    moment = np.zeros(expected_overlap.shape)
    for overlap, weight in _overlaps(a.astype(np.float64), b.astype(np.float64), total):
        mass += weight
        moment += weight * overlap * np.log(np.maximum(overlap, 1) / expected_overlap)
    return moment / mass


def _overlaps(
    a: NDArray[np.float64], b: NDArray[np.float64], total: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Every overlap n worth summing and its likelihood against the likeliest, from that upwards, then down.

    Each likelihood follows from its neighbour's; it becomes 0, and stays so, beyond what is possible.
    """
    neither = total - a - b
    likeliest = np.floor((a + 1) * (b + 1) / (total + 2))

    n, weight = likeliest, np.ones(likeliest.shape)
    while weight.max() > NEGLIGIBLE:
        yield n, weight
        weight = weight * (a - n) * (b - n) / ((n + 1) * (neither + n + 1))
        n = n + 1

    n, weight = likeliest, np.ones(likeliest.shape)
    while True:
        weight = weight * n * (neither + n) / ((a - n + 1) * (b - n + 1))
        n = n - 1
        if weight.max() <= NEGLIGIBLE:
            return
        yield n, weight
