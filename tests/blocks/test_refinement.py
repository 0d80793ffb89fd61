"""The vote against a naive loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrasift import refine


def naive_vote(labels: np.ndarray, regions: np.ndarray, valid: np.ndarray) -> np.ndarray:
    refined = np.zeros_like(labels)
    for image in range(len(labels)):
        for region in np.unique(regions[image]):
            inside = regions[image] == region
            votes = labels[image][inside & valid[image]].tolist()
            counts = {label: votes.count(label) for label in votes}
            best = max(counts.values(), default=0)
            refined[image][inside] = min((label for label, n in counts.items() if n == best), default=0)
    return refined


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(1, 7, 3))
    labels = generator.integers(0, generator.integers(1, 9), shape)
    regions = generator.integers(0, generator.integers(1, 7), shape)
    valid = generator.random(shape) < generator.choice([0.0, 0.5, 0.9, 1.0])
    return labels, regions, valid


def test_vote_equals_a_naive_loop_on_1000_random_cases() -> None:
    for seed in range(1000):
        labels, regions, valid = random_case(seed)
        found = refine(torch.from_numpy(labels), torch.from_numpy(regions), torch.from_numpy(valid))
        np.testing.assert_array_equal(found.numpy(), naive_vote(labels, regions, valid), err_msg=f"seed {seed}")


def test_all_pixels_vote_without_a_mask() -> None:
    labels, regions, _ = random_case(7)
    found = refine(torch.from_numpy(labels), torch.from_numpy(regions))
    np.testing.assert_array_equal(found.numpy(), naive_vote(labels, regions, np.ones_like(labels, bool)))


@given(st.integers(0, 10_000))
def test_refining_twice_changes_nothing(seed: int) -> None:
    labels, regions, _ = (torch.from_numpy(array) for array in random_case(seed))
    once = refine(labels, regions)
    assert torch.equal(refine(once, regions), once)


@given(st.integers(0, 10_000))
def test_the_numbering_of_regions_does_not_matter(seed: int) -> None:
    labels, regions, valid = (torch.from_numpy(array) for array in random_case(seed))
    names = torch.from_numpy(np.random.default_rng(seed).permutation(int(regions.max()) + 1) * 3)
    assert torch.equal(refine(labels, regions, valid), refine(labels, names[regions], valid))


def test_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        refine(torch.zeros(1, 4, 4, dtype=torch.long), torch.zeros(1, 4, 5, dtype=torch.long))
