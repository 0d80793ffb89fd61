"""k-means on the mean colours of superpixels: object-based classification at its simplest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terrasift.baselines.windows import WindowSegmenter
from terrasift.blocks.regions import region_means
from terrasift.blocks.superpixels import superpixels
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.sampling import draw_patches
from terrasift.errors import SettingError
from terrasift.progress import track
from terrasift.raster import Bands
from terrasift.recipe import Scaling

__all__ = ["SuperpixelKMeans"]


class SuperpixelKMeans(WindowSegmenter):
    """k-means on the mean band values of SLIC superpixels; all pixels of a superpixel go to one cluster.

    The superpixels are those of the default recipes: SLIC, about 100 pixels each, compactness 10. A superpixel counts
    once, whatever its size.

    Parameters
    ----------
    clusters
        K.
    scaling
        The rule to [0, 1].
    bands
        Numbers from 1, or names; None means all.
    seed
        Of the sample and of the centres.
    """

    def __init__(self, clusters: int, scaling: Scaling, bands: Bands | None = None, seed: int = 0) -> None:
        from sklearn.cluster import MiniBatchKMeans  # slow to import, and only k-means needs it

        super().__init__(scaling, bands)
        self.clusters = clusters
        self._seed = seed
        self._model = MiniBatchKMeans(clusters, random_state=seed, n_init=3, batch_size=4096)

    def fit(self, patches: Sequence[Patch]) -> SuperpixelKMeans:
        """Find the centres on the superpixels of all patches.

        Of patches that hold more than 30 million pixels only an even, seeded sample is read.

        Parameters
        ----------
        patches
            At least one.

        Raises
        ------
        SettingError
            If there are fewer superpixels than clusters.
        """
        drawn = draw_patches(patches, self._seed)
        means = []
        with PatchReader(self._scaling, self._bands) as reader:
            for patch in track(drawn, len(drawn), "k-means on superpixels, fitting"):
                image, valid = reader.read(patch, max(patch.window.height, patch.window.width))
                if valid.any():
                    means.append(region_means(image, superpixels(image, valid=valid), valid))
        count = sum(map(len, means))
        if count < self.clusters:
            raise SettingError(
                "clusters", f"{self.clusters} is more than the {count} superpixels of the images", "use fewer"
            )
        self._model.fit(np.concatenate(means))
        return self

    def _clusters(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        regions = superpixels(image, valid=valid)
        clusters: NDArray[np.integer] = self._model.predict(region_means(image, regions, valid))[regions]
        return clusters
