"""Superpixels: small regions of similar colour, the regions inside which labels are made constant."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.choices import SuperpixelMethod

__all__ = ["superpixels"]


def superpixels(
    array: NDArray[Any],
    method: SuperpixelMethod = "slic",
    *,
    area: int = 100,
    compactness: float = 10.0,
    valid: NDArray[np.bool_] | None = None,
) -> NDArray[np.int32]:
    """Cut an image into superpixels.

    Parameters
    ----------
    array
        (H, W, bands) or (H, W), any number of bands; floats in [0, 1] or integers of any range.
    method
        ``slic``, or ``none``: every pixel a region.
    area
        Pixels that a superpixel should have, about. Try 50 to 400: smaller follows small objects, larger smooths
        more. The number of superpixels is H * W / area, so it does not change with the patch.
    compactness
        Balance of shape against colour. Try powers of ten: 1 follows colours closely, 100 gives near-squares.
    valid
        (H, W), bool: pixels that may join a superpixel. None means all; invalid pixels share region 0 with
        the first superpixel and must not be read.

    Returns
    -------
    ndarray
        (H, W), int32, regions numbered from 0 without gaps.

    Notes
    -----
    Three bands are compared in CIELAB, whose lightness runs from 0 to 100. Any other number of bands is compared as
    it is, on [0, 1]; the compactness is divided by 100 there so that one value means the same for both.

    References
    ----------
    Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", TPAMI 2012.

    Examples
    --------
    >>> import numpy as np
    >>> two_halves = np.zeros((20, 20, 3))
    >>> two_halves[:, 10:] = 1
    >>> regions = superpixels(two_halves, area=50)
    >>> set(regions[:, :10].flat) & set(regions[:, 10:].flat)
    set()
    """
    image = array[:, :, None] if array.ndim == 2 else array
    height, width, bands = image.shape
    if method == "none":
        return np.arange(height * width, dtype=np.int32).reshape(height, width)
    if valid is not None and valid.all():
        valid = None  # the unmasked algorithm is several times faster
    if valid is not None and not valid.any():
        return np.zeros((height, width), np.int32)
    return _slic(image, max(1, round(height * width / area)), compactness, valid, in_lab=bands == 3)


def _slic(
    image: NDArray[Any], segments: int, compactness: float, valid: NDArray[np.bool_] | None, *, in_lab: bool
) -> NDArray[np.int32]:
    from skimage.segmentation import slic

    if valid is not None:
        segments = max(1, round(segments * float(valid.mean())))
        image = np.where(valid[:, :, None], image, 0)  # NaN under the mask would spread
    with warnings.catch_warnings():
        # Where few pixels are valid, seeds of the masked algorithm may coincide: fewer superpixels, nothing worse.
        warnings.filterwarnings("ignore", "One of the clusters is empty", UserWarning)
        regions = slic(
            image,
            n_segments=segments,
            compactness=compactness if in_lab else compactness / 100,
            convert2lab=in_lab,
            mask=valid,
            start_label=1,
            channel_axis=2,
        )
    _, numbered = np.unique(regions if valid is None else np.where(valid, regions, 0), return_inverse=True)
    if valid is not None:
        numbered = np.maximum(numbered - 1, 0)
    return numbered.reshape(regions.shape).astype(np.int32)
