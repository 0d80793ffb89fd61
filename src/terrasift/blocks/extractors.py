"""Feature extractors: images in, one feature vector for each pixel out (docs/method.md)."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from terrasift.blocks.classifiers import DeepClustering
from terrasift.blocks.context import Contextual, SampleOf
from terrasift.blocks.dictionary_extractor import DictionaryUnet
from terrasift.blocks.extractor import Extractor, linear_head
from terrasift.errors import SettingError

__all__ = ["EXTRACTORS", "Dic", "DictionaryUnet", "Extractor", "Kan", "Seek"]


class Kan(Extractor):
    """Kanezaki's extractor: two 3x3 blocks at full resolution, each convolution, ReLU, batch normalisation.

    Parameters
    ----------
    bands
        Bands of the image, B.
    width
        Channels of both blocks. 100 in the study.

    References
    ----------
    Kanezaki, "Unsupervised Image Segmentation by Backpropagation", ICASSP 2018.
    """

    def __init__(self, bands: int, width: int) -> None:
        super().__init__(bands, width)
        self.features = width
        self.blocks = nn.Sequential(
            nn.Conv2d(bands, width, 3, padding=1),
            nn.ReLU(),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.BatchNorm2d(width),
        )

    @staticmethod
    def default_width(clusters: int) -> int:
        """100, whatever the clusters."""
        return 100

    def forward(self, images: Tensor) -> Tensor:
        """(N, B, H, W) in [0, 1] to (N, width, H, W)."""
        features: Tensor = self.blocks(images)
        return features


class Seek(Extractor, Contextual):
    """SEEK's extractor: a stem, and a residual body with squeeze-and-excite that is passed twice.

    ``a = stem(x); b = g(a); c = g(b)``, the same body g both times, and the features are ``a + b + c``. Its
    convolutions have no bias; the order is convolution, batch normalisation, ReLU.

    Parameters
    ----------
    bands
        Bands of the image, B.
    width
        Channels F of the features. With one classifier they are the logits, so it must be K then.

    References
    ----------
    Ilyas, Khan, Umraiz and Kim, "SEEK: A Framework of Superpixel Learning with CNN Features for Unsupervised
    Segmentation", Electronics 2020.
    """

    def __init__(self, bands: int, width: int) -> None:
        super().__init__(bands, width)
        self.features = width
        self.stem = _seek_block(bands, width, 3)
        self.body = nn.Sequential(
            _seek_block(width, width, 1),
            _seek_block(width, width // 2, 3),
            _seek_block(width // 2, width, 1),
            _SqueezeExcite(width),
        )

    @staticmethod
    def default_width(clusters: int) -> int:
        """F = K."""
        return clusters

    def classifier(self, clusters: int, classifiers: int) -> nn.Module:
        """Nothing with one classifier: the features are its logits. With two, a 1x1 convolution and normalisation."""
        if classifiers > 1:
            return linear_head(self.features, clusters)
        if self.features != clusters:
            raise SettingError(
                "width",
                f"{self.features} is not clusters, {clusters}",
                "with one classifier SEEK's features are its logits: leave width out, or use two classifiers",
            )
        return nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """(N, B, H, W) in [0, 1] to (N, width, H, W)."""
        first = self.stem(images)
        second = self.body(first)
        third = self.body(second)
        features: Tensor = first + second + third
        return features

    def frozen(self, sample: SampleOf) -> nn.Module:
        """With both gates frozen at the mean over all windows."""
        copied = copy.deepcopy(self).eval()
        excite = copied.body[3]
        assert isinstance(excite, _SqueezeExcite)
        gates: list[Tensor] = []
        for _ in range(2):
            total, count = torch.zeros(self.features), 0
            for images, valid in sample():
                squeezed = _FrozenSeek(copied, gates).before_gate(images)[0][:, valid[0]]
                total = total.to(squeezed.device) + squeezed.sum(dim=1)
                count += squeezed.shape[1]
            gates.append(excite.gate((total / max(1, count))[None]))
        return _FrozenSeek(copied, gates)


class _FrozenSeek(nn.Module):
    """SEEK with gates, (1, width) each, that no longer look at the image."""

    def __init__(self, extractor: Seek, gates: Sequence[Tensor]) -> None:
        super().__init__()
        self.stem = extractor.stem
        self.convolutions = extractor.body[:3]
        for number, gate in enumerate(gates):
            self.register_buffer(f"gate_{number}", gate[:, :, None, None])

    def before_gate(self, images: Tensor) -> Tensor:
        """What the first gate that is not frozen yet would see."""
        *_, last = self._passes(images)
        return last

    def forward(self, images: Tensor) -> Tensor:
        first, second, third, _ = self._passes(images)
        return first + second + third

    def _passes(self, images: Tensor) -> list[Tensor]:
        """The stem's output, that of each gated pass, and that of one more whose gate is not known."""
        passes = [self.stem(images)]
        for gate in self.buffers(recurse=False):
            passes.append(self.convolutions(passes[-1]) * gate)
        return [*passes, self.convolutions(passes[-1])]


