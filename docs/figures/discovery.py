"""Draw docs/images/discovery.jpg on an image: python docs/figures/discovery.py IMAGE docs/images/discovery.jpg"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import terrasift
from terrasift.raster import Raster

SIDE = 384  # pixels of the image shown


def main(image: Path, out: Path) -> None:
    """Draw the filters, the image, its embedding in three colours, and its clusters."""
    found = terrasift.discover([image], terrasift.Recipe.load("default", ["clusters=30"]))
    with Raster(image) as raster:
        array = raster.read()[0][:SIDE, :SIDE]
    pictures = {
        "filters, full resolution": _sheet(found.filters[0]),
        "the image": array,
        "embedding, three strongest directions": _colours(found.embedding(array)),
        "clusters": _palette(30)[found.labels(array)],
    }
    figure = Figure(figsize=(16, 4.4), layout="tight")
    for axes, (title, picture) in zip(figure.subplots(1, 4), pictures.items(), strict=True):
        axes.imshow(picture, interpolation="nearest")
        axes.set_title(title)
        axes.axis("off")
    figure.savefig(out, dpi=80)


def _sheet(filters: NDArray[np.float32]) -> NDArray[np.float64]:
    """(F, B, 7, 7) as a sheet of 6 x 8 small pictures, grey being 0."""
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    tiles = np.moveaxis(0.5 + filters / (2 * largest), 1, -1)
    framed = np.pad(tiles, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=1.0)
    rows = framed.reshape(6, 8, *framed.shape[1:])
    return np.concatenate(np.concatenate(rows, axis=1), axis=1)


def _colours(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """(H, W, E) to (H, W, 3) in [0, 1]."""
    flat = points.reshape(-1, points.shape[2])
    centred = flat - flat.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    shown = centred @ directions[:, -3:]
    low, high = np.percentile(shown, (2, 98), axis=0)
    return np.clip((shown - low) / (high - low), 0, 1).reshape(*points.shape[:2], 3)


def _palette(count: int) -> NDArray[np.float64]:
    return np.random.default_rng(1).uniform(0.1, 1, (count, 3))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
