"""Small regions of a class map, given to the largest region beside them."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from rasterio import features

__all__ = ["sieve"]


def sieve(labels: NDArray[Any], min_area_pixels: int, nodata: int) -> NDArray[Any]:
    """Give connected regions of fewer than `min_area_pixels` pixels to the largest region beside them.

    Parameters
    ----------
    labels
        (H, W), uint8 or uint16. Pixels belong together where they share an edge and a label.
    min_area_pixels
        The smallest region that stays; up to 1 changes nothing.
    nodata
        The label of pixels without a class: they neither grow nor shrink.

    Returns
    -------
    ndarray
        (H, W), in the dtype of `labels`. A small region with nothing but nodata beside it stays.

    Notes
    -----
    GDAL needs the whole band at once, and five bytes a pixel beside `labels` in uint8: 2 GB for 20,000 x 20,000.
    """
    valid = labels != nodata
    min_area_pixels = min(min_area_pixels, labels.size - 1)  # GDAL takes no more
    size = 2
    # A region goes to its largest neighbour, and in one pass that may be a small one itself, which then stays: a map
    # of single pixels would come back as it was. So the smallest regions go first.
    while size < min_area_pixels:
        labels = features.sieve(labels, size, mask=valid, connectivity=4)
        size *= 2
    if min_area_pixels > 1:
        labels = features.sieve(labels, min_area_pixels, mask=valid, connectivity=4)
    return labels
