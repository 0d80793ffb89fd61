"""The blocks joined: one extractor, one or two pixel classifiers; their global operations frozen for a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from terrasift.blocks.context import SampleOf, SampleWindow, drawn, freeze, looks_at_all_pixels, sees_single_pixels
from terrasift.blocks.extractors import EXTRACTORS
from terrasift.blocks.thinning import Origin
from terrasift.errors import SettingError

__all__ = ["Network", "build_network"]


class Network(nn.Module):
    """A feature extractor and the pixel classifiers that read its features in parallel.

    Attributes
    ----------
    extractor
        (N, B, H, W) to (N, features, H, W).
    classifiers
        One or two, each (N, features, H, W) to (N, K, H, W).
    """

    def __init__(self, extractor: nn.Module, classifiers: list[nn.Module]) -> None:
        super().__init__()
        self.extractor = extractor
        self.classifiers = nn.ModuleList(classifiers)

    @property
    def alignment(self) -> int:
        """Windows of a scene start at multiples of this (`blocks.extractors.Extractor`)."""
        return int(getattr(self.extractor, "alignment", 1))

    @property
    def thins(self) -> bool:
        """Whether `forward` takes an origin: the extractor does, and no classifier looks at neighbours."""
        return bool(getattr(self.extractor, "thins", False)) and all(map(sees_single_pixels, self.classifiers))

    def forward(self, images: Tensor, origin: Origin | None = None) -> tuple[Tensor, ...]:
        """Logits of each classifier.

        Parameters
        ----------
        images
            (N, B, H, W), floats in [0, 1]; H and W at least 2.
        origin
            Where one pixel in four is looked at, from here on (`blocks.thinning`); only where it `thins`.

        Returns
        -------
        tuple of Tensor
            (N, K, H, W) for each classifier.
        """
        features = self.extractor(images) if origin is None else self.extractor(images, origin)
        return tuple(classifier(features) for classifier in self.classifiers)

    def only(self, classifier: int) -> Network:
        """The same extractor with one of the classifiers, counted from 1; nothing is copied."""
        return Network(self.extractor, [self.classifiers[classifier - 1]]).train(self.training)

    def frozen(
        self, sample: SampleOf, faster: Callable[[nn.Module], nn.Module] = lambda extractor: extractor
    ) -> Network:
        """A copy whose global operations are frozen at what they find over all windows of a sample together.

        Its logits depend on a pixel's receptive field only (`blocks.context.reach_of`), whatever window it lies in, and
        windows of any batch size go through it.

        Parameters
        ----------
        sample
            Windows of the scene; asked for only where something looks at all pixels at once.
        faster
            Gives something that makes the same features as an extractor in less time.
        """
        extractor = freeze(self.extractor, sample)

        def features() -> Iterator[SampleWindow]:
            for images, valid in sample():
                yield SampleWindow(extractor(images), valid)

        if any(map(looks_at_all_pixels, self.classifiers)) and all(map(sees_single_pixels, self.classifiers)):
            with torch.no_grad():
                once = drawn(faster(extractor), sample)  # the extractor is what takes time
            return Network(extractor, [freeze(classifier, once) for classifier in self.classifiers]).eval()
        return Network(extractor, [freeze(classifier, features) for classifier in self.classifiers]).eval()


def build_network(
    extractor: str,
    bands: int = 3,
    clusters: int = 100,
    classifiers: int = 1,
    width: int | None = None,
) -> Network:
    """A network with fresh weights, drawn from torch's global generator.

    Parameters
    ----------
    extractor
        ``kan``, ``seek``, ``dic``, or the name of one that you added (docs/adding-an-extractor.md).
    bands
        Bands B of the images.
    clusters
        Clusters K of each classifier.
    classifiers
        1 or 2.
    width
        Channels of the extractor's first block; None means the extractor's own default (100, K, 64).

    Raises
    ------
    SettingError
        If a value is out of its range.

    Examples
    --------
    >>> network = build_network("dic", classifiers=2)
    >>> sum(parameter.numel() for parameter in network.parameters())
    696736
    """
    if extractor not in EXTRACTORS:
        raise SettingError("extractor", f"{extractor!r} is unknown", f"use one of {', '.join(EXTRACTORS)}")
    for name, value in (("bands", bands), ("classifiers", classifiers), ("width", width or 1)):
        if value < 1:
            raise SettingError(name, f"{value} is too small", "use 1 or more")
    if clusters < 2:
        raise SettingError("clusters", f"{clusters} is too small", "use 2 or more")
    kind = EXTRACTORS[extractor]
    features = kind(bands, width or kind.default_width(clusters))
    return Network(features, [features.classifier(clusters, classifiers) for _ in range(classifiers)])
