"""The sieve: small regions go to what is beside them, nodata stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from terrasift.raster import RasterInfo, pixels_of, sieve


def noise(labels: int, dtype: str = "uint8", size: int = 60) -> NDArray[Any]:
    return np.random.default_rng(0).integers(0, labels, (size, size)).astype(dtype)


def region_sizes(labels: NDArray[Any], nodata: int) -> NDArray[np.int64]:
    """By another library, label by label."""
    sizes = [np.zeros(0, np.int64)]
    for label in np.unique(labels[labels != nodata]):
        regions, _ = ndimage.label(labels == label)
        sizes.append(np.bincount(regions.ravel())[1:])
    return np.concatenate(sizes)


@pytest.mark.parametrize(("dtype", "nodata"), [("uint8", 255), ("uint16", 65535)])
@pytest.mark.parametrize("smallest", [2, 3, 10, 50])
def test_no_region_is_smaller(dtype: str, nodata: int, smallest: int) -> None:
    labels = noise(5, dtype)
    found = sieve(labels, smallest, nodata)
    assert region_sizes(labels, nodata).min() == 1
    assert region_sizes(found, nodata).min() >= smallest
    assert found.dtype == labels.dtype


@pytest.mark.parametrize("smallest", [-1, 0, 1])
def test_regions_of_one_pixel_are_the_smallest_there_are(smallest: int) -> None:
    labels = noise(5)
    np.testing.assert_array_equal(sieve(labels, smallest, 255), labels)


def test_large_regions_keep_every_pixel() -> None:
    labels = np.zeros((30, 30), np.uint8)
    labels[5:15, 5:15] = 1
    labels[20:23, 20:23] = 2
    kept, gone = sieve(labels, 9, 255), sieve(labels, 10, 255)
    np.testing.assert_array_equal(kept, labels)
    np.testing.assert_array_equal(gone, np.where(labels == 2, 0, labels))


def test_the_largest_neighbour_takes_a_small_region() -> None:
    labels = np.repeat(np.array([[0, 2, 1]], np.uint8), 10, axis=0).repeat([4, 1, 9], axis=1)
    np.testing.assert_array_equal(sieve(labels, 20, 255), np.where(labels == 2, 1, labels))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_nodata_neither_grows_nor_shrinks(share: float) -> None:
    labels = noise(4)
    empty = np.random.default_rng(1).random(labels.shape) < share
    labels[empty] = 255
    np.testing.assert_array_equal(sieve(labels, 15, 255) == 255, empty)


def test_an_island_in_nodata_stays() -> None:
    labels = np.full((9, 9), 255, np.uint8)
    labels[4, 4] = 3
    np.testing.assert_array_equal(sieve(labels, 50, 255), labels)


@pytest.mark.parametrize(
    ("crs", "transform", "area", "expected"),
    [
        ("", (1, 0, 0, 0, 1, 0), 7.0, 7),
        ("EPSG:32633", (0.5, 0, 5e5, 0, -0.5, 5e6), 100.0, 400),
        ("EPSG:32633", (0.3, 0.4, 5e5, 0.4, -0.3, 5e6), 100.0, 400),
        ("EPSG:2263", (1, 0, 1e6, 0, -1, 2e5), 0.3048006096**2 * 50, 50),  # feet of the US survey
        ("EPSG:4326", (1e-3, 0, 10.0, 0, -1e-3, 0.05), 1e6, 82),  # 111.32 m by 110.57 m at the equator
    ],
)
def test_areas_count_pixels(crs: str, transform: tuple[float, ...], area: float, expected: int) -> None:
    info = RasterInfo("", 100, 100, 1, "uint8", False, False, (), crs, transform, None, "GTiff")
    assert pixels_of(area, info) == expected
