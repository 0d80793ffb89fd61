"""What a network makes of one window, and how often it looks at the rest of the scene for that."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from terrasift import MapOptions, Run, build_network
from terrasift.blocks.choices import PredictionSpeed
from terrasift.blocks.context import SampleWindow
from terrasift.prediction import Predictor
from terrasift.prediction.acceleration import accelerated
from terrasift.prediction.deciding import decided_logits
from terrasift.prediction.tensors import WindowBatch
from terrasift.prediction.windows import Views
from terrasift.raster import Raster, Window

SCENE_CONTEXT = ["predict.context=scene", "predict.speed=plain"]
CORNER, INSIDE = Window(0, 0, 40, 50), Window(101, 97, 64, 51)


@pytest.fixture
def scene(scenes: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copy(scenes / "images" / "north.tif", tmp_path))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one whenever a window is read."""
    done: list[object] = []
    read = Raster.read
    monkeypatch.setattr(Raster, "read", lambda raster, *arguments: done.append(arguments) or read(raster, *arguments))
    return done


@pytest.mark.parametrize("window", [CORNER, INSIDE])
def test_a_look_is_what_the_whole_scene_shows_there(window: Window, tiny_run: Run, scene: Path) -> None:
    predictor = Run.open(tiny_run.path, SCENE_CONTEXT).predictor
    with Raster(scene) as raster:
        found = predictor.look(raster, window)
        values, valid = raster.read()
        network = predictor.network_of(raster)
    with torch.inference_mode():
        features = network.extractor(predictor.reader.tensor(values, valid))
        logits = [classifier(features) for classifier in network.classifiers]
    assert found.window == window
    np.testing.assert_array_equal(found.values, values[window.slices])
    np.testing.assert_array_equal(found.valid, valid[window.slices])
    for ours, whole in zip((found.features, *found.logits), (features, *logits), strict=True):
        np.testing.assert_allclose(ours, whole[0].movedim(0, 2).numpy()[window.slices], atol=1e-5)
    assert (found.clusters(2) == found.logits[1].argmax(axis=2)).all()


@pytest.mark.parametrize("speed", ["plain", "fast"])
@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "own"])
@pytest.mark.parametrize("extractor", ["kan", "seek", "dic", "dictionary"])
def test_what_a_window_decides_is_what_its_margin_and_it_would_be_given(
    extractor: str, frozen: bool, speed: PredictionSpeed
) -> None:
    torch.manual_seed(0)
    network = build_network(extractor, 3, clusters=12, classifiers=2, width=8).eval()
    images = torch.rand(2, 3, 48, 40)
    if frozen:
        network = network.frozen(lambda: [SampleWindow(images, torch.ones(2, 48, 40, dtype=torch.bool))])
    network = accelerated(network, speed)
    views = [Views(Window(0, 0, 48, 40), part) for part in (Window(8, 4, 32, 30), Window(0, 16, 40, 24))]
    batch = WindowBatch(views, [], [], images)
    with torch.inference_mode():
        whole = network(images)
        found = list(decided_logits(network, batch))
    for index, (view, decided) in enumerate(zip(views, found, strict=True)):
        for logits, ours in zip(whole, decided, strict=True):
            torch.testing.assert_close(ours[0], logits[index][:, *view.core], rtol=1e-4, atol=1e-5)


def test_a_scenes_context_is_found_once_and_again_when_the_file_changes(
    tiny_run: Run, scene: Path, reads: list[object]
) -> None:
    predictor = Run.open(tiny_run.path, SCENE_CONTEXT).predictor
    for _ in range(2):  # opened anew
        with Raster(scene) as raster:
            first = predictor.look(raster, CORNER)
            before = len(reads)
            predictor.look(raster, INSIDE)
            list(predictor.segment(raster))
            windows = len(predictor.batches(raster.info))
            assert len(reads) == before + 1 + windows
    scene.write_bytes(scene.read_bytes())
    with Raster(scene) as raster:
        reads.clear()
        again = predictor.look(raster, CORNER)
    assert len(reads) > 1
    np.testing.assert_array_equal(first.features, again.features)


@pytest.mark.parametrize("extractor", ["kan", "dictionary"])
def test_networks_without_global_operations_read_no_context(
    extractor: str, tiny_run: Run, scene: Path, reads: list[object]
) -> None:
    recipe = Run.open(tiny_run.path, SCENE_CONTEXT).prediction_recipe
    predictor = Predictor(build_network(extractor, 3, 8, 1, 6), recipe)
    with Raster(scene) as raster:
        predictor.look(raster, CORNER)
    assert len(reads) == 1


@pytest.mark.parametrize("changes", [[], ["predict.context=scene"], ["predict.window=64", "predict.context=scene"]])
def test_a_scene_is_opened_at_most_twice(
    changes: list[str], tiny_run: Run, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    begin = Raster.__init__

    def counted(raster: Raster, path: Path, *arguments: object, **named: object) -> None:
        opened.append(Path(path))
        begin(raster, path, *arguments, **named)

    monkeypatch.setattr(Raster, "__init__", counted)
    run = Run.open(tiny_run.path, changes)
    run.predict(scene, tmp_path / "map.tif", MapOptions(confidence=True, vector=tmp_path / "map.geojson", min_area=2.0))
    assert opened.count(scene) <= 2
