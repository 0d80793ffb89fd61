"""Discovered clusters of superpixels as they are, without a network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrasift.baselines.windows import WindowSegmenter
from terrasift.discovery import Discovery

__all__ = ["DiscoveryAlone"]


class DiscoveryAlone(WindowSegmenter):
    """The cluster of each superpixel: what a network is to learn, at the edges of superpixels and windows.

    Parameters
    ----------
    discovery
        Its first clustering is shown.
    """

    def __init__(self, discovery: Discovery) -> None:
        super().__init__(discovery.recipe.measured_scaling, discovery.recipe.bands)
        self._discovery = discovery
        self.clusters = discovery.recipe.clusters

    def _clusters(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        return self._discovery.clusters_of(image, valid)
