"""A trained network made faster on a CPU."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, TypeGuard, overload

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from terrasift.blocks.choices import PredictionSpeed
from terrasift.blocks.classifiers import Bases, DeepClustering, FrozenClustering
from terrasift.network import Network

__all__ = ["accelerated"]


@overload
def accelerated(network: Network, speed: PredictionSpeed) -> Network: ...
@overload
def accelerated(network: nn.Module, speed: PredictionSpeed) -> nn.Module: ...
def accelerated(network: nn.Module, speed: PredictionSpeed) -> nn.Module:
    """A network that predicts faster on a CPU (`benchmarks/inference.py`).

    Normalisation becomes part of the convolution before it, the channels of a pixel lie side by side in memory, ReLU
    writes over what it reads, and the DCS block and the convolution before it become matrix products that go through
    few enough pixels at a time to stay in the processor's cache.

    Parameters
    ----------
    network
        In evaluation mode, with its context frozen or not. It stays as it is.
    speed
        ``plain``: `network` itself. ``fast``: in float32, the same logits but for rounding. ``bfloat16``: the same in
        numbers of 8 significant bits, which only some processors compute faster with.

    Returns
    -------
    Network or Module
        As `network` is; logits, and the features of an extractor alone, are float32. On any device but a CPU, `network`
        itself: nothing here was measured on others.

    Raises
    ------
    ValueError
        If the network is in training mode, in which normalisation follows the batch.
    """
    if network.training:
        raise ValueError("the network is in training mode: call eval() first")
    if speed == "plain" or next(network.parameters()).device.type != "cpu":
        return network
    network = copy.deepcopy(network).requires_grad_(False)
    for chain in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        _fold_normalisation(chain)
        _let_relu_overwrite(chain)
        _join_clustering(chain)
    dtype = torch.bfloat16 if speed == "bfloat16" else torch.float32
    # PyTorch's own types do not know of a module's memory format.
    network.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if not isinstance(network, Network):
        return _InFloat32(_Given(network, dtype))
    given = _Given(network.extractor, dtype)
    return Network(given, [_InFloat32(classifier) for classifier in network.classifiers]).eval()


class _Given(nn.Module):
    """An extractor behind the type and the memory format in which it computes."""

    def __init__(self, extractor: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.extractor = extractor
        self.alignment = getattr(extractor, "alignment", 1)
        self.dtype = dtype

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.extractor(images.to(dtype=self.dtype, memory_format=torch.channels_last))
        return features


class _InFloat32(nn.Module):
    """What a module gives, in float32."""

    of_single_pixels = True

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.module(inputs)
        return outputs.float()


class _JoinedClustering(nn.Module):
    """A 1x1 convolution and the DCS block after it, frozen or not."""

    of_single_pixels = True  # with the block's bases

    def __init__(self, convolution: nn.Conv2d, block: DeepClustering | FrozenClustering) -> None:
        super().__init__()
        self.convolution = convolution
        self.block = block

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to (N, K, H, W), float32."""
        count, _, height, width = features.shape
        pixels = features.permute(0, 2, 3, 1).flatten(1, 2)
        outputs = pixels.new_empty(count, height * width, self.convolution.out_channels, dtype=torch.float32)
        for image, output, bases in zip(pixels, outputs, self._bases(features), strict=False):
            factors = _factors(self.convolution, self.block, bases)
            for part, out in zip(image.split(_PIXELS), output.split(_PIXELS), strict=True):
                _cluster(part, factors, out)
        return outputs.view(count, height, width, -1).permute(0, 3, 1, 2)

    def _bases(self, features: Tensor) -> Iterator[Bases]:
        """For each image, both (K, M)."""
        if isinstance(self.block, FrozenClustering):
            return itertools.repeat(Bases(self.block.assigning[0], self.block.rebuilding[0]))
        bases, _ = self.block.fit(self.block.before(self.convolution(features)).flatten(2))
        return map(Bases._make, zip(*bases, strict=True))


class _Factors(NamedTuple):
    """What pixels are multiplied with, one matrix after the other."""

    first: Tensor
    """(C, K + M): a pixel's features to what comes into the block, and to what the softmax sees: both are linear."""
    bias: Tensor
    """(K + M,)."""
    rebuilding: Tensor
    """(M, K)."""
    after: Tensor
    """(K, K)."""


def _factors(convolution: nn.Conv2d, block: DeepClustering | FrozenClustering, bases: Bases) -> _Factors:
    weight, bias = _matrix(convolution)
    before, shift = _matrix(block.before)
    assigning = bases.assigning.double().T
    first = torch.cat([weight, assigning @ before @ weight])
    both = torch.cat([bias, assigning @ (before @ bias + shift)])
    dtype = convolution.weight.dtype
    return _Factors(first.T.to(dtype), both.to(dtype), bases.rebuilding.T, _matrix(block.after)[0].T.to(dtype))


def _matrix(convolution: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Weights and bias of a 1x1 convolution, float64: products of several are rounded once."""
    weight = convolution.weight[:, :, 0, 0].double()
    return weight, weight.new_zeros(len(weight)) if convolution.bias is None else convolution.bias.double()


def _cluster(pixels: Tensor, factors: _Factors, out: Tensor) -> None:
    """What `FrozenClustering` gives: pixels (n, C) to `out` (n, K)."""
    clusters = len(factors.after)
    inputs, compared = torch.addmm(factors.bias, pixels, factors.first).tensor_split([clusters], dim=1)
    rebuilt = (torch.softmax(compared, dim=1) @ factors.rebuilding).relu_()
    out.copy_(torch.addmm(inputs, rebuilt, factors.after).relu_())


_PIXELS = 4096  # at a time: with K = 100, 5 MB of numbers, which a core's part of the cache holds


def _fold_normalisation(chain: nn.Sequential) -> None:
    for index, (first, second) in enumerate(pairwise(chain)):
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            chain[index] = fuse_conv_bn_eval(first, second)
            chain[index + 1] = nn.Identity()  # places keep their numbers


def _let_relu_overwrite(chain: nn.Sequential) -> None:
    """Only what a convolution has just written: nobody else reads that."""
    for first, second in pairwise(_at_work(chain)):
        if isinstance(chain[first], nn.Conv2d) and isinstance(chain[second], nn.ReLU):
            chain[second] = nn.ReLU(inplace=True)


def _join_clustering(chain: nn.Sequential) -> None:
    for first, second in pairwise(_at_work(chain)):
        convolution, block = chain[first], chain[second]
        if _is_pointwise(convolution) and isinstance(block, DeepClustering | FrozenClustering):
            chain[first] = nn.Identity()
            chain[second] = _JoinedClustering(convolution, block)


def _at_work(chain: nn.Sequential) -> list[int]:
    return [index for index, part in enumerate(chain) if not isinstance(part, nn.Identity)]


def _is_pointwise(part: nn.Module) -> TypeGuard[nn.Conv2d]:
    return (
        isinstance(part, nn.Conv2d)
        and (part.kernel_size, part.stride, part.groups) == ((1, 1), (1, 1), 1)
        and not any(part.padding)
    )
