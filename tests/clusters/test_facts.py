"""Facts about clusters against plain loops over the pixels of the maps that a user gets."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch

from terrasift import InputError, Run, SettingError
from terrasift.clusters import ClusterFacts, gather_facts
from terrasift.clusters.moments import Moments
from terrasift.data.patches import windows_of
from terrasift.data.sampling import draw_windows
from terrasift.data.scenes import describe_scenes
from terrasift.data.synthetic import synthetic_scene
from terrasift.prediction import Predictor
from terrasift.raster import Raster, write_image

CLUSTERS, SIDE = 8, 64


@pytest.fixture(scope="module")
def run(tiny_run: Run) -> Run:
    """Its maps do not depend on the windows."""
    return Run.open(tiny_run.path, ["predict.context=scene"])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> str:
    """96 x 100 pixels, a corner of them without data."""
    array = np.full((96, 100, 4), 255, np.uint8)
    array[:, :, :3] = synthetic_scene(96, 100, seed=7).image
    array[:40, :30, 3] = 0
    return written(tmp_path_factory.mktemp("facts") / "corner.png", array)


def written(path: Path, array: np.ndarray) -> str:
    write_image(path, array)
    return str(path)


@pytest.fixture(scope="module")
def facts(run: Run, scene: str) -> ClusterFacts:
    return gather_facts(run.predictor, [scene], 2)


class Whole:
    """A scene's map as prediction makes it, its values, and its features in one piece."""

    def __init__(self, run: Run, scene: str, classifier: int) -> None:
        predictor = run.predictor
        with Raster(scene) as raster:
            self.values, self.valid = raster.read()
            self.clusters = np.zeros(self.valid.shape, np.int64)
            for part in predictor.segment(raster):
                window = part.window
                rows = slice(window.row, window.row + window.height)
                columns = slice(window.column, window.column + window.width)
                self.clusters[rows, columns] = part.clusters[classifier - 1]
            with torch.inference_mode():
                features = predictor.network_of(raster).extractor(predictor.reader.tensor(self.values, self.valid))
        self.features = features[0].movedim(0, 2).numpy()
        self.windows = windows_of(*self.valid.shape, SIDE)

    def pixels(self) -> list[tuple[int, int, int]]:
        """Row, column and window of each valid pixel of each window: windows overlap."""
        return [
            (row, column, number)
            for number, window in enumerate(self.windows)
            for row in range(window.row, window.row + window.height)
            for column in range(window.column, window.column + window.width)
            if self.valid[row, column]
        ]


@pytest.fixture(scope="module")
def whole(run: Run, scene: str) -> Whole:
    return Whole(run, scene, 2)


def test_pixels_means_deviations_and_prototypes(facts: ClusterFacts, whole: Whole) -> None:
    values, features = defaultdict(list), defaultdict(list)
    for row, column, _ in whole.pixels():
        values[whole.clusters[row, column]].append(whole.values[row, column])
        features[whole.clusters[row, column]].append(whole.features[row, column])
    assert len(values) > 1
    for cluster in range(CLUSTERS):
        assert facts.pixels[cluster] == len(values[cluster])
        if not values[cluster]:
            assert np.isnan([*facts.means[cluster], *facts.deviations[cluster], *facts.prototypes[cluster]]).all()
            continue
        np.testing.assert_allclose(facts.means[cluster], np.mean(values[cluster], axis=0))
        np.testing.assert_allclose(facts.deviations[cluster], np.std(values[cluster], axis=0), atol=1e-9)
        np.testing.assert_allclose(facts.prototypes[cluster], np.mean(features[cluster], axis=0), rtol=1e-4, atol=1e-5)
    assert len(facts.bands) == 3
    assert all(facts.bands)


def test_adjacency_counts_neighbours_inside_windows(facts: ClusterFacts, whole: Whole) -> None:
    expected = np.zeros((CLUSTERS, CLUSTERS), np.int64)
    seen = set(whole.pixels())
    for row, column, number in seen:
        for other in ((row + 1, column), (row, column + 1)):
            if (*other, number) in seen:
                one, two = whole.clusters[row, column], whole.clusters[other]
                if one != two:
                    expected[one, two] += 1
                    expected[two, one] += 1
    np.testing.assert_array_equal(facts.adjacency, expected)


