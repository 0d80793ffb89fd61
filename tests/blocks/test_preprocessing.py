"""Band values become [0, 1] by the rule, and what is no data becomes neutral."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from terrasift.blocks.preprocessing import fill_invalid, scale_to_unit

LOW, HIGH = np.array([-10.0, 0.0, 5.0]), np.array([10.0, 255.0, 5.0])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
def test_scaling_is_linear_and_cut_off(dtype: str) -> None:
    array = np.array([[[0, 0, 0], [5, 51, 5], [20, 255, 9]]], dtype)
    found = scale_to_unit(array, LOW, HIGH)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[[0.5, 0, 0], [0.75, 0.2, 0], [1, 1, 0]]], atol=1e-7)


@given(nps.arrays(np.float64, (3, 4, 3), elements=st.floats(width=64)))
def test_any_number_ends_in_the_unit_range(array: np.ndarray) -> None:
    found = scale_to_unit(array, LOW, HIGH)
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1


@given(nps.arrays(np.float64, 20, elements=st.floats(-1e6, 1e6)))
def test_order_is_kept(array: np.ndarray) -> None:
    found = scale_to_unit(np.sort(array).reshape(1, -1, 1), LOW[:1], HIGH[:1])
    assert (np.diff(found[0, :, 0]) >= 0).all()


def test_the_largest_numbers_there_are_overflow_nowhere() -> None:
    """Many files have them for nodata."""
    largest = np.finfo(np.float64).max
    found = scale_to_unit(np.array([[[-largest], [largest]]]), np.array([-0.1]), np.array([0.1]))
    assert found.ravel().tolist() == [0, 1]


def test_the_input_stays_as_it_is() -> None:
    array = np.array([[[np.nan, 3.0, 7.0]]])
    before = array.copy()
    scale_to_unit(array, LOW, HIGH)
    np.testing.assert_array_equal(array, before)


def test_invalid_pixels_take_the_fill_of_their_band() -> None:
    array = np.random.default_rng(0).random((5, 6, 2), np.float32)
    valid = np.random.default_rng(1).random((5, 6)) > 0.5
    found = fill_invalid(array, valid, np.array([0.25, 0.75]))
    np.testing.assert_array_equal(found[valid], array[valid])
    assert (found[~valid] == [0.25, 0.75]).all()
    assert found.dtype == np.float32
    assert fill_invalid(array, np.ones((5, 6), bool), np.zeros(2)) is array
