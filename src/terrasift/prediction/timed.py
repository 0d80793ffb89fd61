"""How long segmenting takes, without what is done with the clusters."""

from __future__ import annotations

import time
from collections.abc import Iterator

from terrasift.prediction.options import Wanted
from terrasift.prediction.windows import ClusterWindow, Segmenter
from terrasift.raster import Raster

__all__ = ["TimedSegmenter"]


class TimedSegmenter:
    """A segmenter with a stopwatch that runs only while a window is waited for.

    Parameters
    ----------
    segmenter
        Whose clusters are passed through as they are.

    Attributes
    ----------
    seconds
        So far, over all scenes.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self.seconds = 0.0
        self._segmenter = segmenter

    @property
    def clusters(self) -> int:
        """K."""
        return self._segmenter.clusters

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window."""
        parts = self._segmenter.segment(raster, wanted)
        while True:
            start = time.perf_counter()
            part = next(parts, None)
            self.seconds += time.perf_counter() - start
            if part is None:
                return
            yield part
