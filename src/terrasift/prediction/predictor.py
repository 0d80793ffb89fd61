"""A trained network ready to read scenes."""

from __future__ import annotations

import contextlib
import functools
from collections import OrderedDict
from collections.abc import Callable, Container, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.blocks.choices import PredictionSpeed
from terrasift.blocks.context import SampleWindow, reach_of
from terrasift.blocks.taught import TaughtClassifier
from terrasift.data.ahead import ahead
from terrasift.data.scaling import check_scaling
from terrasift.data.scenes import MINIMUM_SIDE, check_size
from terrasift.errors import SettingError
from terrasift.machine import find_device
from terrasift.network import Network
from terrasift.prediction.acceleration import accelerated
from terrasift.prediction.context import sample_windows
from terrasift.prediction.deciding import Look, decide, look
from terrasift.prediction.options import Wanted
from terrasift.prediction.own_grid import on_own_grid
from terrasift.prediction.tensors import TensorReader, WindowBatch
from terrasift.prediction.windows import ClusterWindow, Views, batches_of, scene_views, window_views
from terrasift.raster import Raster, RasterInfo, Window
from terrasift.recipe import Recipe

__all__ = ["Predictor"]


class Predictor:
    """A trained network ready to read scenes.

    With ``predict.context: scene`` its global operations are frozen for each scene at what they find in a sample of its
    windows, and the map does not depend on how the scene is tiled. With ``patch`` they see each window alone.

    Parameters
    ----------
    network
        Trained.
    recipe
        Its recipe: bands, scaling, windows and device.
    clusters
        K, where that is not the recipe's.

    Attributes
    ----------
    clusters
        K, of each classifier.
    reader
        Turns band values into what the network takes.
    """

    def __init__(self, network: Network, recipe: Recipe, clusters: int | None = None) -> None:
        self._device = find_device(recipe.compute.device)
        self._network = network.to(self._device).eval()
        self._recipe = recipe
        self.clusters = clusters or recipe.clusters
        self.reader = TensorReader(recipe, self._device)
        self._frozen: OrderedDict[tuple[object, ...], Network] = OrderedDict()

    @property
    def network(self) -> Network:
        """As it was trained. Others use it too: copy it before you change it."""
        return self._network

    def with_classifier(self, classifier: TaughtClassifier) -> Predictor:
        """The same features read by another classifier, the only one."""
        return Predictor(Network(self._network.extractor, [classifier]), self._recipe, classifier.outputs)

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window. A thread reads on while the network computes.

        With a `resolution` the network sees the scene resampled, and its clusters come on the scene's own grid, unless
        `raster` was opened resampled.

        Parameters
        ----------
        raster
            The scene.
        wanted
            A window that is done may come all the same where it shares its batch with others: batches stay as they are,
            and with them every bit.

        Raises
        ------
        InputError
            If the scene's dtype, bands or size do not fit the network.
        SettingError
            If `predict.window` is smaller than what a pixel's logits depend on.
        """
        return on_own_grid(self._segment, self._recipe, raster, wanted)

    def _segment(self, raster: Raster, wanted: Wanted) -> Iterator[ClusterWindow]:
        for network, batch in self.meetings(raster, wanted):
            yield from decide(network, batch, confidence=wanted.confidence)

    def meetings(self, raster: Raster, wanted: Wanted) -> Iterator[tuple[Network, WindowBatch]]:
        """What computes the logits of an open scene, with each batch of its windows; errors as for `segment`."""
        left = self.batches(raster.info, wanted.done)
        network = self.ready(self.network_of(raster, wanted.classifier))
        with contextlib.closing(ahead(functools.partial(self.reader.batch, raster), left)) as loaded:
            for batch in loaded:
                yield network, batch

    def look(self, raster: Raster, window: Window) -> Look:
        """All that the network makes of one window of an open scene: features and logits, as the scene's map has them.

        The window is read with its margin and seen in the scene's context, by the network as it was trained: what
        ``predict.speed`` makes of it differs by rounding.

        Raises
        ------
        InputError
            If the scene's dtype, bands or size do not fit the network.
        """
        network, info = self.network_of(raster), raster.info
        views = window_views(window, info.height, info.width, self.margin, network.alignment)
        return look(network, self.reader.batch(raster, [views]))[0]

    def batches(self, info: RasterInfo, done: Container[Window] = ()) -> list[list[Views]]:
        """The windows of a scene as they go through the network together; errors as for `segment`.

        Batches of which every window is done are left out, the others whole.
        """
        self.check(info)
        predict = self._recipe.predict
        fits = max(info.height, info.width) <= predict.window
        if not fits and predict.window - 2 * self.margin < self._network.alignment:
            raise SettingError(
                "predict.margin", f"{self.margin} leaves nothing of predict.window {predict.window}", "make it smaller"
            )
        views = scene_views(info.height, info.width, self._recipe.predict.window, self.margin, self._network.alignment)
        batches = batches_of(views, _BATCH_PIXELS["cpu" if self._device.type == "cpu" else "accelerator"])
        return [batch for batch in batches if any(entry.write not in done for entry in batch)]

    def network_of(self, raster: Raster, classifier: int | None = None) -> Network:
        """The network for an open scene: with ``predict.context: scene`` a copy that holds the scene's context.

        Those of the last scenes are remembered, unless their files change. Change none: others get the same one.

        Parameters
        ----------
        raster
            The scene.
        classifier
            The only one, from 1, that the network is given; None: all.

        Raises
        ------
        InputError
            If the scene's dtype, bands or size do not fit the network.
        """
        self.check(raster.info)
        network = self._network if classifier is None else self._network.only(classifier)
        if self._recipe.predict.context == "patch":
            return network
        size = raster.info.height, raster.info.width
        key = *size, str(raster.state), classifier
        if key not in self._frozen:
            self._frozen[key] = self._in_context(network, *size, functools.partial(self.reader.window, raster))
            if len(self._frozen) > _MOST_FROZEN:
                self._frozen.popitem(last=False)
        self._frozen.move_to_end(key)
        return self._frozen[key]

    def ready(self, network: Network) -> Network:
        """What computes a network's logits here, as fast as ``predict.speed`` allows."""
        return accelerated(network.to(self._device), self._recipe.predict.speed)

    def check(self, info: RasterInfo) -> None:
        """Check that a scene's dtype, bands and size fit the network; InputError if not."""
        check_scaling(info, self.reader.scaling, self._recipe.bands)
        check_size(info)

    def array(self, values: NDArray[Any], valid: NDArray[np.bool_]) -> tuple[NDArray[np.int64], ...]:
        """Clusters of an array in one piece.

        Parameters
        ----------
        values
            (H, W, bands), in the dtype the network was trained on, H and W at least 2.
        valid
            (H, W), bool.

        Returns
        -------
        tuple of ndarray
            (H, W), int64, for each classifier.
        """

        def read(window: Window) -> tuple[torch.Tensor, NDArray[np.bool_]]:
            part = values[window.slices], valid[window.slices]
            return self.reader.tensor(*part), part[1]

        height, width = valid.shape
        network = self.ready(self._in_context(self._network, height, width, read))
        return decide(network, self.reader.whole(values, valid))[0].clusters

    @functools.cached_property
    def margin(self) -> int:
        """Pixels that a window sees on every side beyond what it decides.

        With the patch context what the recipe says; with the scene's, what a pixel's logits depend on, in whole steps
        of the network's pooling.
        """
        predict = self._recipe.predict
        if predict.context == "patch":
            return predict.margin
        bands = len(self.reader.scaling.low)
        blank = torch.zeros(1, bands, MINIMUM_SIDE, MINIMUM_SIDE, device=self._device)
        valid = torch.ones(1, MINIMUM_SIDE, MINIMUM_SIDE, dtype=torch.bool, device=self._device)
        step = self._network.alignment
        margin = -(-reach_of(self._network.frozen(lambda: [SampleWindow(blank, valid)]), bands) // step) * step
        if predict.window < 2 * margin + _LEAST_DECIDED:
            raise SettingError(
                "predict.window",
                f"{predict.window} is too small for a network that sees {margin} pixels around each",
                f"allowed is from {2 * margin + _LEAST_DECIDED}",
            )
        return margin

    def _in_context(self, network: Network, height: int, width: int, read: _Read) -> Network:
        if self._recipe.predict.context == "patch":
            return network
        sample = functools.cache(
            lambda: sample_windows(height, width, self._recipe.patch, read)
        )  # read if it is asked for
        speed: PredictionSpeed = "plain" if self._recipe.predict.speed == "plain" else "fast"  # exact in any case
        return network.frozen(sample, functools.partial(accelerated, speed=speed))


_Read = Callable[[Window], tuple[torch.Tensor, NDArray[np.bool_]]]


_MOST_FROZEN = 8  # scenes: each holds a copy of the network
_LEAST_DECIDED = 16  # rows and columns of a window: with fewer, nearly all is margin
_BATCH_PIXELS = {"cpu": 1 << 18, "accelerator": 1 << 20}  # one window of 512 px, and four: a CPU gains nothing by more
