"""Augmentation: patches seen from another side or in other light, with their regions and validity moved along."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from terrasift.blocks.batch import Batch
from terrasift.blocks.choices import Augmentation

__all__ = [
    "augment",
    "change_hue_and_saturation",
    "change_light",
    "draws_of_step",
    "flip_and_turn",
    "random_crop",
    "rotate_and_scale",
]

_DEGREES = 15.0  # of rotation, either way: more leaves empty corners, and the quarter turns bring the other directions
_SCALE = 1.25  # or 1/1.25: about what flying heights differ by; further out, too much of a patch would be empty
_LIGHT = 1.25  # or 1/1.25, for brightness, contrast and saturation: what hours and sensors differ by
_HUE = 18.0  # degrees, either way, of the circle of 360: trees stay greener than soil
_ALL_VALID = 0.999  # of the weight of what a pixel mixes; not 1, because of rounding


def augment(batch: Batch, augmentation: Augmentation, generator: torch.Generator) -> Batch:
    """Change each patch of a batch in its own way, drawn at random.

    Parameters
    ----------
    batch
        On any device.
    augmentation
        ``flips``: one of the eight flips and quarter turns (one of the four that keep the shape where a patch is not
        square). ``geometric``: the same, then a rotation by up to 15 degrees and a scaling by 0.8 to 1.25. ``colour``:
        of the image alone, brightness, contrast, saturation by 0.8 to 1.25 and hue by up to 18 degrees where there are
        three bands, otherwise brightness and contrast, drawn for each band. ``both``: geometric, then colour. ``none``:
        nothing.
    generator
        On the CPU, so that the same numbers are drawn for every device.

    Returns
    -------
    Batch
        Of the same shapes, types and device; `batch` itself with ``none``. No superpixels are made anew: a region
        still holds the pixels that it held before.
    """
    if augmentation == "flips":
        batch = flip_and_turn(batch, _draw_flips(batch, generator))
    if augmentation in ("geometric", "both"):
        batch = _see_from_another_side(batch, generator)
    if augmentation in ("colour", "both"):
        batch = batch._replace(images=_see_in_other_light(batch, generator))
    return batch


def random_crop(batch: Batch, side: int, generator: torch.Generator) -> Batch:
    """A square of `side` pixels of each patch, drawn at random; `batch` itself where patches are not larger."""
    count, _, height, width = batch.images.shape
    if side >= min(height, width):
        return batch
    rows = torch.randint(height - side + 1, (count,), generator=generator).tolist()
    columns = torch.randint(width - side + 1, (count,), generator=generator).tolist()

    def cropped(tensor: Tensor) -> Tensor:
        parts = zip(tensor, rows, columns, strict=True)
        return torch.stack([part[..., row : row + side, column : column + side] for part, row, column in parts])

    return _each(batch, cropped)


def draws_of_step(seed: int, step: int, process: int) -> torch.Generator:
    """The generator of one training step of one process: it needs no state to go on after an interruption."""
    (number,) = np.random.SeedSequence((seed, step, process)).generate_state(1)  # 32 bits, all that PyTorch's takes
    return torch.Generator().manual_seed(int(number))


def flip_and_turn(batch: Batch, flips: Tensor) -> Batch:
    """Images, regions and validity flipped and turned to the pixel.

    Parameters
    ----------
    batch
        Square patches, unless no image is mirrored at its diagonal.
    flips
        (3, N), bool: which images are mirrored left to right, then which of them top to bottom, then which at the
        diagonal, where rows become columns. All eight together are the four quarter turns, each mirrored or not.
    """
    return _each(batch, lambda tensor: _flipped(tensor, flips.to(tensor.device)))


def rotate_and_scale(batch: Batch, degrees: Tensor, scale: Tensor) -> Batch:
    """Images, regions and validity rotated about their centre and scaled.

    Images are sampled bilinearly, regions by the nearest pixel. A pixel is valid only if the four pixels that it mixes
    are valid and inside the patch, but for a thousandth of their weight. Beyond its edges a patch is reflected.

    Parameters
    ----------
    batch
        N patches.
    degrees
        (N,): of rotation, clockwise.
    scale
        (N,): above 1, things become larger.
    """
    height, width = batch.images.shape[-2:]
    cosine, sine = torch.deg2rad(degrees).cos() / scale, torch.deg2rad(degrees).sin() / scale
    zero = torch.zeros_like(cosine)
    # From the new pixel to the old one. `affine_grid` measures x in half widths and y in half heights.
    entries = [cosine, sine * height / width, zero, -sine * width / height, cosine, zero]
    matrices = torch.stack(entries, dim=1).view(-1, 2, 3).to(batch.images.device)
    grid = functional.affine_grid(matrices, list(batch.images.shape), align_corners=False)
    images = functional.grid_sample(batch.images, grid, padding_mode="reflection", align_corners=False)
    valid = functional.grid_sample(batch.valid[:, None].float(), grid, padding_mode="zeros", align_corners=False)[:, 0]
    targets = None
    if batch.targets is not None:
        targets = torch.stack([_nearest(layer, grid) for layer in batch.targets.unbind(1)], dim=1)
    return Batch(images.clamp(0, 1), _nearest(batch.regions, grid), valid > _ALL_VALID, targets)


def change_light(images: Tensor, valid: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """``brightness * (mean + contrast * (x - mean))``, cut off at 0 and 1; the mean is that of a band's valid pixels.

    Parameters
    ----------
    images
        (N, B, H, W), float32 in [0, 1].
    valid
        (N, H, W), bool.
    brightness, contrast
        (N, B), or (N, 1) for all bands alike; 1 changes nothing.
    """
    inside = valid[:, None]
    mean = (images * inside).sum(dim=(2, 3), keepdim=True) / inside.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    brightness, contrast = (factor[:, :, None, None].to(images.device) for factor in (brightness, contrast))
    return (brightness * (mean + contrast * (images - mean))).clamp(0, 1)


def change_hue_and_saturation(images: Tensor, degrees: Tensor, saturation: Tensor) -> Tensor:
    """Hue turned and saturation multiplied, in the HSV model.

    Parameters
    ----------
    images
        (N, 3, H, W), float32 in [0, 1]: red, green, blue.
    degrees
        (N,), -180 to 180: from red towards green where positive.
    saturation
        (N,), not negative; 1 changes nothing.
    """
    from kornia.enhance import adjust_hue, adjust_saturation  # takes long to import: only where it is used

    return adjust_hue(adjust_saturation(images, saturation), torch.deg2rad(degrees)).clamp(0, 1)


def _see_from_another_side(batch: Batch, generator: torch.Generator) -> Batch:
    count = len(batch.images)
    flips = _draw_flips(batch, generator)
    degrees, scale = (
        _DEGREES * _either_way(count, generator=generator),
        _SCALE ** _either_way(count, generator=generator),
    )
    return rotate_and_scale(flip_and_turn(batch, flips), degrees, scale)


def _each(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    targets = None if batch.targets is None else change(batch.targets)
    return Batch(change(batch.images), change(batch.regions), change(batch.valid), targets)


def _draw_flips(batch: Batch, generator: torch.Generator) -> Tensor:
    count, _, height, width = batch.images.shape
    flips = torch.rand(3, count, generator=generator) < 0.5
    flips[2] &= height == width
    return flips


def _see_in_other_light(batch: Batch, generator: torch.Generator) -> Tensor:
    count, bands = batch.images.shape[:2]
    brightness, contrast = _LIGHT ** _either_way(2, count, 1 if bands == 3 else bands, generator=generator)
    images = change_light(batch.images, batch.valid, brightness, contrast)
    if bands != 3:
        return images
    degrees, saturation = (
        _HUE * _either_way(count, generator=generator),
        _LIGHT ** _either_way(count, generator=generator),
    )
    return change_hue_and_saturation(images, degrees, saturation)


def _either_way(*shape: int, generator: torch.Generator) -> Tensor:
    """Evenly drawn from -1 to 1; as an exponent it makes things as often smaller as larger."""
    return 2 * torch.rand(*shape, generator=generator) - 1


def _flipped(tensor: Tensor, flips: Tensor) -> Tensor:
    left_right, top_bottom, diagonal = flips.view(3, -1, *[1] * (tensor.dim() - 1))
    tensor = torch.where(left_right, tensor.flip(-1), tensor)
    tensor = torch.where(top_bottom, tensor.flip(-2), tensor)
    return torch.where(diagonal, tensor.mT, tensor) if diagonal.any() else tensor


def _nearest(regions: Tensor, grid: Tensor) -> Tensor:
    """`grid_sample` by the nearest pixel for integers of any size; beyond the edge, the nearest pixel of the edge."""
    height, width = regions.shape[-2:]
    column = ((grid[..., 0] + 1) * width / 2 - 0.5).round().long().clamp(0, width - 1)
    row = ((grid[..., 1] + 1) * height / 2 - 0.5).round().long().clamp(0, height - 1)
    return regions.flatten(1).gather(1, (row * width + column).flatten(1)).view_as(regions)
