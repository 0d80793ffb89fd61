"""The extractor that begins with filters learned from the images: a dictionary, and a small U-Net behind it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from terrasift.blocks.dictionary import FILTER_SIDE, FILTERS, dictionary_responses, half_resolution
from terrasift.blocks.extractor import Extractor
from terrasift.blocks.thinning import Origin, every_second

__all__ = ["DictionaryUnet"]


class DictionaryUnet(Extractor):
    """Responses of a fixed filter dictionary at full and half resolution, a U-Net on the latter, both joined.

    The U-Net works at half resolution and pools twice: 3x3 convolutions with batch normalisation and ReLU, two of
    ``width`` and two of ``4/3 width`` channels on the way down, one of ``2 width`` at the bottom, one for each level on
    the way up, so that a pixel sees no further than 46 pixels. What it finds is upsampled and joined with the bands and
    the responses at full resolution by a 1x1 convolution with batch normalisation and ReLU. Edges repeat: no
    convolution sees zeros where an image ends.

    Parameters
    ----------
    bands
        Bands of the image, B.
    width
        Channels of the U-Net's first block. 32 in the recipe `default`.

    Attributes
    ----------
    fine_filters, coarse_filters
        (F, B, 7, 7): the dictionaries of the full and the half resolution (`blocks.dictionary`), buffers that are not
        trained. They are random until `set_filters`.

    References
    ----------
    Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015.
    """

    alignment = 8
    thins = True
    fine_filters: Tensor
    coarse_filters: Tensor

    def __init__(self, bands: int, width: int) -> None:
        super().__init__(bands, width)
        self.features = _JOINED
        responses, middle, deep = 2 * FILTERS, width * 4 // 3, width * 2
        self.register_buffer("fine_filters", _random_filters(bands))
        self.register_buffer("coarse_filters", _random_filters(bands))
        self.encode_1 = _block(bands + responses, width, width)
        self.encode_2 = _block(width, middle, middle)
        self.encode_3 = _block(middle, deep)
        self.decode_2 = _block(middle + deep, middle)
        self.decode_1 = _block(width + middle, width)
        self.join = nn.Sequential(
            nn.Conv2d(bands + responses + width, _JOINED, 1, bias=False), nn.BatchNorm2d(_JOINED), nn.ReLU()
        )

    @staticmethod
    def default_width(clusters: int) -> int:
        """32, whatever the clusters."""
        return 32

    def set_filters(self, filters: NDArray[np.float32]) -> None:
        """Take a dictionary, (2, F, B, 7, 7), for the fixed first layer."""
        self.fine_filters.copy_(torch.from_numpy(filters[0]))
        self.coarse_filters.copy_(torch.from_numpy(filters[1]))

    def forward(self, images: Tensor, origin: Origin | None = None) -> Tensor:
        """(N, B, H, W) in [0, 1] to (N, 64, H, W), or to those of every second row and column from an origin on."""
        height, width = images.shape[-2:]
        whole = self._in_whole_steps(images)
        halved = half_resolution(whole)
        with torch.no_grad():  # fixed, and nothing before them learns
            fine = dictionary_responses(whole, self.fine_filters, origin)
            coarse = dictionary_responses(halved, self.coarse_filters)
            whole, halved = whole.to(fine.dtype), halved.to(coarse.dtype)  # else autocast would join them in float32
            halved = torch.cat([halved, coarse], dim=1)
        # `join` takes each of what it joins by itself, as a 1x1 convolution may: responses, which are large, are gone
        # before the U-Net begins, what is learned is upsampled after, and what is fixed gets no gradient.
        convolution, *rest = self.join
        assert isinstance(convolution, nn.Conv2d)
        weight, bands, split = convolution.weight, whole.shape[1], whole.shape[1] + fine.shape[1]
        features = functional.conv2d(fine, weight[:, bands:split], convolution.bias)
        del fine, coarse
        features += functional.conv2d(whole if origin is None else every_second(whole, origin), weight[:, :bands])
        learned = self._unet(halved)
        if origin is None:
            features += _doubled(functional.conv2d(learned, weight[:, split:]))
        else:
            features += functional.conv2d(_every_second_of_doubled(learned, origin), weight[:, split:])
        for part in rest:
            features = part(features)
        if origin is not None:
            row, column = origin
            return features[..., : (height - row + 1) // 2, : (width - column + 1) // 2]
        if torch.compiler.is_exporting():  # which would take a slice for a promise about the size
            return features[..., torch.arange(height), :][..., torch.arange(width)]
        return features[..., :height, :width]

    def _unet(self, halved: Tensor) -> Tensor:
        """Bands and responses to `width` channels, at half resolution."""
        first = self.encode_1(halved)
        second = self.encode_2(functional.avg_pool2d(first, 2))
        third = self.encode_3(functional.avg_pool2d(second, 2))
        second = self.decode_2(torch.cat([second, _doubled(third)], dim=1))
        found: Tensor = self.decode_1(torch.cat([first, _doubled(second)], dim=1))
        return found

    def _in_whole_steps(self, images: Tensor) -> Tensor:
        sides = images.shape[-2:]
        if not torch.compiler.is_exporting() and not any(side % self.alignment for side in sides):
            return images
        rows, columns = (_whole(side, self.alignment, images.device) for side in sides)
        return images[..., rows, :][..., columns]


_JOINED = 64  # channels of the features


def _block(channels_in: int, *channels: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for before, after in pairwise((channels_in, *channels)):
        convolution = nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate", bias=False)
        parts += [convolution, nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*parts)


def _whole(side: int, step: int, device: torch.device) -> Tensor:
    """Numbers of rows until they fill whole steps, the last one repeated; padding would fix the size of an export."""
    return torch.arange((side + step - 1) // step * step, device=device).clamp(max=side - 1)


def _doubled(features: Tensor) -> Tensor:
    """Bilinear, and the same wherever a window begins."""
    return functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)


def _every_second_of_doubled(features: Tensor, origin: Origin) -> Tensor:
    """`every_second` of `_doubled`, without the three quarters that nobody wants."""
    for axis, first in zip((-2, -1), origin, strict=True):
        count = features.shape[axis]
        if first:  # such a pixel lies between its own and the next one of half resolution
            beside = torch.cat([features.narrow(axis, 1, count - 1), features.narrow(axis, count - 1, 1)], dim=axis)
        else:
            beside = torch.cat([features.narrow(axis, 0, 1), features.narrow(axis, 0, count - 1)], dim=axis)
        features = torch.lerp(features, beside, 0.25)
    return features


def _random_filters(bands: int) -> Tensor:
    filters = torch.randn(FILTERS, bands, FILTER_SIDE, FILTER_SIDE)
    filters -= filters.mean(dim=(1, 2, 3), keepdim=True)
    return filters / filters.flatten(1).std(dim=1)[:, None, None, None]
