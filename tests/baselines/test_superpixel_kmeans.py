"""k-means on the means of superpixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from terrasift import superpixels
from terrasift.baselines import SuperpixelKMeans
from terrasift.blocks.regions import region_means
from terrasift.raster import Raster
from terrasift.recipe import Refinement


@pytest.mark.parametrize("bands", [1, 4, 10])
def test_means_are_those_of_plain_loops(bands: int) -> None:
    random = np.random.default_rng(bands)
    image = random.random((20, 30, bands)).astype(np.float32)
    regions = random.permutation(np.arange(600) % 17).reshape(20, 30).astype(np.int32)
    valid = random.random((20, 30)) < 0.7
    found = region_means(image, regions, valid)
    for region in range(17):
        pixels = [image[r, c] for r in range(20) for c in range(30) if valid[r, c] and regions[r, c] == region]
        np.testing.assert_allclose(found[region], np.mean(pixels, axis=0), rtol=1e-5)


@pytest.mark.parametrize(("bands", "hole"), [(1, 0), (3, 0), (4, 20), (10, 20)])
def test_planted_quarters_are_found(
    plant: Callable[..., Any], agreement: Callable[..., float], bands: int, hole: int
) -> None:
    planted = plant(bands, hole=hole)
    part = planted.segment(SuperpixelKMeans(4, planted.scaling).fit(planted.patches))
    clusters, valid = part.clusters[0], planted.valid
    np.testing.assert_array_equal(part.valid, valid)
    assert agreement(clusters[valid], planted.truth[valid]) > 0.98


def test_clusters_are_constant_inside_the_superpixels_of_the_default_recipe(plant: Callable[..., Any]) -> None:
    planted = plant()
    clusters = planted.segment(SuperpixelKMeans(8, planted.scaling).fit(planted.patches)).clusters[0]
    with Raster(planted.path) as raster:
        image = (raster.read()[0] / 255).astype(np.float32)
    defaults = Refinement()
    regions = superpixels(image, area=defaults.area, compactness=defaults.compactness)
    for region in range(regions.max() + 1):
        assert len(np.unique(clusters[regions == region])) == 1
    assert 4 <= len(np.unique(clusters)) <= 8


def test_the_same_seed_gives_the_same_clusters(plant: Callable[..., Any]) -> None:
    planted = plant()
    first, second = (
        planted.segment(SuperpixelKMeans(8, planted.scaling, seed=3).fit(planted.patches)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.clusters[0], second.clusters[0])


def test_only_the_named_bands_count(plant: Callable[..., Any]) -> None:
    planted = plant(3)
    one = planted.scaling.model_copy(update={"low": (0.0,), "high": (255.0,), "fill": (0.5,)})
    part = planted.segment(SuperpixelKMeans(2, one, bands=(2,)).fit(planted.patches))
    assert set(np.unique(part.clusters[0])) == {0, 1}
