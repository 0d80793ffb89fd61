"""Planted images: blocks of one colour each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import rasterio

from terrasift import Scaling
from terrasift.data.patches import Patch, index_patches
from terrasift.data.scenes import describe_scenes
from terrasift.prediction import ClusterWindow, Segmenter
from terrasift.raster import Raster, write_image

NODATA = 255


class Planted(NamedTuple):
    """An image of four quarters, and what was planted in it."""

    path: Path
    truth: np.ndarray
    """(H, W): 0 to 3."""
    valid: np.ndarray
    """(H, W), bool."""
    scaling: Scaling

    @property
    def patches(self) -> list[Patch]:
        return index_patches(describe_scenes([str(self.path)]), 64, 0.1)

    def segment(self, segmenter: Segmenter) -> ClusterWindow:
        """The one window of the image."""
        with Raster(self.path) as raster:
            (part,) = segmenter.segment(raster)
        return part


@pytest.fixture
def plant(tmp_path: Path) -> Callable[..., Planted]:
    """Makes a planted image of any number of bands; `hole`: rows and columns up to it hold no data."""

    def make(bands: int = 3, side: int = 64, hole: int = 0) -> Planted:
        random = np.random.default_rng(bands)
        colours = np.array([30, 90, 150, 210])[:, None] + random.integers(-20, 20, (4, bands))
        truth = np.arange(side)[:, None] // (side // 2) * 2 + np.arange(side) // (side // 2)
        image = (colours[truth] + random.integers(-4, 5, (side, side, bands))).astype(np.uint8)
        valid = np.ones((side, side), bool)
        valid[:hole, :hole] = False
        image[~valid] = NODATA
        path = tmp_path / f"planted-{bands}-{side}-{hole}.tif"
        write_image(path, image, crs="EPSG:32633", transform=(1.0, 0.0, 0.0, 0.0, -1.0, 0.0))
        if hole:
            with rasterio.open(path, "r+") as dataset:
                dataset.nodata = NODATA
        scaling = Scaling(dtype="uint8", low=(0,) * bands, high=(255,) * bands, fill=(0.5,) * bands)
        return Planted(path, truth, valid, scaling)

    return make


@pytest.fixture
def agreement() -> Callable[[np.ndarray, np.ndarray], float]:
    """Share of pixels in the class that most of their cluster is in, times the same the other way round."""

    def measure(clusters: np.ndarray, truth: np.ndarray) -> float:
        counts = np.zeros((int(clusters.max()) + 1, int(truth.max()) + 1))
        np.add.at(counts, (clusters, truth), 1)
        return float(counts.max(axis=0).sum() * counts.max(axis=1).sum() / counts.sum() ** 2)

    return measure
