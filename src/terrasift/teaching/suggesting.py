"""Where to click next: places that, with those clicked already, stand for all the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.taught import TaughtClassifier
from terrasift.raster import RasterInfo
from terrasift.teaching.classifier import Metric
from terrasift.teaching.regions import RegionTable
from terrasift.teaching.writing import MapPoint

__all__ = ["suggest_points", "suggest_rows", "uncertainty"]

_MOST = 6_000  # superpixels that are stood for
_CANDIDATES = 2_000  # of them, drawn by their weights, among which is chosen
_CERTAIN = 0.1  # weight of a superpixel whose class is certain, against 1.1 of one that may as well be another
_RARE = 0.005  # of the scenes: no class is taken to be rarer


def uncertainty(shares: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n,), in [0, 1]: one less the margin between the two likeliest classes of each row of shares (n, C)."""
    if shares.shape[1] < 2:
        return np.ones(len(shares))
    first_two = np.sort(shares, axis=1)[:, -2:]
    return 1.0 - (first_two[:, 1] - first_two[:, 0]).astype(np.float64)


def suggest_rows(
    table: RegionTable,
    metric: Metric,
    shares: NDArray[np.floating] | None,
    count: int,
    *,
    labelled: NDArray[np.float32] | None = None,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Superpixels whose class would help most, the most helpful first.

    One after another, always that which brings the superpixels nearest, on average, to one that is labelled or
    suggested. All of them count, by their pixels, for labels should show what is typical; those of which a classifier
    is unsure count more, and all classes count alike, however rare.

    Parameters
    ----------
    table
        n superpixels.
    metric
        In which they are compared.
    shares
        (n, C), the classifier's; None before there is one: then pixels alone count.
    count
        How many are wanted; there may be fewer different superpixels.
    labelled
        (m, F): features of superpixels that are labelled already, or asked about in vain.
    seed
        Of the bounded sample that is looked at.

    Returns
    -------
    ndarray
        Rows, int64.

    References
    ----------
    Nemhauser, Wolsey and Fisher, "An Analysis of Approximations for Maximizing Submodular Set Functions", Mathematical
    Programming 14, 1978: greedy facility location is within 1 - 1/e of the best. Hacohen, Dekel and Weinshall, "Active
    Learning on a Budget", ICML 2022: with few labels typical examples teach more than uncertain ones.
    """
    from sklearn.metrics.pairwise import euclidean_distances

    generator = np.random.default_rng(seed)
    rows = generator.permutation(len(table.pixels))[:_MOST]
    points = metric(table.features[rows]).astype(np.float32)
    weights = _weights(table.pixels[rows], None if shares is None else shares[rows]).astype(np.float32)
    candidates = generator.choice(len(rows), min(_CANDIDATES, len(rows)), replace=False, p=weights / weights.sum())
    away = euclidean_distances(points[candidates], points)
    if labelled is None or not len(labelled):
        nearest = np.full(len(rows), 2 * away.max(), np.float32)
    else:
        nearest = euclidean_distances(metric(labelled).astype(np.float32), points).min(axis=0)
    gains = np.maximum(nearest - away, 0) @ weights  # later ones are never greater: only the best are computed anew
    found: list[int] = []
    while len(found) < count and gains.max() > 0:
        best = int(gains.argmax())
        gains[best] = np.maximum(nearest - away[best], 0) @ weights
        if best == gains.argmax():
            found.append(best)
            nearest, gains[best] = np.minimum(nearest, away[best]), 0
    return rows[candidates[found]]


def _weights(pixels: NDArray[np.int64], shares: NDArray[np.floating] | None) -> NDArray[np.float64]:
    """(n,), above 0, sum 1."""
    weights = pixels / pixels.sum()
    if shares is not None:
        frequencies = np.maximum(weights @ shares, _RARE)
        weights = weights * (_CERTAIN + uncertainty(shares)) * (shares @ (1 / frequencies))
    total: NDArray[np.float64] = weights / weights.sum()
    return total


def suggest_points(
    table: RegionTable,
    metric: Metric,
    infos: Sequence[RasterInfo],
    count: int,
    classifier: TaughtClassifier | None = None,
    names: Sequence[str] = (),
    labelled: NDArray[np.float32] | None = None,
) -> list[MapPoint]:
    """`suggest_rows` as places, with what a classifier takes them for.

    Parameters
    ----------
    table
        Superpixels of the scenes.
    metric
        In which they are compared.
    infos
        The scenes.
    count
        How many are wanted.
    classifier
        The present one; None before there is one.
    names
        Of its classes.
    labelled
        (m, F): features of superpixels that have a label, where that is known.
    """
    shares = None if classifier is None else classifier.shares(table.features)
    rows = suggest_rows(table, metric, shares, count, labelled=labelled)
    points = []
    for row in rows.tolist():
        scene, line, column = table.places[row].tolist()
        point = MapPoint(infos[scene], line, column)
        if shares is not None:
            unsure = float(uncertainty(shares[row : row + 1])[0])
            point = point._replace(likely=names[int(shares[row].argmax())], uncertainty=unsure)
        points.append(point)
    return points
