"""Windows put together into maps of whole scenes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from terrasift.prediction.windows import ClusterWindow

__all__ = ["cluster_maps"]


def cluster_maps(parts: Iterable[ClusterWindow], height: int, width: int) -> list[NDArray[np.int64]]:
    """The cluster map of each classifier, (height, width), of the windows that a segmenter gives."""
    maps: list[NDArray[np.int64]] = []
    for part in parts:
        maps = maps or [np.zeros((height, width), np.int64) for _ in part.clusters]
        for whole, found in zip(maps, part.clusters, strict=True):
            whole[part.window.slices] = found
    return maps
