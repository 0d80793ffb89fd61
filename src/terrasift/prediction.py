"""A trained network over a scene of any size, window by window."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.blocks.preprocessing import fill_invalid, scale_to_unit
from terrasift.data.scaling import check_scaling
from terrasift.data.scenes import MINIMUM_SIDE
from terrasift.errors import InputError, SettingError
from terrasift.legend import Legend
from terrasift.network import Network
from terrasift.raster import ClassMapWriter, Raster, RasterInfo, Window
from terrasift.recipe import Predict, Recipe, Scaling

__all__ = [
    "ClusterWindow",
    "Predictor",
    "Segmenter",
    "Views",
    "check_array",
    "map_paths",
    "predict_scene",
    "scene_views",
]


class Views(NamedTuple):
    """One window as it is read and as it is written."""

    read: Window
    """What the network sees: the margin included, cut off at the scene's edges."""
    write: Window
    """What it decides: windows to write cover the scene without overlap."""


class ClusterWindow(NamedTuple):
    """The clusters of one window of a scene."""

    window: Window
    clusters: tuple[NDArray[np.int64], ...]
    """(H, W) for each classifier."""
    valid: NDArray[np.bool_]
    """(H, W): pixels that hold data."""


Segmenter = Callable[[Raster], Iterator[ClusterWindow]]
"""Anything that gives the clusters of an open scene window by window."""


class Predictor:
    """A trained network ready to read scenes.

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

    def scene(self, raster: Raster) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window.

        Raises
        ------
        InputError
            If the scene's dtype, bands or size do not fit the network.
        """
        check_scaling(raster.info, self._scaling, self._recipe.bands)
        _check_size(raster.info)
        for views in scene_views(raster.info.height, raster.info.width, self._recipe.predict):
            values, valid = raster.read(views.read, self._recipe.bands)
            row, column = views.write.row - views.read.row, views.write.column - views.read.column
            core = np.s_[row : row + views.write.height, column : column + views.write.width]
            clusters = tuple(labels[core] for labels in self.array(values, valid))
            yield ClusterWindow(views.write, clusters, valid[core])

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
        image = scale_to_unit(values, np.array(self._scaling.low), np.array(self._scaling.high))
        image = fill_invalid(image, valid, np.array(self._scaling.fill))
        tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, 2, 0)))[None].to(self._device)
        with torch.inference_mode():
            return tuple(logits[0].argmax(dim=0).cpu().numpy() for logits in self._network(tensor))


def scene_views(height: int, width: int, settings: Predict) -> list[Views]:
    """Windows that cover a scene, row by row, each read with a margin around what it writes.

    Examples
    --------
    >>> [views.write.width for views in scene_views(100, 1000, Predict(window=512, margin=32))]
    [448, 448, 104]
    """
    core, margin = settings.window - 2 * settings.margin, settings.margin
    if max(height, width) <= settings.window:
        whole = Window(0, 0, height, width)
        return [Views(whole, whole)]
    views = []
    for row in range(0, height, core):
        for column in range(0, width, core):
            write = Window(row, column, min(core, height - row), min(core, width - column))
            top, left = max(0, row - margin), max(0, column - margin)
            bottom, right = min(height, row + core + margin), min(width, column + core + margin)
            views.append(Views(Window(top, left, bottom - top, right - left), write))
    return views


def predict_scene(
    segmenter: Segmenter,
    legend: Legend,
    clusters: int,
    scene: str | os.PathLike[str],
    out: str | os.PathLike[str],
    track: Callable[[Iterable[ClusterWindow], int], Iterable[ClusterWindow]] = lambda windows, _: windows,
) -> Path:
    """Write the class map of a scene on the scene's own grid, whole or not at all.

    Parameters
    ----------
    segmenter
        Gives the scene's clusters: `Predictor.scene`, or a baseline.
    legend
        Classes and the clusters they hold; clusters of no class become nodata.
    clusters
        K.
    scene
        Any path GDAL opens.
    out
        ``.tif`` or ``.png``.
    track
        Wraps the windows, for a progress bar: (windows, pixels of the scene).

    Raises
    ------
    InputError
        If the scene does not fit the segmenter, holds no valid pixel, or if the map cannot be written.
    """
    with Raster(scene) as raster:
        pixels = raster.info.height * raster.info.width
        table = legend.table(clusters)
        with ClassMapWriter(out, raster.info, legend) as writer:
            seen = False
            for part in track(segmenter(raster), pixels):
                seen = seen or bool(part.valid.any())
                classes = table[part.clusters[legend.classifier - 1]]
                writer.write(np.where(part.valid, classes, legend.nodata), part.window)
            if not seen:
                raise InputError(scene, "holds no valid pixel: all is nodata", "there is nothing to map")
    return Path(out)


def map_paths(scenes: Sequence[str], out: str | os.PathLike[str]) -> list[Path]:
    """Where the map of each scene goes: `out` itself if it is a file's name, else a .tif of the scene's name in it.

    Raises
    ------
    InputError
        If many scenes would go to one file, or if a map would replace its own scene.
    """
    out = Path(out)
    if out.suffix and not out.is_dir():
        if len(scenes) > 1:
            raise InputError(out, f"is one file for {len(scenes)} scenes", "name a folder")
        targets = [out]
    else:
        targets = [out / f"{Path(scene).stem}.tif" for scene in scenes]
    for target, scene in zip(targets, scenes, strict=True):
        if targets.count(target) > 1:
            raise InputError(scene, f"would share the map {target} with another scene", "give them different names")
        if target.exists() and Path(scene).exists() and target.samefile(scene):
            raise InputError(scene, "would be replaced by its own map", "name another folder")
    return targets


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


def _check_size(info: RasterInfo) -> None:
    if min(info.height, info.width) < MINIMUM_SIDE:
        raise InputError(
            info.path,
            f"has only {info.width} x {info.height} pixels",
            f"at least {MINIMUM_SIDE} x {MINIMUM_SIDE} are needed",
        )


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not torch.backends.mps.is_available()):
        raise SettingError("compute.device", f"{name} is not available on this machine", "use auto or cpu")
    return torch.device(name)
