"""Both k-means: what they find, and that they are fitted with a recipe on a bounded part of the images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from terrasift import Recipe, SettingError, superpixels
from terrasift.baselines import KMeans, PixelKMeans, SuperpixelKMeans, fit_kmeans
from terrasift.data import sampling
from terrasift.data.indexing import index_images
from terrasift.data.patches import Patch
from terrasift.data.sampling import draw_patches
from terrasift.prediction import Segmenter
from terrasift.raster import Raster
from terrasift.recipe import Refinement

BOTH = pytest.mark.parametrize("kind", [PixelKMeans, SuperpixelKMeans])


def clusters_of(segmenter: Segmenter, planted: Any) -> np.ndarray:
    whole = np.full(planted.truth.shape, -1)
    with Raster(planted.path) as raster:
        for window, (clusters,), _, _ in segmenter.segment(raster):
            whole[window.row : window.row + window.height, window.column : window.column + window.width] = clusters
    return whole


@BOTH
def test_it_is_the_baseline_with_what_the_recipe_says(plant: Callable[..., Any], kind: type[KMeans]) -> None:
    planted = plant()
    recipe = Recipe(clusters=5, bands=(3, 1), seed=4)
    two = planted.scaling.model_copy(update={"low": (0.0,) * 2, "high": (255.0,) * 2, "fill": (0.5,) * 2})
    found = clusters_of(fit_kmeans(kind, planted.patches, two, recipe), planted)
    expected = clusters_of(kind(5, two, (3, 1), 4).fit(planted.patches), planted)
    np.testing.assert_array_equal(found, expected)


@BOTH
def test_at_another_resolution_clusters_come_on_the_scenes_own_grid(
    plant: Callable[..., Any], agreement: Callable[..., float], kind: type[KMeans]
) -> None:
    planted = plant(side=96)
    recipe = Recipe(clusters=4, resolution=2.0, patch=32)
    _, patches, scaling = index_images([str(planted.path)], recipe)
    found = clusters_of(fit_kmeans(kind, patches, scaling, recipe), planted)
    assert agreement(found, planted.truth) > 0.95


@BOTH
def test_of_many_patches_a_seeded_sample_is_read(
    plant: Callable[..., Any], kind: type[KMeans], monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = plant(side=256)
    read: list[list[Patch]] = []

    def seen(patches: Iterable[Patch], total: int, _: str) -> Iterable[Patch]:
        read.append(list(patches))
        assert len(read[-1]) == total
        return read[-1]

    monkeypatch.setattr(f"{kind.__module__}.track", seen)

    def fit(seed: int) -> None:
        fit_kmeans(kind, planted.patches, planted.scaling, Recipe(clusters=4, seed=seed))

    fit(0)
    assert read == [planted.patches]
    monkeypatch.setattr(sampling, "MOST_PIXELS", 3 * 64 * 64)
    for seed in (0, 0, 1):
        fit(seed)
    assert [len(patches) for patches in read[1:]] == [3, 3, 3]
    assert read[1] == read[2] != read[3]
    assert read[1] == [patch for patch in planted.patches if patch in read[1]], "in the order of the images"
    assert len(draw_patches(planted.patches, 0, most=1)) == 1


@BOTH
def test_what_holds_less_than_clusters_is_refused(plant: Callable[..., Any], kind: type[KMeans]) -> None:
    planted = plant(side=16)
    with pytest.raises(SettingError, match=r"clusters: 300 is more than the \d+ (super)?pixels of the images"):
        kind(300, planted.scaling).fit(planted.patches)


@BOTH
@pytest.mark.parametrize(("bands", "hole"), [(1, 0), (3, 0), (4, 20), (10, 20)])
def test_planted_quarters_are_found(
    plant: Callable[..., Any], agreement: Callable[..., float], kind: type[KMeans], bands: int, hole: int
) -> None:
    planted = plant(bands, hole=hole)
    part, again = (planted.segment(kind(4, planted.scaling, seed=3).fit(planted.patches)) for _ in range(2))
    clusters, valid = part.clusters[0], planted.valid
    np.testing.assert_array_equal(part.valid, valid)
    assert agreement(clusters[valid], planted.truth[valid]) > 0.98
    np.testing.assert_array_equal(clusters, again.clusters[0])  # the same seed


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


def test_only_the_named_bands_count(plant: Callable[..., Any]) -> None:
    planted = plant(3)
    one = planted.scaling.model_copy(update={"low": (0.0,), "high": (255.0,), "fill": (0.5,)})
    part = planted.segment(SuperpixelKMeans(2, one, bands=(2,)).fit(planted.patches))
    assert set(np.unique(part.clusters[0])) == {0, 1}
