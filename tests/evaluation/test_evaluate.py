"""Scores against counts made by hand."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from terrasift import ConfusionMatrix, InputError, Legend, Run, SettingError
from terrasift.evaluation import ClassifierScores, Evaluation
from terrasift.metrics import segmentation_scores
from terrasift.raster import Raster, read_labels, write_image
from terrasift.scoring import score_label_maps

ALONE: dict[str, Any] = {"baselines": False}  # k-means would only take time


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Run:
    return Run.open(shutil.copytree(tiny_run.path, tmp_path / "run"))


def clusters_of(run: Run, scene: Path, classifier: int) -> np.ndarray:
    with Raster(scene) as raster:
        whole = np.zeros((raster.info.height, raster.info.width), int)
        for part in run.predictor.segment(raster):
            window = part.window
            rows, columns = (
                slice(window.row, window.row + window.height),
                slice(window.column, window.column + window.width),
            )
            whole[rows, columns] = part.clusters[classifier - 1]
    return whole


def test_scores_are_those_of_scikit_learn_on_maps_made_by_hand(run: Run, scenes: Path) -> None:
    legend = Legend.load(scenes / "classes.yaml")
    north, south = (scenes / "images" / f"{name}.tif" for name in ("north", "south"))
    evaluation = run.evaluate([south], scenes / "masks", legend, map_images=[north], **ALONE)
    known, truth = (read_labels(scenes / "masks" / path.name, legend).ravel() for path in (north, south))
    for scores in evaluation.classifiers:
        on_north, on_south = (clusters_of(run, path, scores.classifier).ravel() for path in (north, south))
        frequent = np.bincount(known).argmax()
        mapping = [np.bincount(known[on_north == k]).argmax() if (on_north == k).any() else frequent for k in range(8)]
        predicted = np.array(mapping)[on_south]
        assert scores.mapping.tolist() == mapping
        assert scores.confusion.accuracy == pytest.approx(accuracy_score(truth, predicted))
        labels = np.union1d(truth, predicted)
        iou = jaccard_score(truth, predicted, average=None, labels=labels, zero_division=0)
        assert scores.confusion.mean_iou == pytest.approx(iou.mean())
        assert scores.confusion.mean_f1 == pytest.approx(
            f1_score(truth, predicted, average="macro", labels=labels, zero_division=0)
        )
        share = np.array([(truth == c).mean() for c in labels])
        assert scores.confusion.weighted_iou == pytest.approx((share * iou).sum())


def test_the_run_takes_the_mapping_of_the_classifier_best_on_the_mapping_set(run: Run, scenes: Path) -> None:
    evaluation = run.evaluate([scenes / "images"], scenes / "masks", scenes / "classes.yaml", **ALONE)
    assert evaluation.best.mapping_accuracy == max(s.mapping_accuracy for s in evaluation.classifiers)
    assert run.legend.classifier == evaluation.best.classifier
    np.testing.assert_array_equal(run.legend.mapping(8), evaluation.best.known_mapping)
    assert run.is_mapped
    assert Legend.load(run.path / "legend.previous.yaml") == Legend.of_clusters(8)


def test_a_legend_can_be_kept(run: Run, scenes: Path) -> None:
    run.evaluate([scenes / "images"], scenes / "masks", scenes / "classes.yaml", keep_legend=True, **ALONE)
    assert not run.is_mapped


def test_colour_masks_give_the_same_scores_as_indices(run: Run, scenes: Path, tmp_path: Path) -> None:
    legend = Legend.load(scenes / "classes.yaml")
    for path in (scenes / "masks").iterdir():
        write_image(tmp_path / "colours" / f"{path.stem}.png", legend.rgb[read_labels(path, legend)])
    by_index, by_colour = (
        run.evaluate([scenes / "images"], masks, legend, **ALONE).to_dict()["classifiers"]
        for masks in (scenes / "masks", tmp_path / "colours")
    )
    assert json.dumps(by_index) == json.dumps(by_colour)


def test_ignored_pixels_count_nowhere(run: Run, scenes: Path, tmp_path: Path) -> None:
    legend = Legend.load(scenes / "classes.yaml")
    labels = read_labels(scenes / "masks" / "north.tif", legend)
    labels[:100] = 255
    write_image(tmp_path / "masks" / "north.tif", labels)
    evaluation = run.evaluate([scenes / "images" / "north.tif"], tmp_path / "masks", legend, **ALONE)
    assert evaluation.best.confusion.total == 156 * 256
    write_image(tmp_path / "masks" / "north.tif", np.full_like(labels, 255))
    with pytest.raises(InputError, match="no pixel"):
        run.evaluate([scenes / "images" / "north.tif"], tmp_path / "masks", legend, **ALONE)


def test_a_mask_of_another_size_is_refused(run: Run, scenes: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "north.tif", np.zeros((256, 255), np.uint8))
    with pytest.raises(InputError, match=r"255 x 256 pixels.*, but .* has 256 x 256 pixels"):
        run.evaluate([scenes / "images" / "north.tif"], tmp_path, scenes / "classes.yaml")


def test_a_mask_that_lies_elsewhere_is_refused(run: Run, scenes: Path, tmp_path: Path) -> None:
    grid = {"crs": "EPSG:32633", "transform": (0.25, 0.0, 500_000.25, 0.0, -0.25, 5_000_000.0)}  # a pixel further east
    write_image(tmp_path / "north.tif", np.zeros((256, 256), np.uint8), **grid)
    with pytest.raises(InputError, match=r"north.tif: has 256 x 256 pixels, EPSG:32633, .* bring both to one grid"):
        run.evaluate([scenes / "images" / "north.tif"], tmp_path, scenes / "classes.yaml")


def test_best_classifier_is_chosen_on_the_mapping_set_not_on_the_test_set() -> None:
    none = ConfusionMatrix(np.zeros((2, 2), np.int64))
    first, second = (
        ClassifierScores(number, np.zeros(2, np.int64), accuracy, none, {}) for number, accuracy in ((1, 0.6), (2, 0.9))
    )
    assert Evaluation(("a", "b"), (first, second)).best is second


def test_classes_that_no_cluster_took_are_named() -> None:
    none = ConfusionMatrix(np.zeros((3, 3), np.int64))
    scores = ClassifierScores(1, np.array([1, -1, 1]), 0.5, none, {})
    assert scores.untaken == [0, 2]
    assert Evaluation(("road", "car", "tree"), (scores,)).to_dict()["classifiers"][0]["untaken"] == ["road", "tree"]


def test_training_seconds_are_those_of_the_log(run: Run) -> None:
    rows = run.log_file.read_text().splitlines()
    column = rows[0].split(",").index("seconds")
    assert run.training_seconds == pytest.approx(sum(float(row.split(",")[column]) for row in rows[1:]))
    run.log_file.unlink()
    assert run.training_seconds is None


@pytest.mark.parametrize("regions", ["classes", "clusters"])
def test_region_metrics_are_those_of_each_whole_image(run: Run, scenes: Path, regions: str) -> None:
    legend = Legend.load(scenes / "classes.yaml")
    evaluation = run.evaluate([scenes / "images"], scenes / "masks", legend, regions=regions, **ALONE)  # type: ignore[arg-type]
    for scores in evaluation.classifiers:
        expected = []
        for path in sorted((scenes / "images").iterdir()):
            clusters = clusters_of(run, path, scores.classifier)
            predicted = scores.mapping[clusters] if regions == "classes" else clusters
            expected.append(segmentation_scores(predicted, read_labels(scenes / "masks" / path.name, legend)))
            assert scores.images[str(path)] == pytest.approx(expected[-1])
        means = {name: np.mean([image[name] for image in expected]) for name in expected[0]}
        assert scores.regions == pytest.approx(means)


def test_clusters_without_a_label_stay_without_a_class(run: Run, scenes: Path, tmp_path: Path) -> None:
    """27 labelled pixels say nothing of most clusters, and neither do legend and map."""
    truth, north = Legend.load(scenes / "classes.yaml"), scenes / "images" / "north.tif"
    labels = read_labels(scenes / "masks" / "north.tif", truth)
    sparse = np.full_like(labels, 255)
    sparse[100:109, 50:53] = labels[100:109, 50:53]
    write_image(tmp_path / "sparse" / "north.tif", sparse)
    asked: dict[str, Any] = {"map_images": [north], "map_masks": tmp_path / "sparse", **ALONE}
    scores = run.evaluate([north], scenes / "masks", truth, **asked).best
    clusters = clusters_of(run, north, scores.classifier)
    met = np.unique(clusters[100:109, 50:53])
    assert scores.unlabelled == tuple(np.setdiff1d(np.arange(8), met))
    unknown = ~np.isin(clusters, met)
    assert scores.unlabelled_share == pytest.approx(unknown.mean())
    assert 0 < scores.unlabelled_share < 1
    assert scores.confusion.total == labels.size, "they are scored all the same"

    assert np.flatnonzero(run.legend.mapping(8) == -1).tolist() == list(scores.unlabelled)
    with Raster(run.predict(north, tmp_path / "map.tif")) as drawn:
        shown, valid = drawn.read_indices()
    np.testing.assert_array_equal(valid, ~unknown)
    np.testing.assert_array_equal(shown[valid], scores.mapping[clusters][valid])


@pytest.mark.parametrize("classifier", [1, 2])
def test_the_runs_legend_scores_as_the_map_that_it_makes(
    run: Run, scenes: Path, tmp_path: Path, classifier: int
) -> None:
    truth = Legend.load(scenes / "classes.yaml")
    mapping = np.array([3, 0, 1, -1, 3, 2, -1, 0])
    run.save_legend(truth.with_clusters(mapping, classifier))
    before = run.legend_file.read_bytes()
    north = scenes / "images" / "north.tif"
    evaluation = run.evaluate([north], scenes / "masks", truth, mapping="legend")
    (scores,) = evaluation.classifiers
    assert run.legend_file.read_bytes() == before
    assert scores.classifier == classifier
    assert scores.mapping.tolist() == mapping.tolist()

    drawn = run.predict(north, tmp_path / "map.tif")
    written = score_label_maps(drawn, [scenes / "masks" / "north.tif"], classes=truth)
    (pair,) = written.images[0].pairs
    np.testing.assert_array_equal(scores.confusion.counts, pair.confusion.counts)
    assert scores.images[str(north)] == pytest.approx(pair.regions)
    assert scores.left_out == 256 * 256 - pair.pixels > 0
    content = evaluation.to_dict()["classifiers"][0]
    assert (content["mapping_accuracy"], content["left_out"]) == (None, scores.left_out)


def test_the_order_of_a_legends_classes_does_not_matter(run: Run, scenes: Path) -> None:
    truth = Legend.load(scenes / "classes.yaml")
    own = truth.with_clusters(np.array([3, 0, 1, 5, 3, 2, 4, 0]), 1)

    def scores(legend: Legend) -> list[list[int]]:
        run.save_legend(legend)
        evaluation = run.evaluate([scenes / "images"], scenes / "masks", truth, mapping="legend")
        return evaluation.best.confusion.counts.tolist()

    assert scores(own) == scores(dataclasses.replace(own, classes=own.classes[::-1]))


def test_a_legend_is_not_mapped_by_images_nor_by_nothing(run: Run, scenes: Path) -> None:
    asked = ([scenes / "images"], scenes / "masks", scenes / "classes.yaml")
    with pytest.raises(SettingError, match="map_images: decide nothing"):
        run.evaluate(*asked, mapping="legend", map_images=[scenes / "images"])
    with pytest.raises(InputError, match="names no class yet"):
        run.evaluate(*asked, mapping="legend")


def test_a_legend_that_meets_no_label_has_no_score(run: Run, scenes: Path, tmp_path: Path) -> None:
    truth = Legend.load(scenes / "classes.yaml")
    north = scenes / "images" / "north.tif"
    clusters = clusters_of(run, north, 1)
    run.save_legend(truth.with_clusters(np.where(np.arange(8) == clusters[0, 0], 0, -1), 1))
    write_image(tmp_path / "north.tif", np.where(clusters == clusters[0, 0], 255, 0).astype(np.uint8))
    with pytest.raises(InputError, match="no cluster that lies on a labelled pixel"):
        run.evaluate([north], tmp_path, truth, mapping="legend")
