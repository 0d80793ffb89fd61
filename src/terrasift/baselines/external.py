"""The external algorithm alone, image by image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terrasift.baselines.windows import WindowSegmenter
from terrasift.raster import Bands
from terrasift.recipe import Scaling

__all__ = ["ExternalAlone"]


class ExternalAlone(WindowSegmenter):
    """`external_segmentation` of each image, its classes being the clusters.

    Nothing is learned from other images: the classes of an image are numbered in the order in which they appear, row
    by row from the upper left corner. The same number in two images therefore means nothing in common, and it is no
    order by colour or size. Labels are mapped for a whole set, as for every other method: a number takes the class
    that it overlaps most over all images. Class scores show how little that holds; region scores do not depend on it
    where regions are clusters.

    Parameters
    ----------
    scaling
        The rule to [0, 1].
    bands
        Numbers from 1, or names; None means all.
    seed
        Of the algorithm's random starts, the same for each image.
    color_bands
        Which of these bands, from 1, stand for red, green and blue; (1, 1, 1) for a single one.

    Attributes
    ----------
    clusters
        K, the largest number of classes that the algorithm can give.
    """

    clusters = 32

    def __init__(
        self,
        scaling: Scaling,
        bands: Bands | None = None,
        seed: int = 0,
        *,
        color_bands: Sequence[int] = (1, 2, 3),
    ) -> None:
        super().__init__(scaling, bands)
        self._seed = seed
        self._color_bands = [number - 1 for number in color_bands]

    def _clusters(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.integer]:
        from terrasift.blocks.external import external_segmentation  # SciPy's clustering takes long to import

        return external_segmentation(image, bands=self._color_bands, seed=self._seed, valid=valid)
