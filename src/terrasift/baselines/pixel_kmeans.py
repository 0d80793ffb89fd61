"""k-means on the bands of single pixels, as a GIS offers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from terrasift.data.patches import Patch, RawReader
from terrasift.data.sampling import draw_patches
from terrasift.errors import SettingError
from terrasift.prediction import ClusterWindow, Wanted, scene_views
from terrasift.progress import track
from terrasift.raster import Bands, Raster
from terrasift.recipe import Scaling

__all__ = ["PixelKMeans"]


class PixelKMeans:
    """k-means on the bands of single pixels, as a GIS offers it.

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

    _MOST_PIXELS = 2_000_000
    _WINDOW = 1024

    def __init__(self, clusters: int, scaling: Scaling, bands: Bands | None = None, seed: int = 0) -> None:
        from sklearn.cluster import MiniBatchKMeans  # slow to import, and only k-means needs it

        self.clusters, self.classifiers = clusters, 1
        self._scaling = scaling
        self._bands = bands
        self._seed = seed
        self._model = MiniBatchKMeans(clusters, random_state=seed, n_init=3, batch_size=4096)

    def fit(self, patches: Sequence[Patch]) -> PixelKMeans:
        """Find the centres on the valid pixels of all patches, or on an even, seeded sample of two million.

        Of patches that hold more than 30 million pixels only an even, seeded sample is read.

        Parameters
        ----------
        patches
            At least one.

        Raises
        ------
        SettingError
            If there are fewer valid pixels than clusters.
        """
        generator = np.random.default_rng(self._seed)
        drawn = draw_patches(patches, self._seed)
        share = self._MOST_PIXELS // len(drawn)
        samples = []
        with RawReader(self._bands) as reader:
            for patch in track(drawn, len(drawn), "k-means on pixels, fitting"):
                values, valid = reader.raw(patch)
                pixels = self._scaling.to_unit(values)[valid]
                samples.append(pixels[generator.permutation(len(pixels))[:share]])
        sample = np.concatenate(samples)
        if len(sample) < self.clusters:
            raise SettingError(
                "clusters", f"{self.clusters} is more than the {len(sample)} pixels of the images", "use fewer"
            )
        self._model.fit(sample)
        return self

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window."""
        for _, window in scene_views(raster.info.height, raster.info.width, self._WINDOW, margin=0):
            values, valid = raster.read(window, self._bands)
            unit = self._scaling.to_unit(values)
            clusters = self._model.predict(unit.reshape(-1, unit.shape[2])).reshape(valid.shape)
            yield ClusterWindow(window, (clusters.astype(np.int64),), valid)
