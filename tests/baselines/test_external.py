"""The external algorithm as a segmenter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from terrasift import InputError, external_segmentation
from terrasift.baselines import ExternalAlone
from terrasift.raster import Raster


@pytest.mark.parametrize(
    ("bands", "color_bands", "hole"), [(1, (1, 1, 1), 0), (3, (1, 2, 3), 0), (4, (4, 2, 1), 20), (10, (9, 5, 1), 20)]
)
def test_clusters_are_the_classes_of_the_algorithm(
    plant: Callable[..., Any], bands: int, color_bands: tuple[int, ...], hole: int
) -> None:
    planted = plant(bands, side=96, hole=hole)
    part = planted.segment(ExternalAlone(planted.scaling, seed=1, color_bands=color_bands))
    with Raster(planted.path) as raster:
        values, valid = raster.read()
    unit = (values.astype(np.float64) / 255).astype(np.float32)
    expected = external_segmentation(unit, bands=[number - 1 for number in color_bands], seed=1, valid=valid)
    np.testing.assert_array_equal(part.valid, valid)
    np.testing.assert_array_equal(part.clusters[0][valid], expected[valid])
    assert (part.clusters[0][~valid] == 0).all()
    assert 2 <= part.clusters[0].max() + 1 <= ExternalAlone.clusters


def test_planted_halves_are_found(plant: Callable[..., Any], agreement: Callable[..., float]) -> None:
    """The algorithm merges close colours: each class found must lie in whole quarters."""
    planted = plant(side=96)
    clusters = planted.segment(ExternalAlone(planted.scaling)).clusters[0]
    main = [np.bincount(clusters[planted.truth == quarter]).max() for quarter in range(4)]
    assert sum(main) > 0.95 * clusters.size
    assert clusters[0, 0] != clusters[-1, -1]


def test_the_seed_reaches_the_algorithm(plant: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def show_seed(image: np.ndarray, *, seed: int, **_: Any) -> np.ndarray:
        return np.full(image.shape[:2], seed)

    monkeypatch.setattr("terrasift.blocks.external.external_segmentation", show_seed)
    planted = plant()
    assert (planted.segment(ExternalAlone(planted.scaling, seed=5)).clusters[0] == 5).all()


def test_bands_that_are_not_there_are_refused(plant: Callable[..., Any]) -> None:
    planted = plant(1)
    with pytest.raises(InputError, match="bands"):
        planted.segment(ExternalAlone(planted.scaling))
