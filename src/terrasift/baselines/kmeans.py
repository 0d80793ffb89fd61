"""k-means on single pixels and on the means of superpixels: what a GIS offers, and a trained network is set beside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from terrasift.baselines.windows import WindowSegmenter
from terrasift.blocks.regions import region_means
from terrasift.blocks.superpixels import superpixels
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.sampling import draw_patches
from terrasift.errors import SettingError
from terrasift.prediction import AtResolution, Segmenter
from terrasift.progress import track
from terrasift.raster import Bands
from terrasift.recipe import Recipe, Scaling

__all__ = ["KMeans", "PixelKMeans", "SuperpixelKMeans", "fit_kmeans"]


class KMeans(WindowSegmenter):
    """k-means on band values.

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

    points: ClassVar[str]
    """What it is fitted on, in a word."""

    def __init__(self, clusters: int, scaling: Scaling, bands: Bands | None = None, seed: int = 0) -> None:
        from sklearn.cluster import MiniBatchKMeans  # slow to import, and only k-means needs it

        super().__init__(scaling, bands)
        self.clusters = clusters
        self._seed = seed
        self._model = MiniBatchKMeans(clusters, random_state=seed, n_init=3, batch_size=4096)

    def fit(self, patches: Sequence[Patch]) -> Self:
        """Find the centres; of patches that hold more than 30 million pixels only an even, seeded sample is read.

        Parameters
        ----------
        patches
            At least one.

        Raises
        ------
        SettingError
            If there is less to fit on than there are clusters.
        """
        drawn = draw_patches(patches, self._seed)
        generator = np.random.default_rng(self._seed)
        samples = []
        with PatchReader(self._scaling, self._bands) as reader:
            for patch in track(drawn, len(drawn), f"k-means on {self.points}, fitting"):
                image, valid = reader.read(patch, max(patch.window.height, patch.window.width))
                if valid.any():
                    samples.append(self._sample(image, valid, _MOST_PIXELS // len(drawn), generator))
        count = sum(map(len, samples))
        if count < self.clusters:
            raise SettingError(
                "clusters", f"{self.clusters} is more than the {count} {self.points} of the images", "use fewer"
            )
        self._model.fit(np.concatenate(samples))
        return self

    @abstractmethod
    def _sample(
        self, image: NDArray[np.float32], valid: NDArray[np.bool_], most: int, generator: np.random.Generator
    ) -> NDArray[np.float32]:
        """(n, bands): what an image holds to be fitted on; of pixels, `most` of them."""


class PixelKMeans(KMeans):
    """k-means on the bands of single pixels, as a GIS offers it; fitted on two million at most."""

    points = "pixels"

    def _sample(
        self, image: NDArray[np.float32], valid: NDArray[np.bool_], most: int, generator: np.random.Generator
    ) -> NDArray[np.float32]:
        pixels = image[valid]
        return pixels[generator.permutation(len(pixels))[:most]]

    def _clusters(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        clusters: NDArray[np.integer] = self._model.predict(image.reshape(-1, image.shape[2])).reshape(valid.shape)
        return clusters


class SuperpixelKMeans(KMeans):
    """k-means on the mean band values of superpixels: object-based classification at its simplest.

    The superpixels are those of the default recipes: SLIC, about 100 pixels each, compactness 10. A superpixel counts
    once, whatever its size, and all of its pixels go to one cluster.
    """

    points = "superpixels"

    def _sample(
        self, image: NDArray[np.float32], valid: NDArray[np.bool_], most: int, generator: np.random.Generator
    ) -> NDArray[np.float32]:
        return region_means(image, superpixels(image, valid=valid), valid)

    def _clusters(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        regions = superpixels(image, valid=valid)
        clusters: NDArray[np.integer] = self._model.predict(region_means(image, regions, valid))[regions]
        return clusters


def fit_kmeans(kind: type[KMeans], patches: Sequence[Patch], scaling: Scaling, recipe: Recipe) -> Segmenter:
    """Fit k-means on patches, with the clusters, bands and seed of a recipe; at its resolution it segments scenes.

    Parameters
    ----------
    kind
        Which.
    patches
        At the recipe's resolution; of more than 30 million pixels an even, seeded sample is read.
    scaling
        The rule to [0, 1].
    recipe
        Its clusters, bands, seed and resolution count.

    Raises
    ------
    SettingError
        If there is less to fit on than there are clusters.
    """
    return AtResolution(kind(recipe.clusters, scaling, recipe.bands, recipe.seed).fit(patches), recipe)


_MOST_PIXELS = 2_000_000
