"""Where to click next: places of which a classifier is unsure, that stand for many others, unlike one another."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.taught import TaughtClassifier
from terrasift.raster import RasterInfo
from terrasift.teaching.classifier import Metric
from terrasift.teaching.regions import RegionTable
from terrasift.teaching.writing import MapPoint

__all__ = ["suggest_points", "suggest_rows", "uncertainty"]

_SHARE = 0.5  # of superpixels, the less certain ones, among which is chosen


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
    labelled: NDArray[np.int64] | None = None,
    taken: NDArray[np.bool_] | None = None,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Superpixels whose class would help most, the most helpful first.

    k-means over the less certain half of the superpixels, each weighted by its uncertainty, its pixels, and how few
    labels the classes have that it may be, finds as many groups as are asked for; of each the superpixel nearest to its
    middle is suggested, and the heaviest group comes first.

    Parameters
    ----------
    table
        n superpixels.
    metric
        In which they are compared.
    shares
        (n, C), the classifier's; None before there is one: then every superpixel is equally uncertain.
    count
        How many are wanted; there may be fewer superpixels.
    labelled
        (C,): labelled superpixels of each class; None: as many of each.
    taken
        (n,): superpixels that are labelled already.
    seed
        Of k-means.

    Returns
    -------
    ndarray
        Rows, int64.

    References
    ----------
    Zhdanov, "Diverse mini-batch Active Learning", arXiv:1901.05954, 2019.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    free = np.ones(len(table.pixels), np.bool_) if taken is None else ~taken
    unsure = np.ones(len(free)) if shares is None else uncertainty(shares)
    rows = np.flatnonzero(free & (unsure > 0))
    if shares is not None:
        rows = rows[unsure[rows] >= np.quantile(unsure[rows], 1 - _SHARE)] if len(rows) > 2 * count else rows
    if len(rows) <= count:
        return rows[np.argsort(-unsure[rows], kind="stable")].astype(np.int64)
    points, weights = metric(table.features[rows]), unsure[rows] * table.pixels[rows]
    if shares is not None and labelled is not None:
        weights = weights * (shares[rows] @ (1.0 / np.maximum(labelled, 1)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different superpixels than asked for
        model = KMeans(count, n_init=1, random_state=seed).fit(points, sample_weight=weights)
    distances = np.linalg.norm(points - model.cluster_centers_[model.labels_], axis=1)
    nearest: dict[int, int] = {}
    for index in np.argsort(distances, kind="stable").tolist():
        nearest.setdefault(int(model.labels_[index]), int(rows[index]))
    heaviest = np.argsort(-np.bincount(model.labels_, weights, minlength=count), kind="stable")
    return np.array([nearest[group] for group in heaviest.tolist() if group in nearest], np.int64)


def suggest_points(
    table: RegionTable,
    metric: Metric,
    infos: Sequence[RasterInfo],
    count: int,
    classifier: TaughtClassifier | None = None,
    names: Sequence[str] = (),
    labelled: NDArray[np.int64] | None = None,
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
        (C,): superpixels of each that have a label, where that is known.
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
