"""k-means on the mean colours of superpixels: object-based classification at its simplest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from terrasift.baselines.sampling import TrackPatches, draw_patches
from terrasift.baselines.windows import segment_windows
from terrasift.blocks.superpixels import superpixels
from terrasift.data.patches import Patch, PatchReader
from terrasift.errors import SettingError
from terrasift.prediction import ClusterWindow
from terrasift.raster import Bands, Raster
from terrasift.recipe import Scaling

__all__ = ["SuperpixelKMeans", "superpixel_means"]


class SuperpixelKMeans:
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

        self.clusters = clusters
        self._scaling = scaling
        self._bands = bands
        self._seed = seed
        self._model = MiniBatchKMeans(clusters, random_state=seed, n_init=3, batch_size=4096)

    def fit(self, patches: Sequence[Patch], track: TrackPatches = lambda patches, _: patches) -> SuperpixelKMeans:
        """Find the centres on the superpixels of all patches.

        Of patches that hold more than 25 million pixels only an even, seeded sample is read.

        Parameters
        ----------
        patches
            At least one.
        track
            Wraps the patches that are read, for a progress bar: (patches, how many).

        Raises
        ------
        SettingError
            If there are fewer superpixels than clusters.
        """
        drawn = draw_patches(patches, self._seed)
        means = []
        with PatchReader(self._bands, self._scaling) as reader:
            for patch in track(drawn, len(drawn)):
                image, valid = reader.read(patch, max(patch.window.height, patch.window.width))
                if valid.any():
                    means.append(superpixel_means(image, superpixels(image, valid=valid), valid))
        count = sum(map(len, means))
        if count < self.clusters:
            raise SettingError(
                "clusters", f"{self.clusters} is more than the {count} superpixels of the images", "use fewer"
            )
        self._model.fit(np.concatenate(means))
        return self

    def scene(self, raster: Raster) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, in windows of at most 512 pixels, each cut into superpixels by itself.

        Raises
        ------
        InputError
            If the scene's dtype, bands or size do not fit.
        """
        return segment_windows(raster, self._segment, self._scaling, self._bands)

    def _segment(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        regions = superpixels(image, valid=valid)
        clusters: NDArray[np.integer] = self._model.predict(superpixel_means(image, regions, valid))[regions]
        return clusters


def superpixel_means(
    image: NDArray[np.float32], regions: NDArray[np.int32], valid: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Mean band values of the valid pixels of each superpixel.

    Parameters
    ----------
    image
        (H, W, bands), float32.
    regions
        (H, W), int32: n superpixels, numbered from 0 without gaps, each with a valid pixel.
    valid
        (H, W), bool.

    Returns
    -------
    ndarray
        (n, bands), float64.

    Examples
    --------
    >>> image = np.array([[[1.0], [3.0], [5.0]]], np.float32)
    >>> superpixel_means(image, np.array([[0, 0, 1]], np.int32), np.ones((1, 3), bool)).tolist()
    [[2.0], [5.0]]
    """
    inside, pixels = regions[valid], image[valid]
    sums = np.stack([np.bincount(inside, band) for band in pixels.T], axis=1)
    means: NDArray[np.float64] = sums / np.bincount(inside)[:, None]
    return means