def test_crops_are_where_a_cluster_is_densest(facts: ClusterFacts, whole: Whole, scene: str) -> None:
    for cluster, crops in enumerate(facts.crops):
        density = []
        for window in whole.windows:  # as large as a crop
            rows = slice(window.row, window.row + window.height)
            columns = slice(window.column, window.column + window.width)
            inside = whole.valid[rows, columns] & (whole.clusters[rows, columns] == cluster)
            density.append((-inside.mean(), window, inside.sum() / whole.valid[rows, columns].sum()))
        ranked = [(window, share) for less, window, share in sorted(density, key=lambda entry: entry[0]) if less < 0]
        assert [(crop.window, crop.share) for crop in crops] == ranked[:4]
        assert {crop.scene for crop in crops} <= {scene}


def test_a_larger_patch_is_cut_into_crops(scenes: Path, run: Run) -> None:
    """64 px each, where it can be."""
    predictor = Predictor(run.load_network(), run.prediction_recipe.model_copy(update={"patch": 256}))
    facts = gather_facts(predictor, [str(scenes / "images" / "north.tif")])
    assert facts.pixels.sum() == 256 * 256
    windows = {crop.window for crops in facts.crops for crop in crops}
    assert {(window.height, window.width, window.row % 64, window.column % 64) for window in windows} == {
        (64, 64, 0, 0)
    }


def test_the_sample_is_bounded_seeded_and_without_empty_windows(run: Run, scenes: Path, tmp_path: Path) -> None:
    images = [str(path) for path in sorted((scenes / "images").iterdir())]
    assert gather_facts(run.predictor, images, most_windows=3).pixels.sum() == 3 * SIDE**2
    infos = describe_scenes(images)
    drawn = draw_windows(infos, SIDE, None, 5, seed=1)
    assert drawn == draw_windows(infos, SIDE, None, 5, seed=1) != draw_windows(infos, SIDE, None, 5, seed=2)
    assert len(set(draw_windows(infos, SIDE, None, 1000, seed=0))) == 32  # all of them
    half = np.zeros((64, 640, 4), np.uint8)
    half[:, :64] = 255
    info = describe_scenes([written(tmp_path / "half.png", half)])
    assert [patch.window.column for patch in draw_windows(info, SIDE, None, 5, seed=0)] == [0]
    empty = describe_scenes([written(tmp_path / "empty.png", np.zeros((64, 64, 4), np.uint8))])
    with pytest.raises(InputError, match=r"empty\.png: no valid pixel was found"):
        draw_windows(empty, SIDE, None, 5, seed=0)


def test_no_more_scenes_are_drawn_from_than_contexts_can_be_found_for(
    scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    infos = describe_scenes([str(path) for path in sorted((scenes / "images").iterdir())])
    monkeypatch.setattr("terrasift.data.sampling._MOST_IN_CONTEXTS", 16)  # windows of one scene
    drawn = draw_windows(infos, SIDE, None, 10, seed=0, in_context=16)
    assert len(drawn) == 10
    assert len({patch.scene for patch in drawn}) == 1


@pytest.mark.parametrize("classifier", [0, 3])
def test_a_classifier_that_is_not_there(run: Run, scene: str, classifier: int) -> None:
    with pytest.raises(SettingError, match=f"classifier: is {classifier}; allowed is from 1 to 2"):
        gather_facts(run.predictor, [scene], classifier)


def test_moments_lose_no_digits_far_from_zero() -> None:
    chance = np.random.default_rng(0)
    labels, vectors = chance.integers(0, 3, 500), 1e8 + chance.normal(size=(500, 2))
    moments = Moments()
    moments.add(labels[:200], vectors[:200], 4)
    moments.add(labels[200:], vectors[200:], 4)
    means, deviations = moments.statistics(np.bincount(labels, minlength=4))
    for label in range(3):
        np.testing.assert_allclose(means[label], vectors[labels == label].mean(axis=0), rtol=1e-15)
        np.testing.assert_allclose(deviations[label], vectors[labels == label].std(axis=0), rtol=1e-6)
    assert np.isnan(means[3]).all()
