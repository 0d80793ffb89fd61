"""A map that errs, and the truth behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from terrasift import LandClass, Legend
from terrasift.raster import ClassMapWriter, RasterInfo, Window

COLORS = ("#0000FF", "#00FF00", "#888888")
CLASSES = ("water", "wood", "road")
LEGEND = Legend(tuple(LandClass(name, color) for name, color in zip(CLASSES, COLORS, strict=True)))
UTM = ("EPSG:32633", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0))
PLAIN = ("", (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))


class Site(NamedTuple):
    """Files and what is in them."""

    map: Path
    scene: Path
    mapped: NDArray[np.uint8]
    truth: NDArray[np.uint8]


def write_map(path: Path, labels: NDArray[Any], grid: tuple[str, tuple[float, ...]] = UTM) -> Path:
    info = RasterInfo("", *labels.shape, 1, "uint8", False, False, (), *grid, None, "GTiff")  # type: ignore[arg-type]
    with ClassMapWriter(path, info, LEGEND) as writer:
        writer.write(labels, Window(0, 0, *labels.shape))
    return path


def known_map(size: int = 120, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A map and the truth, (size, size): a tenth of its pixels are wrong, and its corner is nodata."""
    generator = np.random.default_rng(seed)
    smooth = np.stack([gaussian_filter(generator.normal(size=(size, size)), 4) for _ in CLASSES])
    truth = (smooth / smooth.std(axis=(1, 2), keepdims=True) + np.array([0.4, 0.6, 0.0])[:, None, None]).argmax(0)
    wrong = generator.random(truth.shape) < 0.1
    mapped = np.where(wrong, generator.integers(0, 3, truth.shape), truth).astype(np.uint8)
    mapped[: size // 6, : size // 3] = 255
    return mapped, truth.astype(np.uint8)
