"""Discovered clusters of superpixels as they are, without a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from terrasift.baselines.windows import segment_windows
from terrasift.discovery import Discovery
from terrasift.prediction import ClusterWindow, Wanted
from terrasift.raster import Raster

__all__ = ["DiscoveryAlone"]


class DiscoveryAlone:
    """The cluster of each superpixel: what a network is to learn, at the edges of superpixels and windows.

    Parameters
    ----------
    discovery
        Its first clustering is shown.
    """

    def __init__(self, discovery: Discovery) -> None:
        self._discovery = discovery
        self.clusters, self.classifiers = discovery.recipe.clusters, 1

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, in windows of at most 512 pixels, each cut into superpixels by itself.

        Raises
        ------
        InputError
            If the scene's dtype, bands or size do not fit.
        """
        recipe = self._discovery.recipe
        return segment_windows(raster, self._clusters, recipe.measured_scaling, recipe.bands)

    def _clusters(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        return self._discovery.clusters_of(image, valid)
