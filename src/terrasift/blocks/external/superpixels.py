"""Step 3: SLIC superpixels, compared in CIELAB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab
from skimage.segmentation import slic

__all__ = ["lab_superpixels"]


def lab_superpixels(rgb: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.int32]:
    """SLIC with compactness 20 and 10 iterations.

    Parameters
    ----------
    rgb
        (H, W, 3), float32 in [0, 1], finite everywhere.
    valid
        (H, W), bool, somewhere true: pixels that may join a superpixel.

    Returns
    -------
    ndarray
        (H, W), int32, numbered from 0 without gaps; invalid pixels are -1.

    Notes
    -----
    - About round(H / 50 * W / 50) superpixels where a side exceeds 100 pixels, else round(H / 10 * W / 10); of that,
      the share of valid pixels; at least one.
    - The compactness is in units of CIELAB. scikit-image divides whatever it is given by its range of values, so the
      compactness is divided by that range too.
    """
    lab = rgb2lab(rgb)
    height, width = valid.shape
    side = 50 if max(height, width) > 100 else 10
    seen = lab[valid]
    value_range = float(seen.max() - seen.min())
    regions = slic(
        lab,
        n_segments=max(1, round(valid.mean() * (height / side) * (width / side))),
        compactness=20 / (value_range or 1),
        max_num_iter=10,
        convert2lab=False,
        mask=None if valid.all() else valid,
        start_label=1,
        channel_axis=2,
    )
    _, numbers = np.unique(regions[valid], return_inverse=True)
    superpixels = np.full(valid.shape, -1, np.int32)
    superpixels[valid] = numbers
    return superpixels
