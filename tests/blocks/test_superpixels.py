"""Superpixels: small, connected, numbered without gaps, and blind to what is no data."""

from __future__ import annotations

import warnings
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import lab2rgb
from skimage.measure import label
from skimage.segmentation import felzenszwalb

from terrasift import superpixels
from terrasift.blocks.choices import SuperpixelMethod
from terrasift.data.synthetic import synthetic_scene

BOTH_SLIC = pytest.mark.parametrize("method", ["slic", "opencv_slic"])


def scene(bands: int, side: int = 60, seed: int = 0) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(generator.normal(size=(side, side, bands)), (3, 3, 0))
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


def edges(regions: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where a pixel's region is not that of its right or lower neighbour; numbers do not matter."""
    return np.stack([regions[:-1, :-1] != regions[:-1, 1:], regions[:-1, :-1] != regions[1:, :-1]])


@BOTH_SLIC
@pytest.mark.parametrize("bands", [1, 2, 3, 4, 10])
def test_regions_of_any_number_of_bands_are_connected_and_numbered_without_gaps(
    bands: int, method: SuperpixelMethod
) -> None:
    regions = superpixels(scene(bands), method, area=36)
    assert (regions.shape, regions.dtype) == ((60, 60), np.int32)
    count = regions.max() + 1
    assert np.unique(regions).tolist() == list(range(count))
    assert 50 <= count <= 150  # 100 asked for
    assert label(regions, background=-1, connectivity=1).max() == count


def test_two_dimensions_are_one_band() -> None:
    image = scene(1)
    np.testing.assert_array_equal(superpixels(image[:, :, 0]), superpixels(image))


@BOTH_SLIC
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_a_boundary_of_colour_is_a_boundary_of_regions(bands: int, method: SuperpixelMethod) -> None:
    image = np.zeros((40, 40, bands))
    image[:, 17:] = 1
    regions = superpixels(image, method, area=50)
    assert not set(regions[:, :17].flat) & set(regions[:, 17:].flat)


@BOTH_SLIC
@pytest.mark.parametrize("bands", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_and_floats_of_one_image_are_cut_alike(
    dtype: type[np.unsignedinteger[Any]], bands: int, method: SuperpixelMethod
) -> None:
    largest = np.iinfo(dtype).max
    image = (scene(bands) * largest).round().astype(dtype)
    np.testing.assert_array_equal(superpixels(image, method), superpixels(image / largest, method))


@BOTH_SLIC
def test_the_number_of_regions_follows_from_their_area_whatever_the_patch(method: SuperpixelMethod) -> None:
    for side in (60, 120):
        counts = [superpixels(scene(3, side), method, area=area).max() + 1 for area in (25, 100)]
        assert 2.5 <= counts[0] / counts[1] <= 5
        assert 0.6 <= counts[1] * 100 / side**2 <= 1.4


@BOTH_SLIC
@pytest.mark.parametrize("compactness", [10, 30, 100])
def test_one_compactness_means_the_same_for_three_bands_and_for_others(
    compactness: float, method: SuperpixelMethod
) -> None:
    """Grey whose lightness in CIELAB is 100 times a band's value is cut as that band is."""
    band = scene(1)
    lightness = 100 * band[:, :, 0]
    grey = lab2rgb(np.stack([lightness, 0 * lightness, 0 * lightness], axis=2))
    in_lab, as_it_is = (superpixels(image, method, area=36, compactness=compactness) for image in (grey, band))
    assert (edges(in_lab) == edges(as_it_is)).mean() > 0.95


@BOTH_SLIC
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_great_compactness_makes_squares(bands: int, method: SuperpixelMethod) -> None:
    """Those of 6 x 6 pixels have an edge on every sixth line."""
    squares, loose = (
        edges(superpixels(scene(bands), method, area=36, compactness=value)).mean() for value in (10_000, 10)
    )
    assert squares == pytest.approx(1 / 6, abs=0.02)
    assert loose > 0.185


@BOTH_SLIC
def test_invalid_pixels_join_no_region_and_have_no_say(method: SuperpixelMethod) -> None:
    image, valid = scene(3), np.ones((60, 60), bool)
    valid[:, 40:] = False
    regions = superpixels(image, method, area=36, valid=valid)
    count = regions.max() + 1
    assert np.unique(regions[valid]).tolist() == list(range(count))
    assert 40 <= count <= 95  # 67 for the part that is valid
    other = image.copy()
    other[~valid] = np.nan
    np.testing.assert_array_equal(superpixels(other, method, area=36, valid=valid)[valid], regions[valid])


@BOTH_SLIC
@settings(max_examples=60)
@given(
    st.integers(1, 24),
    st.integers(1, 24),
    st.sampled_from([1, 3, 4]),
    st.integers(1, 700),
    st.integers(0, 999),
    st.floats(0, 1),
)
def test_any_image_and_any_mask_is_cut_without_gaps_or_warnings(
    method: SuperpixelMethod, height: int, width: int, bands: int, area: int, seed: int, share: float
) -> None:
    generator = np.random.default_rng(seed)
    image = generator.random((height, width, bands)).round(generator.integers(0, 3))
    valid = generator.random((height, width)) < share
    regions = superpixels(image, method, area=area, valid=valid)
    assert regions.shape == valid.shape
    if valid.any():
        assert np.unique(regions[valid]).tolist() == list(range(regions.max() + 1))
    else:
        assert (regions == 0).all()


@BOTH_SLIC
def test_regions_are_repeatable_whatever_the_number_of_threads(method: SuperpixelMethod) -> None:
    valid = np.random.default_rng(0).random((60, 60)) > 0.1
    before = cv2.getNumThreads()
    for mask in (None, valid):
        found = []
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            found.append(superpixels(scene(3), method, valid=mask))
            assert cv2.getNumThreads() == threads
        cv2.setNumThreads(before)
        np.testing.assert_array_equal(*found)


@settings(max_examples=60)
@given(st.integers(8, 40), st.integers(8, 40), st.integers(1, 5), st.integers(0, 999), st.floats(0.3, 1))
def test_opencv_slic_leaves_no_small_region_that_touches_another(
    height: int, width: int, bands: int, seed: int, share: float
) -> None:
    generator = np.random.default_rng(seed)
    image = generator.random((height, width, bands))
    valid = generator.random((height, width)) < share
    regions = np.where(valid, superpixels(image, "opencv_slic", area=49, valid=valid), -1)
    parts, islands = (label(labels, background=-1, connectivity=1) for labels in (regions, valid - 1))
    assert parts.max() == regions.max() + 1, "a region is in several parts"
    whole = np.bincount(islands.ravel())[islands] == np.bincount(parts.ravel())[parts]
    assert (np.bincount(parts.ravel())[parts][valid & ~whole] >= 33).all()


def test_opencv_slic_follows_boundaries_as_well_as_scikit_image_with_as_many_regions() -> None:
    """Achievable accuracy on generated towns: every region has the ground that most of its pixels have."""
    accuracy: dict[str, list[float]] = {"slic": [], "opencv_slic": []}
    counts: dict[str, int] = {"slic": 0, "opencv_slic": 0}
    for seed in range(4):
        town = synthetic_scene(160, 160, seed=seed)
        for method in ("slic", "opencv_slic"):
            regions = superpixels(town.image, method)
            table = np.zeros((regions.max() + 1, int(town.labels.max()) + 1), int)
            np.add.at(table, (regions, town.labels), 1)
            accuracy[method].append(table.max(axis=1).sum() / table.sum())
            counts[method] += len(table)
    assert np.mean(accuracy["opencv_slic"]) > np.mean(accuracy["slic"]) - 0.002
    assert abs(counts["opencv_slic"] / counts["slic"] - 1) < 0.08


def test_none_makes_every_pixel_a_region() -> None:
    assert superpixels(scene(3, 5), "none").tolist() == np.arange(25).reshape(5, 5).tolist()


@pytest.mark.parametrize("bands", [1, 3, 4, 10])
def test_felzenszwalb_is_that_of_the_filtered_image(bands: int) -> None:
    scene = synthetic_scene(90, 80, bands=4, seed=2).image
    image = scene[:, :, [band % 4 for band in range(bands)]]
    if bands == 3:
        smooth = cv2.bilateralFilter(np.ascontiguousarray(image), 11, 28, 50)
    else:
        smooth = np.dstack(
            [cv2.bilateralFilter(np.ascontiguousarray(image[:, :, b]), 11, 28, 50) for b in range(bands)]
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = felzenszwalb(smooth, scale=128, sigma=1, min_size=64, channel_axis=2)
    found = superpixels(image, "felzenszwalb")
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > 3
    np.testing.assert_array_equal(superpixels((image / 255).astype(np.float32), "felzenszwalb"), found)


def test_felzenszwalb_does_not_read_invalid_pixels() -> None:
    image = (synthetic_scene(90, 80, seed=2).image / 255).astype(np.float32)
    valid = np.ones(image.shape[:2], bool)
    valid[20:50, 30:60] = False
    image[~valid] = np.nan
    found = superpixels(image, "felzenszwalb", valid=valid)
    image[~valid] = 0.7
    np.testing.assert_array_equal(superpixels(image, "felzenszwalb", valid=valid), found)
    assert (found[~valid] == 0).all()
    assert set(np.unique(found[valid])) == set(range(found.max() + 1))


def test_felzenszwalb_scale_and_smallest_size_count() -> None:
    image = synthetic_scene(90, 80, seed=2).image
    assert superpixels(image, "felzenszwalb", scale=20).max() > superpixels(image, "felzenszwalb", scale=500).max()
    assert np.bincount(superpixels(image, "felzenszwalb", min_size=200).ravel()).min() >= 200
