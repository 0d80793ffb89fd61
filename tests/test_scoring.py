"""Scores of files against those of arrays, of other libraries, and of counts made by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, cohen_kappa_score, jaccard_score, normalized_mutual_info_score

from terrasift import InputError, Legend, SettingError, scoring
from terrasift.metrics import segmentation_covering, segmentation_scores
from terrasift.progress import Advance
from terrasift.raster import read_labels, write_image
from terrasift.scoring import parse_classes, score_label_maps

LabelMap = NDArray[np.integer[Any]]


def blobs(height: int, width: int, labels: int, seed: int) -> LabelMap:
    """Squares of 5 pixels in a number of labels, all of which occur."""
    generator = np.random.default_rng(seed)
    small = generator.permutation(np.arange(-(-height // 5) * -(-width // 5)) % labels)
    return small.reshape(-(-height // 5), -1).repeat(5, 0).repeat(5, 1)[:height, :width].astype(np.uint8)


def write(path: Path, labels: LabelMap, nodata: int | None = None) -> Path:
    write_image(path, labels, crs="EPSG:32633", transform=(1, 0, 0, 0, -1, 0))
    if nodata is not None:
        with rasterio.open(path, "r+") as dataset:
            dataset.nodata = nodata
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A prediction whose nodata is 3, and a truth in other labels whose nodata is -5."""
    predicted = write(tmp_path / "predicted.tif", blobs(40, 30, 6, seed=1), nodata=3)
    return predicted, write(tmp_path / "truth.tif", blobs(40, 30, 4, seed=2).astype(np.int16) - 5, nodata=-5)


def test_nodata_and_ignored_pixels_count_nowhere(pair: tuple[Path, Path]) -> None:
    predicted, truth = blobs(40, 30, 6, seed=1), blobs(40, 30, 4, seed=2).astype(int) - 5
    left_out = (predicted == 3) | (truth == -5) | (predicted == 2)
    scores = score_label_maps(pair[0], [pair[1]], ignore=2)
    assert scores.images[0].pairs[0].pixels == (~left_out).sum()
    assert scores.regions == pytest.approx(segmentation_scores(predicted, truth, left_out))
    kept = truth[~left_out], predicted[~left_out]
    assert scores.regions["adjusted_rand_index"] == pytest.approx(adjusted_rand_score(*kept))
    assert scores.regions["normalized_mutual_information"] == pytest.approx(normalized_mutual_info_score(*kept))


def test_several_truths_are_averaged_as_the_metrics_do(tmp_path: Path) -> None:
    predicted, *truths = (blobs(20, 20, 3 + seed, seed) for seed in range(4))
    paths = [write(tmp_path / f"{index}.tif", labels) for index, labels in enumerate(truths)]
    scores = score_label_maps(write(tmp_path / "predicted.tif", predicted), paths)
    assert scores.regions == pytest.approx(segmentation_scores(predicted, truths))
    assert [pair.truth for pair in scores.images[0].pairs] == [str(path) for path in paths]


def test_a_set_has_means_and_pooled_coverings(tmp_path: Path) -> None:
    maps = {name: [blobs(*size, 5, seed) for seed in (0, 1)] for name, size in (("a", (10, 10)), ("b", (35, 50)))}
    for name, (predicted, truth) in maps.items():
        write(tmp_path / "predicted" / f"{name}.tif", predicted)
        write(tmp_path / "truth" / f"{name}.tif", truth)
    scores = score_label_maps(tmp_path / "predicted", [tmp_path / "truth"])
    small, large = (segmentation_scores(*both) for both in maps.values())
    assert [Path(image.predicted).name for image in scores.images] == ["a.tif", "b.tif"]
    assert scores.regions == pytest.approx({name: (small[name] + large[name]) / 2 for name in small})
    for name, covered in (("segmentation_covering", "truth"), ("prediction_covering", "predicted")):
        coverings = [segmentation_covering(*both, covered=covered) for both in maps.values()]
        pooled = (100 * coverings[0] + 1750 * coverings[1]) / 1850
        assert scores.pooled_coverings[name] == pytest.approx(pooled)


@pytest.mark.parametrize("base", [2, math.e, 10])
def test_variation_of_information_in_any_base(pair: tuple[Path, Path], base: float) -> None:
    bits, other = (score_label_maps(pair[0], [pair[1]], base=b).regions for b in (2, base))
    assert other["variation_of_information"] == pytest.approx(bits["variation_of_information"] * math.log(2, base))
    del bits["variation_of_information"], other["variation_of_information"]
    assert other == bits


def test_classes_are_pooled_over_images_and_truths(tmp_path: Path) -> None:
    maps = [blobs(20 + 10 * seed, 30, 4, seed) for seed in (0, 0, 1, 1)]
    maps[1], maps[3] = maps[1].T[::-1].T, maps[3][::-1]
    maps[3][:5] = 255
    for index, folder, name in ((0, "predicted", "a"), (1, "truth", "a"), (2, "predicted", "b"), (3, "truth", "b")):
        write(tmp_path / folder / f"{name}.tif", maps[index])
    truths = [tmp_path / "truth", tmp_path / "truth"]
    scores = score_label_maps(tmp_path / "predicted", truths, classes=parse_classes("4"), ignore=255)
    predicted, truth = (np.concatenate([maps[i].ravel(), maps[i + 2].ravel()]) for i in (0, 1))
    predicted, truth = predicted[truth != 255], truth[truth != 255]
    assert scores.confusion is not None
    assert scores.confusion.total == 2 * truth.size
    assert scores.confusion.accuracy == pytest.approx((predicted == truth).mean())
    assert scores.confusion.iou == pytest.approx(jaccard_score(truth, predicted, average=None))
    assert scores.confusion.kappa == pytest.approx(cohen_kappa_score(truth, predicted))
    assert scores.images[0].confusion is not None
    assert scores.images[0].confusion.iou == pytest.approx(jaccard_score(*map(np.ravel, maps[1::-1]), average=None))


