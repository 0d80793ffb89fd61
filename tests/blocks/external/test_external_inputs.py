from __future__ import annotations

import numpy as np
import pytest

from terrasift.blocks.external.inputs import extend_valid, three_bands, valid_mask
from terrasift.errors import InputError

ALL = np.ones((4, 5), bool)


def test_bands_are_chosen_and_scaled():
    array = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
    chosen = three_bands(array, (5, 0, 0), ALL)
    assert chosen.dtype == np.float32
    np.testing.assert_allclose(chosen, array[:, :, [5, 0, 0]] / 255, rtol=1e-6)


def test_a_single_band_is_repeated():
    array = np.random.default_rng(0).random((4, 5))
    np.testing.assert_array_equal(three_bands(array, (0, 0, 0), ALL), three_bands(array[:, :, None], (0, 0, 0), ALL))


def test_invalid_pixels_may_hold_anything():
    array = np.full((4, 5, 3), 0.5)
    array[0, 0] = np.nan, np.inf, -9999
    valid = ALL.copy()
    valid[0, 0] = False
    assert three_bands(array, (0, 1, 2), valid)[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("bands", [(0, 1, 2), (0, 0), (0, 0, 0, 0), (0, 0, -1)])
def test_bands_that_are_not_there(bands):
    with pytest.raises(InputError, match=r"does not name three of its 1 band; .* such as bands=\(0, 0, 0\)"):
        three_bands(np.zeros((4, 5, 1)), bands, ALL)


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.5, 255.0])
def test_values_out_of_range(value):
    array = np.full((4, 5, 3), 0.5)
    array[1, 2, 0] = value
    with pytest.raises(InputError, match="outside"):
        three_bands(array, (0, 1, 2), ALL)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, bool])
def test_types_without_a_known_range(dtype):
    with pytest.raises(InputError, match="give uint8"):
        three_bands(np.zeros((4, 5, 3), dtype), (0, 1, 2), ALL)


@pytest.mark.parametrize("shape", [(5,), (2, 4, 5, 3), (0, 5, 3), (4, 5, 0)])
def test_arrays_that_are_no_images(shape):
    with pytest.raises(InputError, match="its shape is"):
        valid_mask(np.zeros(shape), None)


def test_masks():
    assert valid_mask(np.zeros((4, 5, 3)), None).all()
    for mask in (np.ones((5, 4), bool), np.ones((4, 5), np.uint8)):
        with pytest.raises(InputError, match="valid: it is"):
            valid_mask(np.zeros((4, 5, 3)), mask)


def test_filling_takes_the_nearest():
    image = np.arange(20, dtype=np.float32).reshape(4, 5, 1)
    valid = ALL.copy()
    valid[:, 3:] = False
    filled = extend_valid(image, valid)[..., 0]
    np.testing.assert_array_equal(filled, image[..., 0][:, [0, 1, 2, 2, 2]])
    assert extend_valid(image, ALL) is image
