"""An index of windows over scenes, and their pixels read when they are needed."""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from terrasift.data.kept import Kept
from terrasift.errors import InputError
from terrasift.progress import track
from terrasift.raster import Bands, Raster, RasterInfo, Window
from terrasift.recipe import Scaling

__all__ = ["Patch", "PatchReader", "RawReader", "index_patches", "patches_of", "windows_of"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patch:
    """A window of a scene, not read yet. At most the patch size; smaller where the scene is.

    With a resolution the window is one of the scene resampled to that: see `Raster`.
    """

    scene: str
    window: Window
    resolution: float | None = None


def windows_of(height: int, width: int, side: int) -> list[Window]:
    """Windows of `side` that cover a scene, row by row; the last of a row or column is moved back inside it.

    Examples
    --------
    >>> [window.column for window in windows_of(100, 250, 100)]
    [0, 100, 150]
    """
    rows, tall = _starts(height, side)
    columns, wide = _starts(width, side)
    return [Window(row, column, tall, wide) for row in rows for column in columns]


def patches_of(infos: Sequence[RasterInfo], side: int) -> list[Patch]:
    """The windows of `side` that cover scenes, scene by scene."""
    return [
        Patch(info.path, window, info.resolution)
        for info in infos
        for window in windows_of(info.height, info.width, side)
    ]


def index_patches(
    infos: Sequence[RasterInfo],
    side: int,
    min_valid: float,
    bands: Bands | None = None,
) -> list[Patch]:
    """All windows of the scenes that hold enough valid pixels.

    Parameters
    ----------
    infos
        The scenes.
    side
        Of a window, pixels.
    min_valid
        Smallest share of valid pixels, above 0 and up to 1. Only scenes that can have invalid pixels are read.
    bands
        Numbers from 1, or names, of bands whose pixels must be valid; None means all.

    Raises
    ------
    InputError
        If no window is left.
    """
    doubtful = {info.path for info in infos if info.may_be_invalid}
    every = patches_of(infos, side)
    if not doubtful:
        return every
    kept = []
    with RawReader(bands) as reader:
        for patch in track(every, len(every), "windows"):
            if patch.scene not in doubtful or reader.raw(patch)[1].mean() >= min_valid:
                kept.append(patch)
    if not kept:
        where = infos[0].path if len(infos) == 1 else f"{len(infos)} images"
        raise InputError(
            where,
            f"no window of {side} px has {min_valid:.0%} valid pixels",
            "check nodata, or lower `min_valid`",
        )
    if len(kept) < len(every):
        _logger.info("left out %d of %d windows: mostly nodata", len(every) - len(kept), len(every))
    return kept


class RawReader:
    """Reads patches as their scenes have them, keeping a few scenes open. Make one in each process.

    Parameters
    ----------
    bands
        Numbers from 1, or names; None means all.
    """

    _MOST_OPEN = 16

    def __init__(self, bands: Bands | None = None) -> None:
        self._bands = bands
        self._open: OrderedDict[tuple[str, float | None], Raster] = OrderedDict()
        self._process = os.getpid()

    def raw(self, patch: Patch) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values (H, W, bands) in the scene's dtype, and validity (H, W)."""
        return self._raster(patch.scene, patch.resolution).read(patch.window, self._bands)

    def close(self) -> None:
        """Close all scenes."""
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_open": OrderedDict()}

    def _raster(self, path: str, resolution: float | None) -> Raster:
        if self._process != os.getpid():  # forked: the parent reads through the same handles
            self._open, self._process = OrderedDict(), os.getpid()
        key = path, resolution
        if key not in self._open:
            if len(self._open) >= self._MOST_OPEN:
                self._open.popitem(last=False)[1].close()
            self._open[key] = Raster(path, resolution=resolution)
        self._open.move_to_end(key)
        return self._open[key]


class PatchReader(RawReader):
    """Reads patches as a network takes them, and keeps in memory what fits: a training comes back to each.

    Parameters
    ----------
    scaling
        The rule to [0, 1].
    bands
        As for `RawReader`.
    """

    _MOST_KEPT = 256 << 20  # bytes

    def __init__(self, scaling: Scaling, bands: Bands | None = None) -> None:
        super().__init__(bands)
        self._scaling = scaling
        self._kept = Kept(self._MOST_KEPT)

    def read(self, patch: Patch, side: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """A patch as the network takes it.

        Returns
        -------
        image
            (side, side, bands), float32 in [0, 1]; each band's mean where there is no data.
        valid
            (side, side), bool; False also where the scene ends before the patch does.
        """
        values, valid = self._values(patch)
        image = self._scaling.to_unit(values, valid)
        height, width = valid.shape
        if (height, width) == (side, side):
            return image, valid
        whole, inside = (
            np.full((side, side, image.shape[2]), self._scaling.fill, np.float32),
            np.zeros((side, side), np.bool_),
        )
        whole[:height, :width], inside[:height, :width] = image, valid
        return whole, inside

    def load(self, patches: Iterable[Patch]) -> None:
        """Read patches into memory, as far as they fit: in the order of an image that takes a tenth of any other."""
        for patch in patches:
            if self._kept.is_full:
                break
            self._values(patch)

    def _values(self, patch: Patch) -> tuple[NDArray[Any], ...]:
        return self._kept.get(patch, lambda: self.raw(patch))


def _starts(length: int, side: int) -> tuple[list[int], int]:
    if length <= side:
        return [0], length
    starts = list(range(0, length - side + 1, side))
    if starts[-1] + side < length:
        starts.append(length - side)
    return starts, side