def test_classes_come_by_number_or_by_name(scenes: Path) -> None:
    assert parse_classes("3") == ("0", "1", "2")
    legend = parse_classes(str(scenes / "classes.yaml"))
    assert isinstance(legend, Legend)
    assert legend.names[1] == "building"
    with pytest.raises(SettingError, match="classes: is 0; there is at least one"):
        parse_classes("0")
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        parse_classes("none.yaml")


def test_a_label_that_is_no_class_is_named_with_its_file(tmp_path: Path) -> None:
    low, high = write(tmp_path / "low.tif", blobs(10, 10, 3, 0)), write(tmp_path / "high.tif", blobs(10, 10, 4, 0))
    words = r"high\.tif: label 3 is outside 0\.\.2; map it, or leave it out by `ignore`"
    for predicted, truth in ((low, high), (high, low)):
        with pytest.raises(InputError, match=words):
            score_label_maps(predicted, [truth], classes=("a", "b", "c"))


@pytest.mark.parametrize(
    ("dtype", "labels", "offset"),
    [
        ("uint8", 5, 0),
        ("uint8", 256, 0),  # no label is left to mark pixels with
        ("int8", 128, 0),
        ("int16", 300, -150),
        ("int64", 7, -(2**63)),
        ("uint64", 7, 2**64 - 7),
    ],
)
def test_by_rows_is_the_same_as_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, labels: int, offset: int
) -> None:
    generator = np.random.default_rng(0)
    predicted, truth = (
        generator.integers(0, labels, (120, 8)).repeat(5, 0).repeat(5, 1).astype(dtype) + np.array(offset, dtype)
        for _ in range(2)
    )
    paths = [write(tmp_path / name, array) for name, array in (("p.tif", predicted), ("t.tif", truth))]
    mask = generator.random((600, 40)) < 0.02
    with rasterio.open(paths[1], "r+") as dataset:
        dataset.write_mask(~mask)
    at_once = score_label_maps(paths[0], [paths[1]])
    assert at_once.images[0].pairs[0].pixels == (~mask).sum()
    monkeypatch.setattr(scoring, "AT_ONCE_PIXELS", 0)
    monkeypatch.setattr(scoring, "BAND_PIXELS", 0)
    by_rows = score_label_maps(paths[0], [paths[1]])
    assert by_rows.regions == pytest.approx(at_once.regions, rel=1e-6)
    assert by_rows.images[0].pairs[0].pixels == at_once.images[0].pairs[0].pixels


@pytest.mark.parametrize("by_rows", [False, True])
def test_progress_ends_when_scoring_does(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, by_rows: bool
) -> None:
    steps: list[int] = []

    @contextmanager
    def bar(name: str, total: int) -> Iterator[Advance]:
        steps.append(-total)
        yield lambda message="", by=1: steps.append(by)

    monkeypatch.setattr(scoring, "progress_bar", bar)
    if by_rows:
        monkeypatch.setattr(scoring, "AT_ONCE_PIXELS", 0)
    score_label_maps(pair[0], [pair[1], pair[1]])
    assert len(steps) == (7 if by_rows else 3)
    assert sum(steps) == 0


def test_an_image_without_pixels_that_count_is_left_out_of_means(tmp_path: Path) -> None:
    labels = blobs(20, 20, 4, 0)
    for name, truth in (("a", np.zeros_like(labels)), ("b", labels)):
        write(tmp_path / "predicted" / f"{name}.tif", labels)
        write(tmp_path / "truth" / f"{name}.tif", truth, nodata=0)
    scores = score_label_maps(tmp_path / "predicted", [tmp_path / "truth"])
    content = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert set(content["images"][0]["regions"].values()) == {None}
    assert content["regions"]["segmentation_covering"] == content["pooled_coverings"]["segmentation_covering"] == 1
    with pytest.raises(InputError, match=r"a\.tif: no pixel counts"):
        score_label_maps(tmp_path / "predicted" / "a.tif", [tmp_path / "truth"])


def test_a_legend_reads_maps_by_their_colours_whatever_their_palettes(scenes: Path, tmp_path: Path) -> None:
    legend = Legend.load(scenes / "classes.yaml")
    labels = read_labels(scenes / "masks" / "north.tif", legend)
    order = np.random.default_rng(0).permutation(len(legend.classes))
    write_palette(tmp_path / "palette.tif", np.argsort(order)[labels].astype(np.uint8), legend.rgb[order])
    write_image(tmp_path / "painted.png", legend.rgb[labels])
    for name in ("palette.tif", "painted.png"):
        scores = score_label_maps(tmp_path / name, [scenes / "masks" / "north.tif"], classes=legend)
        assert scores.confusion is not None
        assert scores.confusion.accuracy == 1
    indices = score_label_maps(tmp_path / "palette.tif", [scenes / "masks" / "north.tif"])
    assert indices.regions["segmentation_covering"] == 1


def write_palette(path: Path, indices: np.ndarray, colors: np.ndarray) -> None:
    profile = {"driver": "GTiff", "height": indices.shape[0], "width": indices.shape[1], "count": 1, "dtype": "uint8"}
    profile |= {"crs": "EPSG:32633", "transform": rasterio.Affine(0.25, 0, 500_000, 0, -0.25, 5_000_000)}
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(indices, 1)
        dataset.write_colormap(1, {i: (*color, 255) for i, color in enumerate(colors.tolist())})
