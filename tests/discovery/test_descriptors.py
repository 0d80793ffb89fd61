"""What superpixels are like, against loops over regions, windows and pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from terrasift.discovery.descriptors import block_sizes, describe_regions

FILTERS = np.random.default_rng(0).normal(0, 0.15, (2, 3, 2, 7, 7)).astype(np.float32)


def regions_of(height: int, width: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Slanting regions, some torn apart, and a hole and a corner without data."""
    rows, columns = np.indices((height, width))
    valid = np.ones((height, width), bool)
    valid[5:12, 8:21] = False
    valid[:3, -9:] = False
    names = (rows + columns // 3) // 9 * 10 + columns // 11
    regions = np.zeros((height, width), np.int32)
    regions[valid] = np.unique(names[valid], return_inverse=True)[1]
    return regions, valid


def naive_responses(image: NDArray[np.float64], filters: NDArray[np.float32]) -> NDArray[np.float64]:
    around = np.pad(image, ((3, 3), (3, 3), (0, 0)), mode="reflect")
    found = np.einsum("hwbij,fbij->hwf", sliding_window_view(around, (7, 7), axis=(0, 1)), filters.astype(float))
    return np.concatenate([np.maximum(found - 0.25, 0), np.maximum(-found - 0.25, 0)], axis=2)


def naive_descriptors(
    image: NDArray[np.float64], regions: NDArray[np.int32], valid: NDArray[np.bool_]
) -> NDArray[np.float64]:
    height, width, _ = image.shape
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    halved = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    coarse = naive_responses(halved, FILTERS[1]).repeat(2, 0).repeat(2, 1)[:height, :width]
    layers = [image, naive_responses(image, FILTERS[0]), coarse]
    found = []
    for number in range(regions[valid].max() + 1):
        member = valid & (regions == number)
        looked_at = [member]
        for side in (16, 40):
            window = np.zeros_like(valid)
            spans = []
            for places in np.nonzero(member):
                first = 4 * round((places.mean() - (side - 1) / 2) / 4)
                spans.append(slice(max(first, 0), first + side))
            window[tuple(spans)] = True
            looked_at.append(valid & window)
        for pixels in looked_at:
            means = [layer[pixels].mean(axis=0) for layer in layers]
            found.append(np.concatenate([means[0], np.sqrt(means[1]), np.sqrt(means[2])]))
    return np.stack(found).reshape(regions[valid].max() + 1, -1)


@pytest.mark.parametrize(("height", "width"), [(48, 64), (53, 47), (30, 90)])
def test_descriptors_are_those_of_a_loop(height: int, width: int) -> None:
    regions, valid = regions_of(height, width)
    image = np.random.default_rng(1).random((height, width, 2)).astype(np.float32)
    found = describe_regions(image, regions, valid, FILTERS)
    expected = naive_descriptors(image.astype(float), regions, valid)
    assert found.dtype == np.float32
    assert found.shape == (len(expected), sum(block_sizes(2, 3)))
    np.testing.assert_allclose(found, expected, atol=2e-4)
    assert (expected > 0).mean() > 0.5


def test_values_without_data_are_in_no_mean() -> None:
    """Filters do see what was filled in beside a pixel; means of bands see nothing of it."""
    regions, valid = regions_of(48, 64)
    image = np.random.default_rng(1).random((48, 64, 2)).astype(np.float32)
    junk = np.where(valid[:, :, None], image, 1e6).astype(np.float32)
    block = sum(block_sizes(2, 3)) // 3
    bands = [start + band for start in (0, block, 2 * block) for band in (0, 1)]
    found, with_junk = (describe_regions(each, regions, valid, FILTERS)[:, bands] for each in (image, junk))
    np.testing.assert_array_equal(found, with_junk)
