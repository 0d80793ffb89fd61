"""Regions as numbers, against loops over pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from terrasift.blocks.regions import neighbour_pairs, region_centres, region_means


class Drawn(NamedTuple):
    values: NDArray[np.float64]
    regions: NDArray[np.int32]
    valid: NDArray[np.bool_]


@st.composite
def images(draw: st.DrawFn) -> Drawn:
    """Regions numbered as superpixels are: without gaps among the valid pixels, 0 where there is no data."""
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    valid = rng.random((height, width)) < draw(st.sampled_from([0.5, 0.9, 1.0]))
    valid[rng.integers(height), rng.integers(width)] = True
    regions = np.zeros((height, width), np.int32)
    names = rng.integers(0, draw(st.integers(1, 9)), (height, width))
    regions[valid] = np.unique(names[valid], return_inverse=True)[1]
    values = np.where(valid[:, :, None], rng.random((height, width, 3)), 1e9)
    return Drawn(values, regions, valid)


@given(images())
def test_means_and_centres_are_those_of_the_valid_pixels(drawn: Drawn) -> None:
    members: dict[int, list[tuple[int, int]]] = {}
    for row, column in np.ndindex(*drawn.regions.shape):
        if drawn.valid[row, column]:
            members.setdefault(int(drawn.regions[row, column]), []).append((row, column))
    means = [np.mean([drawn.values[pixel] for pixel in members[number]], axis=0) for number in range(len(members))]
    centres = [np.mean(members[number], axis=0) for number in range(len(members))]
    np.testing.assert_allclose(region_means(drawn.values, drawn.regions, drawn.valid), means)
    np.testing.assert_allclose(region_centres(drawn.regions, drawn.valid), centres)
    small = drawn.values.astype(np.float32)
    assert region_means(small, drawn.regions, drawn.valid).dtype == np.float32


@given(images())
def test_pairs_are_the_regions_of_valid_pixels_side_by_side(drawn: Drawn) -> None:
    height, width = drawn.regions.shape
    touching = set()
    for row, column in np.ndindex(height, width):
        for other in ((row + 1, column), (row, column + 1)):
            if other[0] < height and other[1] < width and drawn.valid[row, column] and drawn.valid[other]:
                touching.add(tuple(sorted((int(drawn.regions[row, column]), int(drawn.regions[other])))))
    expected = sorted(pair for pair in touching if pair[0] != pair[1])
    found = neighbour_pairs(drawn.regions, drawn.valid)
    assert found.shape == (len(expected), 2)
    assert list(map(tuple, found.tolist())) == expected


@pytest.mark.parametrize("bands", [1, 4, 10])
def test_means_are_those_of_plain_loops(bands: int) -> None:
    random = np.random.default_rng(bands)
    image = random.random((20, 30, bands)).astype(np.float32)
    regions = random.permutation(np.arange(600) % 17).reshape(20, 30).astype(np.int32)
    valid = random.random((20, 30)) < 0.7
    found = region_means(image, regions, valid)
    for region in range(17):
        pixels = [image[r, c] for r in range(20) for c in range(30) if valid[r, c] and regions[r, c] == region]
        np.testing.assert_allclose(found[region], np.mean(pixels, axis=0), rtol=1e-5)
