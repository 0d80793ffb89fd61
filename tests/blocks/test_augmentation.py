"""Augmentation: image, regions and validity move as one; colours change as other libraries change them."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from skimage.transform import SimilarityTransform, warp
from torch import Tensor

from terrasift import Recipe, refine, train
from terrasift import training as training_module
from terrasift.blocks.augmentation import (
    augment,
    change_hue_and_saturation,
    change_light,
    draws_of_step,
    flip_and_turn,
    random_crop,
    rotate_and_scale,
)
from terrasift.blocks.batch import Batch
from terrasift.blocks.choices import Augmentation

EIGHT = torch.tensor([[number >> bit & 1 for number in range(8)] for bit in range(3)], dtype=torch.bool)  # (3, 8)


def batch_of(
    seed: int = 0, count: int = 2, bands: int = 3, height: int = 12, width: int = 12, invalid: float = 0.2
) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, bands, height, width, generator=generator)
    regions = torch.randint(0, 9, (count, height, width), generator=generator, dtype=torch.int32)
    valid = torch.rand(count, height, width, generator=generator) >= invalid
    return Batch(images, regions, valid, torch.randint(0, 70_000, (count, 2, height, width), generator=generator))


def smooth(images: Tensor) -> Tensor:
    return torch.nn.functional.interpolate(images, scale_factor=4, mode="bilinear")


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(*pair) and pair[0].dtype == pair[1].dtype for pair in zip(one, other, strict=True))


# Flips and quarter turns


def test_flips_are_the_eight_of_numpy() -> None:
    batch = batch_of(count=8)
    turned = flip_and_turn(batch, EIGHT)
    seen = set()
    for before, after in zip(batch, turned, strict=True):
        for image, (old, new) in enumerate(zip(before.numpy(), after.numpy(), strict=True)):
            fits = [
                (turns, mirrored)
                for turns in range(4)
                for mirrored in (False, True)
                if np.array_equal(np.rot90(old[..., ::-1] if mirrored else old, turns, axes=(-2, -1)), new)
            ]
            assert len(fits) == 1
            seen.add((image, *fits[0]))
    assert len(seen) == 8  # each its own, and the same for image, regions, validity and targets


@given(st.integers(0, 10_000))
def test_flips_and_turns_commute_with_the_vote(seed: int) -> None:
    batch = batch_of(seed, count=8, height=9, width=9)
    labels = torch.randint(0, 5, batch.regions.shape, generator=torch.Generator().manual_seed(seed))

    def moved(values: Tensor) -> Batch:  # the labels take the image's place
        return flip_and_turn(batch._replace(images=values[:, None]), EIGHT)

    first_moved = moved(labels)
    voted = refine(first_moved.images[:, 0], first_moved.regions, first_moved.valid)
    assert torch.equal(voted, moved(refine(labels, batch.regions, batch.valid)).images[:, 0])


def test_every_flip_and_turn_is_drawn_and_each_image_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrasift.blocks.augmentation._DEGREES", 0.0)
    monkeypatch.setattr("terrasift.blocks.augmentation._SCALE", 1.0)
    one = torch.arange(16.0).view(1, 1, 4, 4) / 16
    regions = torch.arange(16, dtype=torch.int32).view(1, 4, 4)
    batch = Batch(*(t.repeat(800, *[1] * (t.dim() - 1)) for t in (one, regions, torch.ones(1, 4, 4, dtype=torch.bool))))
    turned = augment(batch, "geometric", torch.Generator().manual_seed(5))
    assert turned.valid.all()
    torch.testing.assert_close(turned.images[:, 0], turned.regions / 16, rtol=0, atol=1e-5)
    kinds, counts = turned.regions.flatten(1).unique(dim=0, return_counts=True)
    assert len(kinds) == 8
    assert counts.min() > 60  # of 100 expected


def test_patches_that_are_not_square_keep_their_shape() -> None:
    batch = batch_of(count=40, height=8, width=14)
    for seed in range(5):
        changed = augment(batch, "geometric", torch.Generator().manual_seed(seed))
        assert [t.shape for t in changed] == [t.shape for t in batch]


# Crops


@pytest.mark.parametrize("side", [5, 12])
def test_a_crop_is_the_same_part_of_everything_and_may_lie_anywhere(side: int) -> None:
    batch = batch_of(count=1000, height=12, width=12)
    names = torch.arange(144).view(1, 1, 12, 12).expand(1000, 2, -1, -1)
    batch = batch._replace(targets=names)
    cropped = random_crop(batch, side, draws_of_step(0, 0, 0))
    corners = set()
    for number in range(1000):
        row, column = divmod(int(cropped.targets[number, 0, 0, 0]), 12)
        corners.add((row, column))
        for before, after in zip(batch, cropped, strict=True):
            assert torch.equal(after[number], before[number][..., row : row + side, column : column + side])
    assert len(corners) == (13 - side) ** 2


def test_a_crop_of_all_of_it_changes_nothing() -> None:
    batch = batch_of(height=12, width=20)
    assert random_crop(batch, 12, draws_of_step(0, 0, 0)) is batch
    assert same(random_crop(batch, 9, draws_of_step(0, 0, 0)), random_crop(batch, 9, draws_of_step(0, 0, 0)))


def test_flips_alone_move_pixels_and_change_none() -> None:
    batch = batch_of(count=30)
    flipped = augment(batch, "flips", draws_of_step(0, 0, 0))
    generator = draws_of_step(0, 0, 0)
    assert same(flipped, flip_and_turn(batch, torch.rand(3, 30, generator=generator) < 0.5))
    assert not same(flipped, batch)


# Rotation and scale


def test_rotation_by_nothing_changes_nothing() -> None:
    batch = batch_of(height=11, width=16)
    still = rotate_and_scale(batch, torch.zeros(2), torch.ones(2))
    torch.testing.assert_close(still.images, batch.images, rtol=0, atol=1e-5)
    assert torch.equal(still.regions, batch.regions)
    assert torch.equal(still.valid, batch.valid)
    assert torch.equal(still.targets, batch.targets)


@pytest.mark.parametrize(
    ("degrees", "scale"), [(0.0, 1.25), (0.0, 0.81), (13.0, 1.0), (-7.0, 1.1), (14.0, 0.83), (80.0, 0.9)]
)
def test_rotation_and_scale_are_those_of_scikit_image(degrees: float, scale: float) -> None:
    batch = batch_of(3, count=1, height=24, width=37, invalid=0.03)
    moved = rotate_and_scale(batch, torch.tensor([degrees]), torch.tensor([scale]))
    centre = np.array([18.0, 11.5])
    forward = (
        SimilarityTransform(translation=-centre)
        + SimilarityTransform(rotation=np.deg2rad(degrees), scale=scale)  # y points down: clockwise
        + SimilarityTransform(translation=centre)
    )

    def expected(values: Tensor, order: int) -> np.ndarray:
        return warp(values.numpy().astype(float), forward.inverse, order=order, preserve_range=True)

    valid = expected(batch.valid[0], order=1) > 0.999
    assert np.array_equal(moved.valid[0].numpy(), valid)
    assert 0.3 < valid.mean() < 1
    for band in range(3):
        np.testing.assert_allclose(
            moved.images[0, band].numpy()[valid], expected(batch.images[0, band], order=1)[valid], atol=2e-5
        )
    assert np.array_equal(moved.regions[0].numpy()[valid], expected(batch.regions[0], order=0)[valid])
    for before, after in zip(batch.targets[0], moved.targets[0], strict=True):
        assert np.array_equal(after.numpy()[valid], expected(before, order=0)[valid])


def test_no_valid_pixel_has_seen_an_invalid_one() -> None:
    """Whatever value stands where there is no data; and what lies outside is invalid too."""
    batch = batch_of(8, count=60, height=30, width=30, invalid=0.02)._replace(images=torch.full((60, 3, 30, 30), 0.5))
    junk = batch._replace(images=torch.where(batch.valid[:, None], batch.images, 1.0))
    changed, junk_changed = (augment(b, "geometric", torch.Generator().manual_seed(1)) for b in (batch, junk))
    difference = (changed.images - junk_changed.images).abs().amax(dim=1)
    assert torch.equal(changed.valid, junk_changed.valid)
    assert difference[changed.valid].max() < 1e-3
    assert difference[~changed.valid].max() > 0.4
    assert 0.5 < changed.valid.float().mean() < batch.valid.float().mean()


@pytest.mark.parametrize("largest", [9, 2**31 - 1])
def test_image_and_regions_move_together(largest: int) -> None:
    """An image that is flat in each of its large regions still is, away from their borders."""
    numbers = torch.arange(9).view(3, 3).repeat_interleave(20, 0).repeat_interleave(20, 1).expand(50, -1, -1)
    images = (numbers / 10.0)[:, None].expand(-1, 2, -1, -1)
    regions = (numbers - 8 + largest).int()  # numbers that float32 does not hold, too
    batch = Batch(images, regions, torch.ones(50, 60, 60, dtype=torch.bool))
    moved = augment(batch, "geometric", torch.Generator().manual_seed(2))
    of_region = (moved.regions.long() + 8 - largest) / 10.0
    assert moved.valid.float().mean() == pytest.approx(0.9, abs=0.05)  # docs/method.md
    off = (moved.images[:, 0] - of_region).abs()[moved.valid]
    assert (off < 1e-4).float().mean() > 0.85  # the others mix regions that touch
    assert off.max() < 0.21  # at most half of the step between them: 0.1 in a row and 0.3 in a column
    assert set(moved.regions.unique().tolist()) <= set(regions.unique().tolist())


# Colour


@pytest.mark.parametrize(("degrees", "saturation"), [(0.0, 0.8), (18.0, 1.0), (-18.0, 1.25), (120.0, 0.5)])
def test_hue_and_saturation_are_those_of_colorsys(degrees: float, saturation: float) -> None:
    images = batch_of(4).images
    changed = change_hue_and_saturation(images, torch.tensor([degrees, 0.0]), torch.tensor([saturation, 1.0]))
    for old, new in zip(images[0].flatten(1).T.tolist(), changed[0].flatten(1).T.tolist(), strict=True):
        hue, purity, value = colorsys.rgb_to_hsv(*old)
        wanted = colorsys.hsv_to_rgb((hue + degrees / 360) % 1, min(1, purity * saturation), value)
        assert new == pytest.approx(wanted, abs=1e-5)
    torch.testing.assert_close(changed[1], images[1])  # each image has its own


@pytest.mark.parametrize("bands", [1, 4, 10])
@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_light_is_that_of_pillow_for_each_band(bands: int, factor: float) -> None:
    """Pillow in 8 bits, one band at a time: within its rounding."""
    images = (batch_of(6, bands=bands, height=40, width=30, invalid=0).images * 0.4 + 0.25).mul(255).round() / 255
    valid, same_light = torch.ones(2, 40, 30, dtype=torch.bool), torch.ones(2, bands)
    one_band = torch.where(torch.arange(bands) == bands - 1, factor, 1.0).expand(2, -1)
    changed = {
        ImageEnhance.Brightness: change_light(images, valid, one_band, same_light),
        ImageEnhance.Contrast: change_light(images, valid, same_light, one_band),
    }
    for enhance, result in changed.items():
        torch.testing.assert_close(result[:, :-1], images[:, :-1])
        for before, after in zip(images[:, -1], result[:, -1], strict=True):
            picture = Image.fromarray((before * 255).round().byte().numpy())
            wanted = np.asarray(enhance(picture).enhance(factor)) / 255
            np.testing.assert_allclose(after.numpy(), wanted, atol=1.6 / 255)


def test_contrast_is_about_the_mean_of_the_valid_pixels() -> None:
    batch = batch_of(7)
    flat = batch.images * 0 + 0.4
    images = torch.where(batch.valid[:, None], flat, 1.0)
    changed = change_light(images, batch.valid, torch.ones(2, 1), torch.full((2, 1), 0.5))
    torch.testing.assert_close(changed.movedim(1, -1)[batch.valid], flat.movedim(1, -1)[batch.valid])


@pytest.mark.parametrize("bands", [1, 3, 4, 10])
def test_colour_stays_in_range_and_moves_nothing(bands: int) -> None:
    batch = batch_of(9, count=30, bands=bands)
    batch = batch._replace(images=(batch.images * 2 - 0.5).clamp(0, 1))  # much black and white
    changed = augment(batch, "colour", torch.Generator().manual_seed(0))
    assert changed.regions is batch.regions
    assert changed.valid is batch.valid
    assert changed.images.dtype == torch.float32
    assert 0 <= changed.images.min() < changed.images.max() <= 1
    moved = (changed.images - batch.images).abs().mean(dim=(2, 3))  # (N, B)
    assert moved.min() > 0
    assert moved.max() < 0.25


def test_bands_that_are_not_colours_are_drawn_apart() -> None:
    images = torch.full((20, 4, 8, 8), 0.5)
    batch = batch_of(count=20, bands=4, height=8, width=8)._replace(images=images)
    factors = augment(batch, "colour", torch.Generator().manual_seed(0)).images[:, :, 0, 0] / 0.5
    assert len(factors.unique()) == 80
    assert 0.8 <= factors.min() < 0.85 < 1.2 < factors.max() <= 1.25
    grey = batch._replace(images=images[:, :3])
    together = augment(grey, "colour", torch.Generator().manual_seed(0)).images
    torch.testing.assert_close(together[:, :1].expand(-1, 3, -1, -1), together)  # grey stays grey


# The draws


def test_none_changes_nothing() -> None:
    batch = batch_of()
    assert augment(batch, "none", draws_of_step(0, 0, 0)) is batch
    assert Recipe().augmentation == "none"


@pytest.mark.parametrize("kind", get_args(Augmentation))
def test_draws_repeat_and_touch_nothing_else(kind: Augmentation) -> None:
    batch = batch_of(height=20, width=20)
    kept, state = Batch(*(t.clone() for t in batch)), torch.get_rng_state()
    first, again = (augment(batch, kind, draws_of_step(3, 7, 1)) for _ in range(2))
    assert same(first, again)
    assert same(batch, kept)
    assert torch.equal(torch.get_rng_state(), state)
    others = [augment(batch, kind, draws_of_step(*numbers)) for numbers in ((4, 7, 1), (3, 8, 1), (3, 7, 0))]
    assert all(same(first, other) == (kind == "none") for other in others)


def test_both_is_one_after_the_other() -> None:
    batch = batch_of(height=20, width=20)
    generator = torch.Generator().manual_seed(1)
    parts = augment(augment(batch, "geometric", generator), "colour", generator)
    assert same(parts, augment(batch, "both", torch.Generator().manual_seed(1)))


# In training


def stops_after(steps: int) -> Callable[..., Batch]:
    left = iter(range(steps))

    def augment_or_stop(*arguments: object) -> Batch:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return augment(*arguments)

    return augment_or_stop


def test_interrupted_training_ends_with_the_same_weights(
    scenes: Path, tmp_path: Path, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tiny_recipe.model_dump() | {"steps": 4}
    tree["compute"]["checkpoint_seconds"] = 0

    def weights(folder: str, augmentation: str, *, resume: bool = False) -> bytes:
        recipe = Recipe.from_tree(tree | {"augmentation": augmentation})
        where = tmp_path / folder
        run = train([scenes / "images"], where, recipe, cache=tmp_path / "cache", resume=resume)
        return run.weights_file.read_bytes()

    undisturbed = weights("one", "both")
    with monkeypatch.context() as patch:
        patch.setattr(training_module, "augment", stops_after(2))
        with pytest.raises(KeyboardInterrupt):
            weights("two", "both")
    assert weights("two", "both", resume=True) == undisturbed
    assert weights("three", "none") != undisturbed
