"""What global operations know of a scene, found once and then frozen (docs/method.md).

Two blocks look at all pixels they are given at once: DCS fits its bases to them, and SEEK's gates see their mean. Given
a window, they see the window, and a map changes with the tiling. Frozen, they see the scene, and a pixel depends on its
receptive field only.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from terrasift.blocks.classifiers import DeepClustering, FrozenClustering

__all__ = [
    "Contextual",
    "SampleOf",
    "SampleWindow",
    "drawn",
    "freeze",
    "looks_at_all_pixels",
    "reach_of",
    "sees_single_pixels",
]


class SampleWindow(NamedTuple):
    """A window of the scene, or what a network has made of it."""

    values: Tensor
    """(1, C, H, W)."""
    valid: Tensor
    """(1, H, W), bool: pixels that count."""


SampleOf = Callable[[], Iterable[SampleWindow]]
"""Goes through the same windows whenever it is called."""


class Contextual(nn.Module, ABC):
    """A module with global operations."""

    @abstractmethod
    def frozen(self, sample: SampleOf) -> nn.Module:
        """The module with these operations frozen at what they find over all windows of a sample together."""


@torch.no_grad()
def freeze(module: nn.Module, sample: SampleOf) -> nn.Module:
    """A copy of an extractor or a classifier whose global operations are frozen; in evaluation mode."""
    if isinstance(module, Contextual):
        return module.frozen(sample).eval()
    if isinstance(module, nn.Sequential):
        parts: list[nn.Module] = []
        for part in module:
            parts.append(_freeze_part(part, _through(parts, sample)))
        return nn.Sequential(*parts).eval()
    return copy.deepcopy(module).eval()


def drawn(module: nn.Module, sample: SampleOf) -> SampleOf:
    """What a module makes of an even, seeded share of the valid pixels of all windows, as one window of a single row.

    It is enough for what looks at single pixels (`sees_single_pixels`), and spares it all others.
    """
    total = sum(int(valid.sum()) for _, valid in sample())
    share = min(1.0, _MOST_PIXELS / max(1, total))
    generator = torch.Generator().manual_seed(0)
    pixels = []
    for values, valid in sample():
        found = module(values)[0][:, valid[0]]
        chosen = torch.randperm(found.shape[1], generator=generator)[: max(1, round(share * found.shape[1]))]
        pixels.append(found[:, chosen.sort().values.to(found.device)])
    row = torch.cat(pixels, dim=1)[None, :, None]
    return lambda: [SampleWindow(row, torch.ones(1, *row.shape[2:], dtype=torch.bool, device=row.device))]


def looks_at_all_pixels(module: nn.Module) -> bool:
    """Whether a module has operations that `freeze` freezes."""
    return any(isinstance(part, Contextual | DeepClustering) for part in module.modules())


def sees_single_pixels(module: nn.Module) -> bool:
    """Whether a classifier gives for a pixel what follows from its features, and the scene's context, alone."""
    return all(
        part.kernel_size == (1, 1)
        if isinstance(part, nn.Conv2d)
        else isinstance(part, _OF_SINGLE_PIXELS) or getattr(part, "of_single_pixels", False)
        for part in module.modules()
    )


def reach_of(network: nn.Module, bands: int) -> int:
    """How far away a pixel can change a network's output, in pixels: the radius of its receptive field.

    It is seen, not computed: not-a-number in one pixel spreads to whatever depends on it. Meant for networks whose
    global operations are frozen; any other's reach is without end.

    Raises
    ------
    ValueError
        If one pixel changes the whole output.
    """
    device = next(network.parameters()).device
    for side in (64, 256):
        reaches = []
        for phase in range(4):  # pooling sees even and odd pixels with different neighbours
            image = torch.zeros(1, bands, side, side, device=device)
            centre = side // 2 + phase
            image[..., centre, centre] = torch.nan
            with torch.inference_mode():
                outputs = network(image)
            changed = torch.cat([output.isnan().any(dim=1) for output in outputs]).any(dim=0)
            reaches.append((changed.any(dim=0).nonzero() - centre).abs().max().item())
        if max(reaches) < side // 2 - 4:
            return int(max(reaches))
    raise ValueError("a pixel changes the whole output: freeze the network's context first")


_MOST_PIXELS = 1 << 18  # of a sample: 134 MB of DIC's features
_OF_SINGLE_PIXELS = (nn.Sequential, nn.BatchNorm2d, nn.ReLU, nn.Identity)


def _freeze_part(part: nn.Module, sample: SampleOf) -> nn.Module:
    if isinstance(part, DeepClustering):
        ((pixels, _),) = drawn(part.before, sample)()
        bases, _ = part.fit(pixels.flatten(2))
        return FrozenClustering(copy.deepcopy(part), bases)
    return copy.deepcopy(part)


def _through(parts: list[nn.Module], sample: SampleOf) -> SampleOf:
    passed = nn.Sequential(*parts).eval()

    def windows() -> Iterator[SampleWindow]:
        for values, valid in sample():
            yield SampleWindow(passed(values), valid)

    return windows
