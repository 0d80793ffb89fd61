"""A fresh network overfitted to each image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from terrasift import SettingError, build_network, superpixels
from terrasift.baselines import PerImageOptimisation, per_image
from terrasift.raster import Raster
from terrasift.training import training_step

TINY = {"clusters": 8, "width": 8}


def naive(planted: Any, extractor: str, steps: int, clusters: int = 8) -> list[np.ndarray]:
    """The published loops in plain code: labels of each step, before the vote for Kan, after it for DIC."""
    lr, area, compactness = {"kan": (0.1, 15, 100), "dic": (0.05, 100, 10)}[extractor]
    torch.manual_seed(0)
    network = build_network(extractor, clusters=clusters, width=8).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9)
    with Raster(planted.path) as raster:
        image = (raster.read()[0] / 255).astype(np.float32)
    regions = superpixels(image, area=area, compactness=compactness)
    shown = []
    for _ in range(steps):
        (logits,) = network(torch.from_numpy(image.transpose(2, 0, 1))[None])
        labels = logits[0].argmax(dim=0).numpy()
        voted = labels.copy()
        for region in range(regions.max() + 1):
            voted[regions == region] = np.bincount(labels[regions == region]).argmax()
        loss = functional.cross_entropy(logits, torch.from_numpy(voted)[None])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        shown.append(labels if extractor == "kan" else voted)
    return shown


@pytest.mark.parametrize("extractor", ["kan", "dic"])
def test_steps_are_those_of_the_published_loop(plant: Callable[..., Any], extractor: str) -> None:
    planted = plant(side=32)
    expected = naive(planted, extractor, steps=4)
    assert len(np.unique(expected[-1])) > 3, "the loop must not have stopped"
    for steps in (1, 4):
        model = PerImageOptimisation(extractor, planted.scaling, iterations=steps, **TINY)
        found = planted.segment(model).clusters[0]
        assert (found == expected[steps - 1]).mean() > 0.99  # sums of other orders may tip a pixel


@pytest.mark.parametrize("extractor", ["kan", "dic"])
def test_it_stops_at_three_labels(plant: Callable[..., Any], extractor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = plant(side=32)
    shown = naive(planted, extractor, steps=40, clusters=5)
    reached = next(step for step, labels in enumerate(shown) if len(np.unique(labels)) <= 3)
    steps = []

    def counted(*arguments: Any) -> Any:
        steps.append(1)
        return training_step(*arguments)

    monkeypatch.setattr(per_image, "training_step", counted)
    model = PerImageOptimisation(extractor, planted.scaling, iterations=60, clusters=5, width=8)
    assert len(np.unique(planted.segment(model).clusters[0])) <= 3
    assert len(steps) == reached + 1


@pytest.mark.parametrize("extractor", ["kan", "dic"])
@pytest.mark.parametrize(("bands", "hole"), [(1, 0), (4, 20), (10, 20)])
def test_planted_quarters_are_found(plant: Callable[..., Any], extractor: str, bands: int, hole: int) -> None:
    """Labels must follow the quarters: few change inside one, and neighbours differ somewhere."""
    planted = plant(bands, hole=hole)
    model = PerImageOptimisation(extractor, planted.scaling, iterations=20, clusters=16, width=12)
    part = planted.segment(model)
    np.testing.assert_array_equal(part.valid, planted.valid)
    clusters, valid = part.clusters[0], planted.valid
    main = [np.bincount(clusters[valid & (planted.truth == quarter)]).max() for quarter in range(4)]
    assert sum(main) > 0.8 * valid.sum()
    assert 2 <= len(np.unique(clusters[valid])) <= 16


def test_the_same_image_gives_the_same_labels_whatever_came_before(plant: Callable[..., Any]) -> None:
    planted, other = plant(3), plant(3, side=48)
    model = PerImageOptimisation("dic", planted.scaling, iterations=5, **TINY)
    before = torch.random.get_rng_state()
    first = planted.segment(model).clusters[0]
    other.segment(model)
    np.testing.assert_array_equal(planted.segment(model).clusters[0], first)
    again = PerImageOptimisation("dic", planted.scaling, iterations=5, **TINY)
    np.testing.assert_array_equal(planted.segment(again).clusters[0], first)
    assert torch.equal(torch.random.get_rng_state(), before), "the global generator must be left alone"
    reseeded = PerImageOptimisation("dic", planted.scaling, seed=1, iterations=5, **TINY)
    assert (planted.segment(reseeded).clusters[0] != first).any()


def test_the_published_number_of_steps_is_the_default(plant: Callable[..., Any]) -> None:
    planted = plant()
    assert PerImageOptimisation("kan", planted.scaling)._iterations == 1000
    assert PerImageOptimisation("dic", planted.scaling)._iterations == 100


@pytest.mark.parametrize(
    ("changes", "key"),
    [({"extractor": "seek"}, "extractor"), ({"iterations": 0}, "iterations"), ({"clusters": 1}, "clusters")],
)
def test_settings_out_of_range_are_refused(plant: Callable[..., Any], changes: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingError, match=key):
        PerImageOptimisation(**{"extractor": "kan", "scaling": plant().scaling} | changes)
