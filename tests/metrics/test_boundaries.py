from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from terrasift.errors import InputError, SettingError
from terrasift.metrics import boundaries, boundary_displacement_error, boundary_displacement_error_by_rows
from terrasift.metrics.boundaries import boundary, frame
from tests.metrics import naive_metrics

LabelArray = NDArray[np.integer]

shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
maps = shapes.flatmap(lambda shape: st.tuples(*[arrays(np.int8, shape, elements=st.integers(0, 2))] * 2))


def everywhere(labels: LabelArray) -> NDArray[np.bool_]:
    return np.ones(labels.shape, bool)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9), elements=st.integers(0, 2)))
def test_boundary_is_where_the_gradient_of_labels_is(labels: LabelArray) -> None:
    found = boundary(labels, everywhere(labels))
    if not found.any():
        found = frame(labels, everywhere(labels))
    assert found.tolist() == naive_metrics.boundary(labels).tolist()


def test_bands_of_rows_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.random.default_rng(0).integers(0, 2, (50, 40)).cumsum(axis=1) // 7
    whole = boundary(labels, everywhere(labels))
    for rows in (1, 3, 49):
        monkeypatch.setattr(boundaries, "ROWS", rows)
        assert (boundary(labels, everywhere(labels)) == whole).all()


def test_a_line_of_one_pixel_has_its_boundary_beside_it() -> None:
    labels = np.zeros((3, 7), int)
    labels[:, 3] = 1
    assert boundary(labels, everywhere(labels)).tolist() == [[0, 0, 1, 0, 1, 0, 0]] * 3


def test_one_label_has_its_frame_as_boundary() -> None:
    one_label = np.zeros((5, 5), int)
    centre = one_label.copy()
    centre[2, 2] = 1
    # To the frame and back: the four pixels around the centre are 1 away; 12 of the frame's 16 are
    # sqrt(1 + 1), 1 or sqrt(1 + 1) from the nearest of the four, its corners sqrt(4 + 1).
    back = (4 * 1 + 8 * 2**0.5 + 4 * 5**0.5) / 16
    assert boundary_displacement_error(centre, one_label) == pytest.approx((1 + back) / 2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (2, 2)])
def test_smallest_maps(shape: tuple[int, int]) -> None:
    labels = np.arange(np.prod(shape)).reshape(shape)
    assert boundary_displacement_error(labels, labels) == 0
    assert boundary_displacement_error(np.zeros_like(labels), np.ones_like(labels)) == 0


def test_pixels_left_out_make_no_boundary() -> None:
    truth = np.zeros((6, 8), int)
    truth[:, 4:] = 1
    clouded = truth.copy()
    clouded[1:3, 1:3] = 255
    assert boundary_displacement_error(clouded, truth, ignore=255) == 0
    assert boundary_displacement_error(clouded, truth) > 0


@given(maps, st.integers(1, 10), st.sampled_from([None, 0]))
def test_reading_rows_gives_the_same(pair: tuple[LabelArray, LabelArray], rows: int, ignore: int | None) -> None:
    predicted, truth = pair
    by_rows = boundary_displacement_error_by_rows(
        lambda start, stop: (predicted[start:stop], truth[start:stop]), truth.shape, ignore, rows
    )
    assert by_rows == pytest.approx(boundary_displacement_error(predicted, truth, ignore), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("rows", [16, 100])
def test_reading_rows_finds_what_is_bands_away(rows: int) -> None:
    predicted, truth = np.zeros((2, 300, 200), np.uint8)
    predicted[280:290, 5:20] = 1
    truth[10:40, 150:170] = 1
    by_rows = boundary_displacement_error_by_rows(
        lambda start, stop: (predicted[start:stop], truth[start:stop]), truth.shape, rows=rows
    )
    assert by_rows == pytest.approx(boundary_displacement_error(predicted, truth), rel=1e-12)
    assert by_rows == pytest.approx(naive_metrics.boundary_displacement_error(predicted, truth), rel=1e-12)


def test_what_reading_rows_refuses() -> None:
    labels = np.zeros((4, 4), int)
    with pytest.raises(InputError, match=r"read_rows: rows 0\.\.2 came with shape \(4, 4\)"):
        boundary_displacement_error_by_rows(lambda start, stop: (labels, labels), (4, 4), rows=2)
    with pytest.raises(SettingError, match="rows: is 0"):
        boundary_displacement_error_by_rows(lambda start, stop: (labels, labels), (4, 4), rows=0)
