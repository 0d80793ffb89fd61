"""Steps 1 and 2: even out contrast, match a reference, and smooth without losing edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import lab2rgb, rgb2lab
from skimage.exposure import match_histograms

from terrasift.blocks.external.bilateral import bilateral_filter
from terrasift.blocks.external.inputs import extend_valid

__all__ = ["degree_of_smoothing", "equalise_lightness", "match_reference", "smooth"]


def equalise_lightness(rgb: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """CLAHE on the lightness L of CIELAB.

    Parameters
    ----------
    rgb
        (H, W, 3), float32 in [0, 1].
    valid
        (H, W), bool, somewhere true.

    Returns
    -------
    ndarray
        (H, W, 3), float32 in [0, 1].

    Notes
    -----
    - 8 x 8 tiles, 256 bins and the clip limit are the defaults of the authors' MATLAB function. Its limit of 0.01 is
      a share of a tile's pixels on top of the mean bin: 1 + 0.01 * 255 mean bins, the unit of OpenCV.
    - Not scikit-image's CLAHE: it stretches L to its full range before and after, which makes noise of a calm image.
    - CLAHE knows no mask. The histograms of tiles at the rim of the valid area count copies of the nearest valid
      pixels, but never what an invalid pixel holds.

    References
    ----------
    Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994.
    """
    lab = rgb2lab(extend_valid(rgb, valid))
    lightness = np.clip(np.rint(lab[..., 0] * 2.55), 0, 255).astype(np.uint8)
    lab[..., 0] = cv2.createCLAHE(clipLimit=3.55, tileGridSize=(8, 8)).apply(lightness) / np.float32(2.55)
    return _to_rgb(lab)


def match_reference(
    rgb: NDArray[np.float32], valid: NDArray[np.bool_], reference: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Give each band the histogram that it has in a reference image.

    Parameters
    ----------
    rgb, reference
        (H, W, 3) and (H', W', 3), float32 in [0, 1].
    valid
        (H, W), bool: pixels of `rgb` that count and change.

    Returns
    -------
    ndarray
        (H, W, 3), float32 in [0, 1].
    """
    matched = rgb.copy()
    matched[valid] = match_histograms(rgb[valid], reference.reshape(-1, 3), channel_axis=-1)
    return matched


def smooth(rgb: NDArray[np.float32], valid: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    """Bilateral filter in CIELAB, with a spatial sigma of 4 pixels and the image's own degree of smoothing.

    Parameters
    ----------
    rgb
        (H, W, 3), float32 in [0, 1].
    valid
        (H, W), bool, somewhere true.

    Returns
    -------
    ndarray
        (H, W, 3), float32 in [0, 1]; invalid pixels continue the valid area.
    float
        The degree of smoothing.
    """
    lab = rgb2lab(rgb)
    smoothing = degree_of_smoothing(lab, valid)
    smoothed = bilateral_filter(lab, smoothing, spatial_sigma=4.0, valid=None if valid.all() else valid)
    return _to_rgb(extend_valid(smoothed, valid)), smoothing


def degree_of_smoothing(lab: NDArray[np.float32], valid: NDArray[np.bool_]) -> float:
    """Four times the variance of the Lab norm in the calmest patch: what the image varies by where nothing is.

    The patch reaches 25 pixels each way, as far as the frame allows, from where the row and the column cross in
    which L has the smallest standard deviation.

    Parameters
    ----------
    lab
        (H, W, 3), float32, CIELAB.
    valid
        (H, W), bool, somewhere true.

    Returns
    -------
    float
        1 where the variance is 0, or where the patch has fewer than two valid pixels.

    Notes
    -----
    Rows and columns with less than half of the valid pixels that the fullest one has are not considered: a
    handful of pixels is calm by chance.
    """
    row = _calmest_row(lab[..., 0], valid)
    column = _calmest_row(lab[..., 0].T, valid.T)
    patch = slice(max(0, row - 25), row + 26), slice(max(0, column - 25), column + 26)
    norms = np.linalg.norm(lab[patch][valid[patch]].astype(np.float64), axis=1)
    variance = float(norms.var(ddof=1)) if norms.size > 1 else 0.0
    return 4 * variance if variance > 1e-9 else 1.0  # below lies the rounding of a constant patch


def _calmest_row(lightness: NDArray[np.float32], valid: NDArray[np.bool_]) -> int:
    counts = valid.sum(axis=1)
    considered = 2 * counts >= counts.max()
    deviation = np.full(len(counts), np.inf)
    deviation[considered] = lightness[considered].std(axis=1, dtype=np.float64, where=valid[considered])
    return int(deviation.argmin())


def _to_rgb(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIELAB to RGB, cut off at [0, 1]."""
    # A darkened L can leave a b that no light has (Z below 0): take the largest that has, short of its rounding.
    lab[..., 2] = np.minimum(lab[..., 2], 199.99 * (lab[..., 0] + 16) / 116)
    rgb: NDArray[np.float32] = lab2rgb(lab)
    return rgb
