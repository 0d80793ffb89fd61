"""k-means on the bands of single pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terrasift import Recipe, Scaling
from terrasift.baselines import PixelKMeans
from terrasift.data.patches import index_patches
from terrasift.data.scenes import describe_scenes
from terrasift.raster import Raster, write_image


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 32:] = (200, 100, 50)
    image += np.random.default_rng(0).integers(0, 20, image.shape, np.uint8)
    write_image(tmp_path / "halves.png", image)
    return tmp_path / "halves.png"


def clusters(path: Path, seed: int) -> np.ndarray:
    scaling = Scaling(dtype="uint8", low=(0,) * 3, high=(255,) * 3, fill=(0.5,) * 3)
    patches = index_patches(describe_scenes([str(path)]), Recipe().patch, 0.5)
    model = PixelKMeans(2, scaling, seed=seed).fit(patches)
    with Raster(path) as raster:
        (part,) = model.segment(raster)
    return part.clusters[0]


def test_two_colours_become_two_clusters(halves: Path) -> None:
    found = clusters(halves, seed=0)
    assert len(np.unique(found[:, :32])) == len(np.unique(found[:, 32:])) == 1
    assert found[0, 0] != found[0, -1]


def test_the_same_seed_gives_the_same_clusters(halves: Path) -> None:
    np.testing.assert_array_equal(clusters(halves, seed=1), clusters(halves, seed=1))
