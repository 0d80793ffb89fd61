"""Step 4: 375 numbers that describe a superpixel's colours and textures."""

from __future__ import annotations

from itertools import chain

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.external.colour import colour_spaces
from terrasift.blocks.external.leung_malik import leung_malik_responses

__all__ = ["superpixel_features"]


def superpixel_features(rgb: NDArray[np.float32], superpixels: NDArray[np.int32]) -> NDArray[np.float64]:
    """Five statistics of 75 channels in each superpixel.

    Parameters
    ----------
    rgb
        (H, W, 3), float32 in [0, 1].
    superpixels
        (H, W), int32, numbered from 0 without gaps; -1 is in none.

    Returns
    -------
    ndarray
        (superpixels, 375), float64. For each of the 7 colour spaces, then for each of the 18 Leung-Malik
        responses of R, G and B: 5 statistics of 3 channels. So 105 of colour come before 270 of texture. The
        statistics are mean, standard deviation, median, mean of squares, and mean horizontal gradient.

    Notes
    -----
    - Texture too is taken from the smoothed image, and from its R, G and B, as in the authors' code.
    - The standard deviation is that of a sample (n - 1); of one pixel it is 0.
    - The gradient is signed: half the difference of the right and the left neighbour, one-sided at the frame.
    """
    regions = _Regions(superpixels)
    images = chain(colour_spaces(rgb), leung_malik_responses(rgb))
    return np.stack([regions.statistics(image) for image in images], axis=1).reshape(regions.count, -1)


class _Regions:
    """The pixels of an image sorted by superpixel, so that each superpixel's lie together."""

    def __init__(self, superpixels: NDArray[np.int32]) -> None:
        flat = superpixels.ravel()
        self.sizes = np.bincount(flat[flat >= 0])
        self.count = len(self.sizes)
        self._pixels = np.argsort(flat, kind="stable")[flat.size - self.sizes.sum() :]
        self._starts = np.cumsum(self.sizes) - self.sizes
        # A table for the medians, a row for each superpixel. As many places of a row are filled with -inf as with inf
        # (or one less), so all medians come to lie in the middle columns and one selection finds them.
        width = self.sizes.max() | 1
        columns, below = np.arange(width), (width - self.sizes) // 2
        self._inside = columns < self.sizes[:, None]
        self._padding = np.where(columns < (self.sizes + below)[:, None], -np.inf, np.inf).astype(np.float32)

    def statistics(self, image: NDArray[np.float32]) -> NDArray[np.float64]:
        """(count, 5, bands): mean, standard deviation, median, mean of squares, mean horizontal gradient."""
        bands = [np.ascontiguousarray(image[..., band]) for band in range(image.shape[2])]
        return np.stack([self._of_band(band) for band in bands], axis=2)

    def _of_band(self, band: NDArray[np.float32]) -> NDArray[np.float64]:
        values = band.take(self._pixels)
        mean = self._mean(values)
        variance = self._mean(np.square(values - np.repeat(mean, self.sizes)))
        deviation = np.sqrt(variance * self.sizes / np.maximum(self.sizes - 1, 1))
        gradient = np.gradient(band, axis=1) if band.shape[1] > 1 else np.zeros_like(band)
        statistics = (
            mean,
            deviation,
            self._median(values),
            variance + np.square(mean),
            self._mean(gradient.take(self._pixels)),
        )
        return np.stack(statistics, axis=1)

    def _mean(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = np.add.reduceat(values, self._starts, dtype=np.float64)
        return sums / self.sizes

    def _median(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        table = self._padding.copy()
        table[self._inside] = values
        middle = table.shape[1] // 2
        table.partition((middle - 1, middle), axis=1)
        upper = table[:, middle].astype(np.float64)
        lower = np.where(self.sizes % 2, upper, table[:, middle - 1])
        return (lower + upper) / 2
