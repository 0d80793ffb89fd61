"""Feature extractors: images in, one feature vector for each pixel out (METHOD section 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["EXTRACTORS", "Dic"]


class Dic(nn.Module):
    """The extractor of Deep Image Clustering, the study's choice: a U-Net cut down to one level.

    Blocks 1 and 2 see the full resolution, blocks 3 and 4 half of it, blocks 5 and 6 both. A block is a 3x3
    convolution, batch normalisation, ReLU.

    Parameters
    ----------
    bands
        Bands of the image, B.
    width
        Channels of block 1; the other blocks keep their ratio to it. 64 in the study.

    References
    ----------
    Zhou and Wei, "DIC: Deep Image Clustering for Unsupervised Image Segmentation", IEEE Access 2020.
    """

    default_width = 64

    def __init__(self, bands: int, width: int = default_width) -> None:
        super().__init__()
        self.features = 2 * width
        self.block_1 = _block(bands, width)
        self.block_2 = _block(width, width)
        self.block_3 = _block(width, 2 * width)
        self.block_4 = _block(2 * width, 2 * width)
        self.block_5 = _block(3 * width, 2 * width)
        self.block_6 = _block(2 * width, 2 * width)

    def forward(self, images: Tensor) -> Tensor:
        """(N, B, H, W) in [0, 1] to (N, 2 * width, H, W), H and W at least 2."""
        skip = self.block_2(self.block_1(images))
        deep = self.block_4(self.block_3(functional.max_pool2d(skip, 2)))
        deep = functional.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=True)
        odd_rows, odd_columns = skip.shape[-2] - deep.shape[-2], skip.shape[-1] - deep.shape[-1]
        deep = functional.pad(deep, (0, odd_columns, 0, odd_rows), mode="replicate")
        features: Tensor = self.block_6(self.block_5(torch.cat([skip, deep], dim=1)))
        return features


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


EXTRACTORS = {"dic": Dic}
"""Name in a recipe -> class taking (bands, width), with `features` and `default_width`."""
