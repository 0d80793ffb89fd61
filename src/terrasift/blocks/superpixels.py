"""Superpixels: small regions of similar colour, the regions inside which labels are made constant."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.choices import SuperpixelMethod
from terrasift.blocks.opencv_slic import opencv_slic

__all__ = ["superpixels"]


def superpixels(
    array: NDArray[Any],
    method: SuperpixelMethod = "slic",
    *,
    area: int = 100,
    compactness: float = 10.0,
    scale: float = 128.0,
    min_size: int = 64,
    valid: NDArray[np.bool_] | None = None,
) -> NDArray[np.int32]:
    """Cut an image into superpixels.

    Parameters
    ----------
    array
        (H, W, bands) or (H, W), any number of bands; floats in [0, 1] or integers of any range.
    method
        ``slic``, scikit-image's; ``opencv_slic``, about four times as fast, and no worse; ``felzenszwalb`` as SEEK
        uses it; or ``none``: every pixel a region.
    area
        SLIC: pixels that a superpixel should have, about. Try 50 to 400: smaller follows small objects, larger smooths
        more. The number of superpixels is H * W / area, so it does not change with the patch. ``opencv_slic`` takes the
        nearest square of a whole number.
    compactness
        SLIC: balance of shape against colour. Try powers of ten: 1 follows colours closely, 100 gives near-squares.
    scale
        Felzenszwalb: larger gives larger superpixels, and more of them where there is contrast.
    min_size
        Felzenszwalb: pixels of the smallest superpixel.
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

    Before Felzenszwalb's method the image passes SEEK's bilateral filter (11 px, range 28 of 255, spatial 50): three
    bands together, any other number each on its own.

    References
    ----------
    Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", TPAMI 2012.
    Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV 2004.
    Ilyas, Khan, Umraiz and Kim, "SEEK: A Framework of Superpixel Learning with CNN Features for Unsupervised
    Segmentation", Electronics 2020.

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
    if method == "opencv_slic":
        return opencv_slic(image, area, compactness, valid)
    if method == "felzenszwalb":
        return _felzenszwalb(image, scale, min_size, valid)
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
    return _numbered(regions, valid)


def _felzenszwalb(
    image: NDArray[Any], scale: float, min_size: int, valid: NDArray[np.bool_] | None
) -> NDArray[np.int32]:
    import cv2
    from skimage.segmentation import felzenszwalb

    if valid is not None:
        image = np.where(valid[:, :, None], image, image[valid].mean(axis=0).astype(image.dtype))
    pixels = np.ascontiguousarray(_as_bytes(image))
    together = [pixels] if pixels.shape[2] == 3 else np.split(pixels, pixels.shape[2], axis=2)
    smooth = np.dstack([cv2.bilateralFilter(part, 11, 28, 50) for part in together])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Got image with third dimension", RuntimeWarning)  # bands are meant
        regions = felzenszwalb(smooth, scale=scale, sigma=1, min_size=min_size, channel_axis=2)
    return _numbered(regions + 1, valid)


def _as_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    largest = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1
    return np.rint(np.clip(image / largest, 0, 1) * 255).astype(np.uint8)


def _numbered(regions: NDArray[Any], valid: NDArray[np.bool_] | None) -> NDArray[np.int32]:
    """Number regions (from 1) from 0 without gaps; where there is no data, 0."""
    _, numbered = np.unique(regions if valid is None else np.where(valid, regions, 0), return_inverse=True)
    if valid is not None:
        numbered = np.maximum(numbered - 1, 0)
    return numbered.reshape(regions.shape).astype(np.int32)
