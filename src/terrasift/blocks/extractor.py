"""What every feature extractor offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import nn

__all__ = ["Extractor", "linear_head"]


class Extractor(nn.Module, ABC):
    """What every extractor offers (docs/adding-an-extractor.md).

    Parameters
    ----------
    bands
        Bands of the image, B.
    width
        Channels of the first block.

    Attributes
    ----------
    features
        Channels of what `forward` gives: (N, bands, H, W) in [0, 1] to (N, features, H, W).
    alignment
        Windows of a scene start at rows and columns that are multiples of this: the steps of all pooling, multiplied.
    thins
        Whether `forward` also takes an origin (`blocks.thinning`), and gives the features of one pixel in four for less
        than those of all.
    """

    features: int
    alignment: ClassVar[int] = 1
    thins: ClassVar[bool] = False

    def __init__(self, bands: int, width: int) -> None:
        super().__init__()

    @staticmethod
    @abstractmethod
    def default_width(clusters: int) -> int:
        """The width where a recipe names none, for K clusters."""

    def classifier(self, clusters: int, classifiers: int) -> nn.Module:
        """One of `classifiers` equal heads on the features: (N, features, H, W) to logits (N, clusters, H, W).

        A 1x1 convolution and batch normalisation, without ReLU.
        """
        return linear_head(self.features, clusters)


def linear_head(features: int, clusters: int) -> nn.Sequential:
    """A 1x1 convolution and batch normalisation, without ReLU."""
    return nn.Sequential(nn.Conv2d(features, clusters, 1), nn.BatchNorm2d(clusters))
