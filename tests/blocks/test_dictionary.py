"""Filters learned from windows, and what they find: against loops, and whatever the bands are like."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from terrasift.blocks.dictionary import dictionary_responses, half_resolution, learn_filters
from terrasift.blocks.dictionary_extractor import DictionaryUnet


def windows_of_stripes(count: int = 1500, bands: int = 3, seed: int = 0) -> NDArray[np.float32]:
    """Stripes of any direction and phase, weaker from band to band, and a little noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((7, 7))
    angle, phase = rng.uniform(0, np.pi, count), rng.uniform(0, 2 * np.pi, count)
    along = np.cos(angle)[:, None, None] * rows + np.sin(angle)[:, None, None] * columns
    stripes = 0.5 + 0.3 * np.sin(along + phase[:, None, None])
    weights = 0.8 ** np.arange(bands)
    windows = stripes[:, None] * weights[:, None, None] + rng.normal(0, 0.02, (count, bands, 7, 7))
    return windows.clip(0, 1).astype(np.float32)


def image_of(bands: int, height: int, width: int, seed: int = 3) -> torch.Tensor:
    return torch.rand(1, bands, height, width, generator=torch.Generator().manual_seed(seed))


def found_in(filters: NDArray[np.float32], images: torch.Tensor) -> NDArray[np.float32]:
    return dictionary_responses(images, torch.from_numpy(filters)).numpy()


def test_nothing_is_found_in_a_constant_band() -> None:
    filters = learn_filters(windows_of_stripes(bands=1), 12)
    assert not found_in(filters, torch.full((1, 1, 20, 20), 0.7)).any()
    assert found_in(filters, image_of(1, 20, 20)).max() > 1


@pytest.mark.parametrize("bands", [3, 10])
def test_what_all_pixels_share_in_deviations_of_each_band_is_not_seen(bands: int) -> None:
    windows = windows_of_stripes(bands=bands)
    filters = learn_filters(windows, 12)
    deviations = torch.from_numpy(windows.std(axis=(0, 2, 3))).view(1, bands, 1, 1)
    images = image_of(bands, 20, 20)
    found = found_in(filters, images)
    np.testing.assert_allclose(found_in(filters, images + deviations), found, rtol=1e-3, atol=1e-3)
    assert (
        np.abs(
            found_in(filters, images + 0.3 * deviations[:, :1] * (torch.arange(bands) == 0).view(1, -1, 1, 1)) - found
        ).max()
        > 0.05
    )


@pytest.mark.parametrize("bands", [1, 3, 4, 10, 13])
def test_the_scale_of_a_band_changes_nothing(bands: int) -> None:
    windows, images = windows_of_stripes(bands=bands), image_of(bands, 24, 20)
    factors = np.ones((bands, 1, 1), np.float32)
    factors[-1] = 0.01
    plain = learn_filters(windows, 16, seed=1)
    scaled = learn_filters(windows * factors, 16, seed=1)
    assert plain.shape == (16, bands, 7, 7)
    assert plain.dtype == np.float32
    found = found_in(plain, images)
    assert found.max() > 1
    np.testing.assert_allclose(found_in(scaled, images * torch.from_numpy(factors)), found, rtol=1e-2, atol=1e-2)


