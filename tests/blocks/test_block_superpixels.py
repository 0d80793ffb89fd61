"""Superpixels: small, connected, numbered without gaps, and blind to what is no data."""

from __future__ import annotations

import warnings

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
from terrasift.data.synthetic import synthetic_scene


def scene(bands: int, side: int = 60, seed: int = 0) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(generator.normal(size=(side, side, bands)), (3, 3, 0))
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 10])
def test_regions_of_any_number_of_bands_are_connected_and_numbered_without_gaps(bands: int) -> None:
    regions = superpixels(scene(bands), area=36)
    assert (regions.shape, regions.dtype) == ((60, 60), np.int32)
    count = regions.max() + 1
    assert np.unique(regions).tolist() == list(range(count))
    assert 50 <= count <= 150  # 100 asked for
    assert label(regions, background=-1, connectivity=1).max() == count


def test_two_dimensions_are_one_band() -> None:
    image = scene(1)
    np.testing.assert_array_equal(superpixels(image[:, :, 0]), superpixels(image))


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_a_boundary_of_colour_is_a_boundary_of_regions(bands: int) -> None:
    image = np.zeros((40, 40, bands))
    image[:, 17:] = 1
    regions = superpixels(image, area=50)
    assert not set(regions[:, :17].flat) & set(regions[:, 17:].flat)


def test_integers_and_floats_of_one_image_are_cut_alike() -> None:
    image = (scene(4) * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(superpixels(image), superpixels(image / 255))


def test_the_number_of_regions_follows_from_their_area_whatever_the_patch() -> None:
    for side in (60, 120):
        counts = [superpixels(scene(3, side), area=area).max() + 1 for area in (25, 100)]
        assert 2.5 <= counts[0] / counts[1] <= 5
        assert 0.6 <= counts[1] * 100 / side**2 <= 1.4


@pytest.mark.parametrize("compactness", [10, 30, 100])
def test_one_compactness_means_the_same_for_three_bands_and_for_others(compactness: float) -> None:
    """Grey whose lightness in CIELAB is 100 times a band's value is cut as that band is."""
    band = scene(1)
    lightness = 100 * band[:, :, 0]
    grey = lab2rgb(np.stack([lightness, 0 * lightness, 0 * lightness], axis=2))
    in_lab, as_it_is = (superpixels(image, area=36, compactness=compactness) for image in (grey, band))
    assert (in_lab == as_it_is).mean() > 0.95


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_great_compactness_makes_squares(bands: int) -> None:
    squares = np.arange(100).reshape(10, 10).repeat(6, axis=0).repeat(6, axis=1)
    assert (superpixels(scene(bands), area=36, compactness=10_000) == squares).mean() > 0.65
    assert (superpixels(scene(bands), area=36, compactness=1) == squares).mean() < 0.5


def test_invalid_pixels_join_no_region_and_have_no_say() -> None:
    image, valid = scene(3), np.ones((60, 60), bool)
    valid[:, 40:] = False
    regions = superpixels(image, area=36, valid=valid)
    count = regions.max() + 1
    assert np.unique(regions[valid]).tolist() == list(range(count))
    assert 40 <= count <= 95  # 67 for the part that is valid
    other = image.copy()
    other[~valid] = np.nan
    np.testing.assert_array_equal(superpixels(other, area=36, valid=valid)[valid], regions[valid])


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
    height: int, width: int, bands: int, area: int, seed: int, share: float
) -> None:
    generator = np.random.default_rng(seed)
    image = generator.random((height, width, bands)).round(generator.integers(0, 3))
    valid = generator.random((height, width)) < share
    regions = superpixels(image, area=area, valid=valid)
    assert regions.shape == valid.shape
    if valid.any():
        assert np.unique(regions[valid]).tolist() == list(range(regions.max() + 1))
    else:
        assert (regions == 0).all()


def test_regions_are_repeatable() -> None:
    valid = np.random.default_rng(0).random((60, 60)) > 0.1
    for mask in (None, valid):
        np.testing.assert_array_equal(superpixels(scene(3), valid=mask), superpixels(scene(3), valid=mask))


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
