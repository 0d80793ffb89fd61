"""Every extractor, refinement and loss trains and predicts on 1, 3, 4 and 10 bands."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from terrasift import Recipe, Run, SettingError, train
from terrasift.raster import read_labels, write_image
from terrasift.run import network_of

BANDS = (1, 3, 4, 10)
EXTRACTORS = ("kan", "seek", "dic", "dictionary")
METHODS = ("slic", "opencv_slic", "felzenszwalb", "external", "none")
COLOR_BANDS = {1: [1, 1, 1], 3: [1, 2, 3], 4: [4, 2, 1], 10: [10, 5, 1]}

# All pairs of bands and method, of bands and extractor, and of extractor and method; classifiers and losses take turns.
CASES = [
    (bands, EXTRACTORS[(i + j) % 4], method, 1 + (i + j // 2) % 2, (i // 2 + j) % 2)
    for i, bands in enumerate(BANDS)
    for j, method in enumerate(METHODS)
]


def small_recipe(bands: int, extractor: str = "kan", method: str = "external", classifiers: int = 1) -> Recipe:
    changes = [
        f"extractor={extractor}",
        f"width={'null' if extractor == 'seek' else 4}",
        f"classifiers={classifiers}",
        f"refinement.method={method}",
        f"refinement.color_bands={COLOR_BANDS[bands]}",
        "refinement.restarts=1",
    ]
    common = ["clusters=6", "patch=32", "batch_size=3", "steps=2", "lr=1e-2", "compute.device=cpu"]
    return Recipe.load(
        "paper", [*changes, *common, f"predict.window={256 if extractor == 'dictionary' else 48}", "predict.margin=8"]
    )


def write_scene(folder: Path, bands: int) -> Path:
    """Two fields and some noise; 16 bits where there are many bands."""
    random = np.random.default_rng(bands)
    fields = np.where(np.arange(96)[:, None] < 48, *random.uniform(0.2, 0.8, (2, bands)))
    image = np.clip(fields + random.normal(0, 0.1, (64, 96, bands)), 0, 1)
    path = folder / "scene.tif"
    write_image(path, (image * 255).astype(np.uint8) if bands < 10 else (image * 10_000).astype(np.uint16))
    return path


@pytest.fixture(autouse=True)
def few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters that are learned from few windows are none to see with, and as many."""
    monkeypatch.setattr("terrasift.data.sampling._WINDOWS", 1500)


@pytest.mark.parametrize(("bands", "extractor", "method", "classifiers", "added"), CASES)
def test_train_and_predict(
    tmp_path: Path, bands: int, extractor: str, method: str, classifiers: int, added: int
) -> None:
    recipe = small_recipe(bands, extractor, method, classifiers)
    losses = recipe.losses.model_copy(update={"continuity": 1.0 * added, "mumford_shah": 1.0 * added})
    scene = write_scene(tmp_path, bands)
    train([scene], tmp_path / "run", recipe.model_copy(update={"losses": losses}), use_cache=False)

    run = Run.open(tmp_path / "run")
    network = run.load_network()
    seen = network.extractor.fine_filters if extractor == "dictionary" else next(network.parameters())
    assert seen.shape[1] == bands
    assert len(network.classifiers) == classifiers
    torch.manual_seed(recipe.seed)
    assert not torch.equal(next(network.parameters()), next(network_of(run.recipe).parameters()))
    with run.log_file.open() as file:
        assert [np.isfinite(float(row["loss"])) for row in csv.DictReader(file)] == [True, True]

    labels = read_labels(run.predict(scene, tmp_path / "map.tif"), run.legend)
    assert labels.shape == (64, 96)
    assert set(np.unique(labels)) <= set(range(6))


def test_too_few_bands_for_colour_spaces_name_the_key(tmp_path: Path) -> None:
    recipe = small_recipe(3)
    with pytest.raises(SettingError, match=r"refinement\.color_bands: \[1, 2, 3\] names more .*use \[1,1,1\]"):
        train([write_scene(tmp_path, 1)], tmp_path / "run", recipe, use_cache=False)
    assert not (tmp_path / "run").exists()
