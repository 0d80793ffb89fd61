from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terrasift.blocks.external import ExternalSteps, external_segmentation, external_steps
from terrasift.errors import InputError, SettingError

SHARED = Path(__file__).parents[3].parent / "shared"


@pytest.fixture(scope="module")
def quilt():
    """Three textures of different colours in 50-pixel fields, and which is where."""
    random = np.random.default_rng(0)
    truth = np.kron(random.permutation(np.arange(36) % 3).reshape(6, 6), np.ones((50, 50), int))
    colours = np.array([(0.15, 0.25, 0.5), (0.8, 0.75, 0.6), (0.2, 0.55, 0.2)])
    noise = random.normal(0, 1, (300, 300, 1)) * np.array([0.01, 0.03, 0.06])[truth][..., None]
    return np.clip(colours[truth] + noise, 0, 1).astype(np.float32), truth


def purity(labels, truth):
    table = np.zeros((labels.max() + 1, truth.max() + 1))
    np.add.at(table, (labels.ravel(), truth.ravel()), 1)
    return table.max(axis=1).sum() / truth.size


def test_finds_planted_textures(quilt):
    image, truth = quilt
    labels = external_segmentation(image)
    assert labels.shape == (300, 300)
    assert labels.dtype == np.uint16
    assert purity(labels, truth) > 0.95
    assert purity(truth, labels.astype(int)) > 0.95


def test_a_seed_repeats(quilt):
    image, _ = quilt
    first = external_segmentation(image, seed=3)
    np.testing.assert_array_equal(external_segmentation(image, seed=3), first)


def test_uint8_and_float_are_the_same_image(quilt):
    image = np.rint(quilt[0][:120, :150] * 255).astype(np.uint8)
    np.testing.assert_array_equal(external_segmentation(image), external_segmentation(image / 255))


def test_steps(quilt):
    image, _ = quilt
    steps = external_steps(image)
    assert isinstance(steps, ExternalSteps)
    count = steps.superpixels.max() + 1
    clustering = steps.clustering
    assert steps.smoothed.shape == (300, 300, 3)
    assert steps.smoothing > 0
    assert steps.features.shape == (count, 375)
    assert clustering.components.shape[0] == count
    assert len(clustering.objectives) == len(clustering.counts)
    np.testing.assert_array_equal(clustering.classes[steps.superpixels], steps.labels)
    np.testing.assert_array_equal(external_segmentation(image), steps.labels)


def test_what_invalid_pixels_hold_changes_nothing(quilt):
    image, _ = quilt
    valid = np.ones((300, 300), bool)
    valid[:, 200:] = False
    valid[40:60, 40:90] = False
    results = []
    for filling in (0.0, 1.0, np.nan):
        spoilt = image.copy()
        spoilt[~valid] = filling
        results.append(external_segmentation(spoilt, valid=valid, clahe=True))
    assert (results[0][~valid] == 65535).all()
    assert (results[0][valid] < 33).all()
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


def test_all_invalid():
    image, nothing = np.full((20, 30, 3), np.nan), np.zeros((20, 30), bool)
    assert (external_segmentation(image, valid=nothing) == 65535).all()
    with pytest.raises(InputError, match="no pixel is valid"):
        external_steps(image, valid=nothing)


@pytest.mark.parametrize("clahe", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 2), (20, 20), (120, 3), (120, 130)])
def test_constant_images_have_one_class(shape, clahe):
    for value in (0, 128, 255):
        image = np.full((*shape, 3), value, np.uint8)
        np.testing.assert_array_equal(external_segmentation(image, clahe=clahe), 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (17, 1), (3, 2), (25, 31), (101, 7), (130, 110)])
def test_any_size_works(shape):
    image = np.random.default_rng(0).random((*shape, 3))
    labels = external_segmentation(image, restarts=2)
    assert labels.shape == shape
    assert set(np.unique(labels).tolist()) == set(range(labels.max() + 1))


def test_bands(quilt):
    image = quilt[0][:120, :120]
    ten = np.concatenate([np.zeros((120, 120, 7), np.float32), image], axis=2)
    np.testing.assert_array_equal(external_segmentation(ten, bands=(7, 8, 9)), external_segmentation(image))
    one = image[:, :, 0]
    np.testing.assert_array_equal(
        external_segmentation(one, bands=(0, 0, 0)), external_segmentation(np.repeat(one[..., None], 3, axis=2))
    )
    with pytest.raises(InputError, match="three band numbers"):
        external_segmentation(one)


def test_a_reference_changes_the_histograms(quilt):
    image = quilt[0][:150, :150]
    reference = np.random.default_rng(1).beta(2, 8, (90, 80, 3)).astype(np.float32)
    plain = external_steps(image)
    matched = external_steps(image, reference=reference)
    assert abs(matched.smoothed.mean() - reference.mean()) < 0.03 < abs(plain.smoothed.mean() - reference.mean())
    with pytest.raises(InputError, match="reference: "):
        external_segmentation(image, reference=reference * 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_reference_itself_gets_two_more_clusters(quilt, dtype):
    image = (quilt[0] * 255).astype(dtype)
    image = image if dtype is np.uint8 else image / 255
    plain = external_steps(image)
    itself = external_steps(image, reference=image.copy())
    np.testing.assert_array_equal(itself.smoothed, plain.smoothed)
    assert len(itself.clustering.partition.centres) == len(plain.clustering.partition.centres) + 2


@pytest.mark.parametrize("setting", [{"restarts": 0}, {"seed": -1}])
def test_settings_out_of_range(setting):
    with pytest.raises(SettingError, match=next(iter(setting))):
        external_segmentation(np.zeros((5, 5, 3)), **setting)


@pytest.mark.parametrize(("tile", "least"), [("tile5_part2", 0.8), ("tile3_part7", 0.8)])
def test_real_images_agree_with_their_masks(tile, least):
    """Half size, for time. Purity against the five land-cover classes, a majority vote for each class found."""
    folder = SHARED / "data" / "dubai"
    if not folder.is_dir():
        pytest.skip("the Dubai images are not beside the checkout")
    from PIL import Image

    image = np.asarray(Image.open(folder / "images" / f"{tile}.jpg").reduce(2))
    mask = np.asarray(Image.open(folder / "masks" / f"{tile}.png").convert("RGB"))[::2, ::2]
    mask = mask[: image.shape[0], : image.shape[1]]
    _, truth = np.unique(mask.reshape(-1, 3), axis=0, return_inverse=True)
    truth = truth.reshape(mask.shape[:2])
    labels = external_segmentation(image)[: mask.shape[0], : mask.shape[1]]
    assert 2 <= labels.max() + 1 <= 15
    largest_class = np.bincount(truth.ravel()).max() / truth.size
    assert purity(labels, truth) > max(least, largest_class + 0.1)