def test_the_stripes_that_were_shown_are_found_rather_than_noise() -> None:
    filters = learn_filters(windows_of_stripes(bands=1), 16)
    others = windows_of_stripes(300, bands=1, seed=9)
    noise = np.random.default_rng(0).permuted(others.reshape(300, -1), axis=1).reshape(others.shape)
    strongest = [
        np.abs(np.einsum("fbij,nbij->nf", filters, each)).max(axis=1) / each.std(axis=(1, 2, 3))
        for each in (others, noise)
    ]
    assert np.median(strongest[0]) > 1.2 * np.median(strongest[1])


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, again, other = (learn_filters(windows_of_stripes(), 12, seed=seed) for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("count", [1, 5])
def test_fewer_windows_than_filters_will_do(count: int) -> None:
    filters = learn_filters(windows_of_stripes(count), 12)
    assert filters.shape == (12, 3, 7, 7)
    assert np.isfinite(filters).all()


@pytest.mark.parametrize("count", [5, 200])
def test_windows_without_texture_give_filters_that_find_nothing(count: int) -> None:
    """Rounding is no texture, however little there is else."""
    flat = np.random.default_rng(0).random((count, 1, 1, 1)).astype(np.float32) * np.ones((1, 1, 7, 7), np.float32)
    assert not found_in(learn_filters(flat, 12), image_of(1, 20, 20)).any()


@pytest.mark.parametrize(("height", "width"), [(11, 9), (4, 17)])
def test_responses_are_those_of_a_loop(height: int, width: int) -> None:
    rng = np.random.default_rng(1)
    image, filters = rng.random((2, height, width)), rng.normal(size=(4, 2, 7, 7)) / 7
    around = np.pad(image, ((0, 0), (3, 3), (3, 3)), mode="reflect")
    expected = np.zeros((8, height, width))
    for number, row, column in np.ndindex(4, height, width):
        found = float((filters[number] * around[:, row : row + 7, column : column + 7]).sum())
        expected[number, row, column] = max(found - 0.25, 0)
        expected[4 + number, row, column] = max(-found - 0.25, 0)
    found = dictionary_responses(torch.from_numpy(image)[None], torch.from_numpy(filters))[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)
    assert (expected > 0).mean() > 0.1


def test_an_image_too_small_to_be_reflected_is_described_too() -> None:
    filters = torch.from_numpy(learn_filters(windows_of_stripes(bands=1), 12))
    assert dictionary_responses(torch.full((1, 1, 2, 3), 0.4), filters).eq(0).all()


def test_half_resolution_is_the_mean_of_four_and_repeats_the_last() -> None:
    image = torch.arange(15.0).view(1, 1, 3, 5)
    expected = [[(0 + 1 + 5 + 6) / 4, (2 + 3 + 7 + 8) / 4, (4 + 9) / 2], [10.5, 12.5, 14.0]]
    assert half_resolution(image)[0, 0].tolist() == expected


def test_mixing_before_upsampling_gives_what_mixing_after_it_gives() -> None:
    """As drawn, the U-Net's features are upsampled, joined with the rest, then mixed; mixing first costs less."""
    torch.manual_seed(0)
    extractor = DictionaryUnet(3, 12).double().eval()
    extractor.join[1].running_mean.uniform_(-1, 1)
    image = image_of(3, 24, 32).double()
    halved = half_resolution(image)
    coarse = dictionary_responses(halved, extractor.coarse_filters)
    first = extractor.encode_1(torch.cat([halved, coarse], dim=1))
    second = extractor.encode_2(functional.avg_pool2d(first, 2))
    third = extractor.encode_3(functional.avg_pool2d(second, 2))
    second = extractor.decode_2(torch.cat([second, doubled(third)], dim=1))
    first = extractor.decode_1(torch.cat([first, doubled(second)], dim=1))
    fine = dictionary_responses(image, extractor.fine_filters)
    expected = extractor.join(torch.cat([image, fine, doubled(first)], dim=1))
    torch.testing.assert_close(extractor(image), expected)


@pytest.mark.parametrize(("height", "width"), [(24, 32), (21, 30)])
def test_one_pixel_in_four_gets_the_features_that_it_has_among_all(height: int, width: int) -> None:
    torch.manual_seed(0)
    extractor, image = DictionaryUnet(3, 12).double().eval(), image_of(3, height, width).double()
    whole = extractor(image)
    for row, column in np.ndindex(2, 2):
        torch.testing.assert_close(extractor(image, (row, column)), whole[..., row::2, column::2])


def doubled(features: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
