"""Per-image optimisation: a fresh network overfitted to each image, as Kanezaki and DIC were published."""

from __future__ import annotations

import copy
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terrasift.baselines.windows import WindowSegmenter
from terrasift.blocks.batch import Batch
from terrasift.blocks.superpixels import superpixels
from terrasift.errors import SettingError
from terrasift.machine import keep_freed_memory
from terrasift.network import Network, build_network
from terrasift.raster import Bands
from terrasift.recipe import Compute, Recipe, Scaling
from terrasift.training import precision_of, training_step

__all__ = ["PerImageOptimisation"]


class _Published(NamedTuple):
    """Settings of one method: Notes of `PerImageOptimisation` say where they are from."""

    lr: float
    iterations: int
    area: int
    compactness: float


_PUBLISHED = {
    "kan": _Published(lr=0.1, iterations=1000, area=15, compactness=100.0),
    "dic": _Published(lr=0.05, iterations=100, area=100, compactness=10.0),
}
_MOMENTUM = 0.9
_FEWEST_LABELS = 3  # both stop once an image has no more


class PerImageOptimisation(WindowSegmenter):
    """The original use of Kanezaki's network and of DIC: nothing is learned from other images.

    Each image starts from fresh weights. The network's labels, made constant inside superpixels by majority vote, are
    the targets of the next step of stochastic gradient descent on this one image; plain cross-entropy, one classifier.
    It ends after a fixed number of steps, or once no more than three labels are left.

    Every image starts from the *same* weights, those of the seed. A cluster's number in one image and the same number
    in another share only that: where these weights lead. Labels are mapped for a whole set, as for every other method:
    a number takes the class that it overlaps most over all images. The original scripts draw other weights for each
    image, and number clusters for the picture alone.

    Parameters
    ----------
    extractor
        ``kan`` or ``dic``.
    scaling
        The rule to [0, 1].
    bands
        Numbers from 1, or names; None means all.
    seed
        Of the weights.
    clusters
        K, the largest number of clusters in an image; 100 in both scripts.
    iterations
        Most steps for an image; None: as published.
    width
        Channels of the first block; None: as published.
    precision
        Of the forward pass, as `compute.precision`; auto: bfloat16 where the processor computes it fast.

    Raises
    ------
    SettingError
        If a setting is out of its range.

    Notes
    -----
    What the authors' scripts set is taken from them, https://github.com/kanezaki/pytorch-unsupervised-segmentation and
    https://github.com/zmbhou/DIC:

    ========================  =================================  ======================================
    \\                         kan                                dic
    ========================  =================================  ======================================
    optimiser                 SGD, momentum 0.9                  SGD, momentum 0.9
    learning rate             0.1                                0.05
    steps at most             1000                               100
    stops at                  3 labels before the vote           3 labels after the vote
    result                    labels of the last step, as the    labels of the last step, after the
                              network gives them                 vote
    superpixels               SLIC, compactness 100, 10000 of    read from files
                              them
    ========================  =================================  ======================================

    - Kanezaki's 10000 superpixels are for images of 481 x 321 pixels, so each has 15. That area is kept for images of
      any size. It is SLIC as `superpixels` makes it, in CIELAB for three bands.
    - DIC's superpixels, made by multiscale combinatorial grouping (MCG), come with its script as files; how many is
      not said there. Here they are SLIC superpixels of about 100 pixels, compactness 10: our choice, that of the
      default recipes.
    - Invalid pixels hold each band's mean and take no part in the vote, the loss or the count of labels.

    References
    ----------
    Kanezaki, "Unsupervised Image Segmentation by Backpropagation", ICASSP 2018.
    Zhou and Wei, "DIC: Deep Image Clustering for Unsupervised Image Segmentation", IEEE Access 2020.
    """

    PUBLISHED_STEPS: ClassVar[dict[str, int]] = {name: published.iterations for name, published in _PUBLISHED.items()}
    """Most steps in an image, by extractor, as published."""

    def __init__(
        self,
        extractor: Literal["kan", "dic"],
        scaling: Scaling,
        bands: Bands | None = None,
        seed: int = 0,
        *,
        clusters: int = 100,
        iterations: int | None = None,
        width: int | None = None,
        precision: Literal["auto", "32-true", "bf16-mixed"] = "32-true",
    ) -> None:
        if extractor not in _PUBLISHED:
            raise SettingError("extractor", f"{extractor!r} was not published for single images", "use kan or dic")
        if iterations is not None and iterations < 1:
            raise SettingError("iterations", f"{iterations} is too small", "use 1 or more")
        super().__init__(scaling, bands)
        self.clusters = clusters
        self._extractor = extractor
        self._settings = _PUBLISHED[extractor]
        self._iterations = iterations or self._settings.iterations
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._fresh = build_network(extractor, len(scaling.low), clusters, width=width)
        self._half = precision_of(Compute(device="cpu", precision=precision)) != "32-true"
        self._recipe = Recipe(classifiers=1, clusters=clusters, class_weights="none")

    def _clusters(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        settings = self._settings
        regions = superpixels(image, area=settings.area, compactness=settings.compactness, valid=valid)
        batch = Batch(
            torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, 2, 0)))[None],
            torch.from_numpy(regions)[None],
            torch.from_numpy(valid)[None],
        )
        clusters: NDArray[np.integer] = self._optimise(batch)[0].numpy()
        return clusters

    def _optimise(self, batch: Batch) -> Tensor:
        """Labels (1, H, W) of the last step."""
        keep_freed_memory()
        network = _Watched(copy.deepcopy(self._fresh)).train()
        if self._half:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            batch = batch._replace(images=batch.images.contiguous(memory_format=torch.channels_last))
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        optimizer = torch.optim.SGD(trained, lr=self._settings.lr, momentum=_MOMENTUM)
        for _ in range(self._iterations):
            with torch.autocast("cpu", torch.bfloat16, enabled=self._half):
                result = training_step(network, batch, self._recipe)
            optimizer.zero_grad()
            torch.autograd.backward(result.losses)
            optimizer.step()
            labels = network.labels if self._extractor == "kan" else result.labels[0]
            if torch.bincount(labels[batch.valid]).count_nonzero() <= _FEWEST_LABELS:
                break
        return labels


class _Watched(nn.Module):
    """A network that remembers its labels, (N, H, W), as they were before the vote."""

    labels: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        logits: tuple[Tensor, ...] = self.network(images)
        self.labels = logits[0].detach().max(dim=1).indices
        return logits
