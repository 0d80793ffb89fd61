"""A trained network ready to read scenes."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.blocks.context import Sample, reach_of
from terrasift.blocks.preprocessing import fill_invalid, scale_to_unit
from terrasift.data.scaling import check_scaling
from terrasift.data.scenes import MINIMUM_SIDE, check_size
from terrasift.errors import InputError, SettingError
from terrasift.network import Network
from terrasift.prediction.ahead import ahead
from terrasift.prediction.context import draw_sample
from terrasift.prediction.windows import ClusterWindow, Views, batches_of, scene_views
from terrasift.raster import Raster, Window
from terrasift.recipe import Recipe, Scaling

__all__ = ["Predictor", "check_array"]


class Predictor:
    """A trained network ready to read scenes.

    With ``predict.context: scene`` its global operations are held for each scene at what they find in a sample of its
    windows, and the map does not depend on how the scene is tiled. With ``patch`` they see each window alone.

    Parameters
    ----------
    network
        Trained.
    recipe
        Its recipe: bands, scaling, windows and device.
    """

    def __init__(self, network: Network, recipe: Recipe) -> None:
        if recipe.scaling is None:
            raise SettingError("scaling", "is not known", "use the recipe of a trained run")
        self._device = _device(recipe.compute.device)
        self._network = network.to(self._device).eval()
        self._recipe = recipe
        self._scaling: Scaling = recipe.scaling

    def scene(self, raster: Raster, done: Collection[Window] = ()) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window. A thread reads on while the network computes.

        Parameters
        ----------
        raster
            The scene.
        done
            Windows that may be left out. One that shares its batch with others may come all the same: batches stay as
            they are, and with them every bit.

        Raises
        ------
        InputError
            If the scene's dtype, bands or size do not fit the network.
        SettingError
            If `predict.window` is smaller than what a pixel's logits depend on.
        """
        check_scaling(raster.info, self._scaling, self._recipe.bands)
        check_size(raster.info)
        height, width = raster.info.height, raster.info.width

        def read(window: Window) -> tuple[torch.Tensor, NDArray[np.bool_]]:
            values, valid = raster.read(window, self._recipe.bands)
            return self._tensor(values, valid), valid

        network = self._network_for(height, width, read)
        views = scene_views(height, width, self._recipe.predict.window, self.margin, self._network.alignment)
        batches = batches_of(views, _BATCH_PIXELS["cpu" if self._device.type == "cpu" else "accelerator"])
        left = [batch for batch in batches if any(entry.write not in done for entry in batch)]
        with Raster(raster.path) as own:  # the thread's: handles are not shared

            def load(batch: list[Views]) -> tuple[list[Views], torch.Tensor, list[NDArray[np.bool_]]]:
                parts = [own.read(entry.read, self._recipe.bands) for entry in batch]
                return batch, torch.cat([self._tensor(*part) for part in parts]), [valid for _, valid in parts]

            with contextlib.closing(ahead(load, left)) as loaded:
                for batch, images, valid in loaded:
                    yield from _cores(batch, _batch_clusters(network, images), valid)

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
            rows = slice(window.row, window.row + window.height)
            columns = slice(window.column, window.column + window.width)
            return self._tensor(values[rows, columns], valid[rows, columns]), valid[rows, columns]

        height, width = valid.shape
        network = self._network_for(height, width, read)
        return _clusters(network, self._tensor(values, valid))

    @functools.cached_property
    def margin(self) -> int:
        """Pixels that a window sees on every side beyond what it decides.

        With the patch context what the recipe says; with the scene's, what a pixel's logits depend on, in whole steps
        of the network's pooling.
        """
        predict = self._recipe.predict
        if predict.context == "patch":
            return predict.margin
        bands = len(self._scaling.low)
        blank = torch.zeros(1, bands, MINIMUM_SIDE, MINIMUM_SIDE, device=self._device)
        valid = torch.ones(1, MINIMUM_SIDE, MINIMUM_SIDE, dtype=torch.bool, device=self._device)
        step = self._network.alignment
        margin = -(-reach_of(self._network.held(lambda: [Sample(blank, valid)]), bands) // step) * step
        if predict.window < 4 * margin:
            raise SettingError(
                "predict.window",
                f"{predict.window} is too small for a network that sees {margin} pixels around each",
                f"allowed is from {4 * margin}",
            )
        return margin

    def _network_for(self, height: int, width: int, read: _Read) -> Network:
        if self._recipe.predict.context == "patch":
            return self._network
        sample = draw_sample(height, width, self._recipe.patch, read)
        return self._network.held(lambda: sample)

    def _tensor(self, values: NDArray[Any], valid: NDArray[np.bool_]) -> torch.Tensor:
        """(1, B, H, W), scaled to [0, 1], each band's mean where there is no data."""
        image = scale_to_unit(values, np.array(self._scaling.low), np.array(self._scaling.high))
        image = fill_invalid(image, valid, np.array(self._scaling.fill))
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, 2, 0)))[None].to(self._device)


_Read = Callable[[Window], tuple[torch.Tensor, NDArray[np.bool_]]]


_BATCH_PIXELS = {"cpu": 1 << 18, "accelerator": 1 << 20}  # one window of 512 px, and four: a CPU gains nothing by more


def _clusters(network: Network, image: torch.Tensor) -> tuple[NDArray[np.int64], ...]:
    return tuple(labels[0] for labels in _batch_clusters(network, image))


def _batch_clusters(network: Network, images: torch.Tensor) -> list[NDArray[np.int64]]:
    """(N, H, W) for each classifier."""
    with torch.inference_mode():
        return [logits.argmax(dim=1).cpu().numpy() for logits in network(images)]


def _cores(
    batch: list[Views], labels: list[NDArray[np.int64]], valid: list[NDArray[np.bool_]]
) -> Iterator[ClusterWindow]:
    for index, (read, write) in enumerate(batch):
        row, column = write.row - read.row, write.column - read.column
        core = np.s_[row : row + write.height, column : column + write.width]
        yield ClusterWindow(write, tuple(each[index][core] for each in labels), valid[index][core])


def check_array(values: NDArray[Any], recipe: Recipe) -> None:
    """Check that an array fits a trained recipe; InputError if not."""
    scaling = recipe.scaling
    if scaling is not None and values.shape[2:] != (len(scaling.low),):
        raise InputError(
            "array", f"has shape {values.shape}", f"give (H, W, {len(scaling.low)}), the bands the run reads"
        )
    if scaling is not None and values.dtype != np.dtype(scaling.dtype):
        raise InputError("array", f"holds {values.dtype}, but the run was trained on {scaling.dtype}", "convert it")
    if min(values.shape[:2]) < MINIMUM_SIDE:
        raise InputError("array", f"has shape {values.shape}", f"give at least {MINIMUM_SIDE} x {MINIMUM_SIDE} pixels")


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not torch.backends.mps.is_available()):
        raise SettingError("compute.device", f"{name} is not available on this machine", "use auto or cpu")
    return torch.device(name)