class Dic(Extractor, Contextual):
    """The extractor of Deep Image Clustering, the study's choice: a U-Net cut down to one level.

    Blocks 1 and 2 see the full resolution, blocks 3 and 4 half of it, blocks 5 and 6 both. A block is a 3x3
    convolution, batch normalisation, ReLU. Where a side is odd, the upsampled features get a last row or column of
    zeros, as in U-Net.

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

    alignment = 2

    def __init__(self, bands: int, width: int) -> None:
        super().__init__(bands, width)
        self.features = 2 * width
        self.align_corners = True
        self.block_1 = _dic_block(bands, width)
        self.block_2 = _dic_block(width, width)
        self.block_3 = _dic_block(width, 2 * width)
        self.block_4 = _dic_block(2 * width, 2 * width)
        self.block_5 = _dic_block(3 * width, 2 * width)
        self.block_6 = _dic_block(2 * width, 2 * width)

    @staticmethod
    def default_width(clusters: int) -> int:
        """64, whatever the clusters."""
        return 64

    def classifier(self, clusters: int, classifiers: int) -> nn.Module:
        """Block 7, a 1x1 convolution and batch normalisation without ReLU, and the DCS block."""
        return nn.Sequential(*linear_head(self.features, clusters), DeepClustering(clusters))

    def frozen(self, sample: SampleOf) -> nn.Module:
        """With an upsampling that does not stretch with the window's size."""
        copied = copy.deepcopy(self)
        copied.align_corners = False
        return copied

    def forward(self, images: Tensor) -> Tensor:
        """(N, B, H, W) in [0, 1] to (N, 2 * width, H, W), H and W at least 2."""
        skip = self.block_2(self.block_1(images))
        deep = self.block_4(self.block_3(functional.max_pool2d(skip, 2)))
        deep = functional.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=self.align_corners)
        odd_rows, odd_columns = skip.shape[-2] - deep.shape[-2], skip.shape[-1] - deep.shape[-1]
        deep = functional.pad(deep, (0, odd_columns, 0, odd_rows))
        features: Tensor = self.block_6(self.block_5(torch.cat([skip, deep], dim=1)))
        return features


class _SqueezeExcite(nn.Module):
    """Scale each channel by a gate that sees the mean of all channels over the image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(1, channels // 8)
        self.gate = nn.Sequential(nn.Linear(channels, squeezed), nn.ReLU(), nn.Linear(squeezed, channels), nn.Sigmoid())

    def forward(self, inputs: Tensor) -> Tensor:
        gate: Tensor = self.gate(inputs.mean(dim=(2, 3)))
        return inputs * gate[:, :, None, None]


def _dic_block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.BatchNorm2d(channels_out), nn.ReLU())


def _seek_block(channels_in: int, channels_out: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, size, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


EXTRACTORS: dict[str, type[Extractor]] = {"kan": Kan, "seek": Seek, "dic": Dic, "dictionary": DictionaryUnet}
"""Name in a recipe -> the extractor, made with (bands, width)."""
