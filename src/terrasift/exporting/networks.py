"""A network with all that it needs around it: scaling before, the legend behind."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from terrasift.legend import Legend
from terrasift.network import Network
from terrasift.recipe import Scaling

__all__ = ["RawNetwork", "TileNetwork"]


class RawNetwork(nn.Module):
    """A network between band values and class indices.

    Parameters
    ----------
    network
        In evaluation mode.
    scaling
        Turns band values into [0, 1].
    legend
        Says which classes hold which clusters, and of which classifier.
    clusters
        K.
    """

    low: Tensor
    scale: Tensor
    high: Tensor
    fill: Tensor
    table: Tensor

    def __init__(self, network: Network, scaling: Scaling, legend: Legend, clusters: int) -> None:
        super().__init__()
        self.network = network
        self.classifier = legend.classifier
        self.nodata = legend.nodata
        self._dtype = torch.uint8 if legend.dtype == np.uint8 else torch.uint16
        low, high = np.array(scaling.low), np.array(scaling.high)
        scale = np.divide(1.0, high - low, out=np.zeros_like(low), where=high > low)
        for name, values in (("low", low), ("high", high), ("scale", scale), ("fill", np.array(scaling.fill))):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32)[:, None, None])
        self.register_buffer("table", torch.from_numpy(legend.table(clusters)))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Logits of each classifier, and class indices.

        Parameters
        ----------
        image
            (N, B, H, W), float32: band values. A pixel where a band is NaN or infinite holds no data.

        Returns
        -------
        tuple of Tensor
            (N, K, H, W), float32, for each classifier; then (N, H, W), uint8 (uint16 with more than 255 classes).
        """
        valid = image.isfinite().all(dim=1, keepdim=True)
        logits = self.network(torch.where(valid, self.scaled(image), self.fill))
        classes = self.table[logits[self.classifier - 1].argmax(dim=1)]
        return (*logits, torch.where(valid[:, 0], classes, self.nodata).to(self._dtype))

    def scaled(self, image: Tensor) -> Tensor:
        """Band values in [0, 1], of the same shape."""
        inside = torch.minimum(torch.maximum(image, self.low), self.high)
        return ((inside - self.low) * self.scale).clamp(0.0, 1.0)


class TileNetwork(nn.Module):
    """A network between a tile of 8 bits, given as [0, 1], and how likely each class is.

    A class has the largest logit of its clusters, and the softmax is over classes: the likeliest one is that of the
    likeliest cluster, as in the maps of `predict`.

    Parameters
    ----------
    raw
        Of a run that was trained on 8 bits.
    clusters
        Those of each class, in the order in which the classes come out.
    """

    def __init__(self, raw: RawNetwork, clusters: list[tuple[int, ...]]) -> None:
        super().__init__()
        self.raw = raw
        self.clusters = clusters

    def forward(self, image: Tensor) -> Tensor:
        """(N, B, H, W) float32 in [0, 1] to (N, classes, H, W) float32, which add up to 1."""
        values = (255 * image).round()  # bytes again, to the bit
        logits = self.raw.network(self.raw.scaled(values))[self.raw.classifier - 1]
        nothing = torch.full_like(logits[:, 0], -torch.inf)
        best = [logits[:, list(held)].amax(dim=1) if held else nothing for held in self.clusters]
        return torch.stack(best, dim=1).softmax(dim=1)
