from __future__ import annotations

import statistics

import numpy as np
import pytest
from skimage.color import rgb2lab

from terrasift.blocks.external.preprocessing import (
    degree_of_smoothing,
    equalise_lightness,
    match_reference,
    smooth,
)

ALL = np.ones((120, 140), bool)


@pytest.fixture
def rgb():
    """Noise, calm around row 30 and column 100."""
    random = np.random.default_rng(0)
    noise = random.normal(0, 1, (120, 140, 3))
    strength = 0.1 * np.minimum(1, np.hypot(*np.ogrid[-30:90, -100:40]) / 60 + 0.05)
    return np.clip(0.5 + strength[..., None] * noise, 0, 1).astype(np.float32)


def naive_degree(lab):
    """Step 2 of the algorithm in loops."""
    lightness = lab[..., 0].tolist()
    rows = [statistics.stdev(row) for row in lightness]
    columns = [statistics.stdev(column) for column in zip(*lightness, strict=True)]
    row, column = rows.index(min(rows)), columns.index(min(columns))
    norms = []
    for r in range(max(0, row - 25), min(len(rows), row + 26)):
        for c in range(max(0, column - 25), min(len(columns), column + 26)):
            norms.append(float(np.sqrt((lab[r, c].astype(float) ** 2).sum())))
    return 4 * statistics.variance(norms)


def test_degree_of_smoothing_equals_loops(rgb):
    lab = rgb2lab(rgb)
    assert degree_of_smoothing(lab, ALL) == pytest.approx(naive_degree(lab), rel=1e-5)
    assert degree_of_smoothing(lab[:40, :60], ALL[:40, :60]) == pytest.approx(naive_degree(lab[:40, :60]), rel=1e-5)


def test_degree_of_smoothing_is_one_where_nothing_varies(rgb):
    assert degree_of_smoothing(rgb2lab(np.full_like(rgb, 0.37)), ALL) == 1
    one = np.zeros_like(ALL)
    one[3, 4] = True
    assert degree_of_smoothing(rgb2lab(rgb), one) == 1


def test_degree_of_smoothing_of_the_valid_area_is_that_of_its_crop(rgb):
    valid = np.zeros_like(ALL)
    valid[:40, :60] = True
    lab = rgb2lab(rgb)
    assert degree_of_smoothing(lab, valid) == pytest.approx(degree_of_smoothing(lab[:40, :60], ALL[:40, :60]))


def test_smoothing_calms_and_keeps_the_valid_area_to_itself(rgb):
    valid = ALL.copy()
    valid[:, 90:] = False
    smoothed, degree = smooth(rgb, valid)
    assert degree > 0
    assert smoothed[:, :90].std() < 0.9 * rgb[:, :90].std()
    np.testing.assert_array_equal(smoothed[:, 90:], np.repeat(smoothed[:, 89:90], 50, axis=1))
    other = rgb.copy()
    other[:, 90:] = 0
    np.testing.assert_array_equal(smooth(other, valid)[0], smoothed)


def test_clahe_raises_contrast_and_ignores_invalid_pixels(rgb):
    dim = 0.4 + 0.2 * rgb
    valid = ALL.copy()
    valid[50:] = False
    equalised = equalise_lightness(dim, valid)
    assert equalised.dtype == np.float32
    assert rgb2lab(equalised)[:50, :, 0].std() > 1.5 * rgb2lab(dim)[:50, :, 0].std()
    dim[50:] = 1
    np.testing.assert_array_equal(equalise_lightness(dim, valid)[:50], equalised[:50])


def test_clahe_keeps_a_flat_image_flat_and_every_colour_possible(rgb):
    flat = equalise_lightness(np.full_like(rgb, 0.5), ALL)
    assert np.ptp(flat) < 1e-5
    vivid = np.zeros_like(rgb)
    vivid[:, 70:] = (0, 0, 1)  # a blue that grows darker: no warning, no value out of range
    equalised = equalise_lightness(vivid, ALL)
    assert 0 <= equalised.min() <= equalised.max() <= 1


def test_matching_takes_over_the_histogram(rgb):
    reference = np.random.default_rng(1).beta(2, 5, (60, 70, 3)).astype(np.float32)
    valid = ALL.copy()
    valid[100:] = False
    matched = match_reference(rgb, valid, reference)
    for band in range(3):
        quantiles = np.linspace(0.02, 0.98, 25)
        np.testing.assert_allclose(
            np.quantile(matched[valid][:, band], quantiles), np.quantile(reference[..., band], quantiles), atol=0.01
        )
        order = np.argsort(rgb[valid][:, band])
        assert (np.diff(matched[valid][order, band]) >= -1e-6).all()  # the order of the values stays
    np.testing.assert_array_equal(matched[~valid], rgb[~valid])
