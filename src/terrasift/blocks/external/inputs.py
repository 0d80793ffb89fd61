"""What the external algorithm accepts: three bands in [0, 1] and a mask of the pixels that count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from terrasift.errors import InputError

__all__ = ["extend_valid", "three_bands", "valid_mask"]


def three_bands(
    array: NDArray[Any], bands: Sequence[int], valid: NDArray[np.bool_], where: str = "array"
) -> NDArray[np.float32]:
    """The three bands that feed the colour spaces.

    Parameters
    ----------
    array
        (H, W, bands) or (H, W), uint8, or floats in [0, 1].
    bands
        Three band numbers from 0; one may be named more than once.
    valid
        (H, W), bool: pixels that are checked; the others become 0, whatever they hold.
    where
        What an error calls the array.

    Returns
    -------
    ndarray
        (H, W, 3), float32 in [0, 1].

    Raises
    ------
    InputError
        If the bands are not there, or a valid pixel is not in [0, 1].
    """
    image = array[:, :, None] if array.ndim == 2 else array
    count = image.shape[2]
    if len(bands) != 3 or not all(0 <= band < count for band in bands):
        raise InputError(
            where,
            f"bands={tuple(bands)} does not name three of its {count} band{'s' if count > 1 else ''}",
            f"the colour spaces need three band numbers from 0 to {count - 1}, repeats allowed, such as "
            f"bands={tuple(min(band, count - 1) for band in range(3))}",
        )
    image = image[:, :, list(bands)]
    if image.dtype == np.uint8:
        image = image / np.float32(255)
    elif not np.issubdtype(image.dtype, np.floating):
        raise InputError(where, f"its type is {image.dtype}", "give uint8, or floats scaled to [0, 1]")
    image = np.where(valid[:, :, None], image, 0).astype(np.float32)
    if not (image.min() >= 0 and image.max() <= 1):  # written so that NaN fails too
        raise InputError(
            where, "valid pixels hold values outside [0, 1]", "scale the bands, or mark these pixels invalid"
        )
    return image


def valid_mask(array: NDArray[Any], valid: NDArray[np.bool_] | None, where: str = "array") -> NDArray[np.bool_]:
    """The mask of the pixels that count, all of them where none is given.

    Raises
    ------
    InputError
        If the array is not an image, or the mask is not one of its size.
    """
    if array.ndim not in (2, 3) or array.size == 0:
        raise InputError(where, f"its shape is {array.shape}", "give (height, width, bands) or (height, width)")
    if valid is None:
        return np.ones(array.shape[:2], bool)
    if valid.shape != array.shape[:2] or valid.dtype != np.bool_:
        raise InputError(
            "valid",
            f"it is {valid.dtype} of shape {valid.shape}",
            f"give booleans of the image's shape {array.shape[:2]}",
        )
    return valid


def extend_valid(image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Continue the valid area into the rest: there, each pixel takes the value of the nearest valid one.

    Filters and gradients at the rim of the valid area then meet no false edge, as with a frame that is padded by
    its own outermost pixels.

    Parameters
    ----------
    image
        (H, W, bands), float32.
    valid
        (H, W), bool, somewhere true.

    Returns
    -------
    ndarray
        (H, W, bands), float32; `image` itself where all is valid.
    """
    if valid.all():
        return image
    rows, columns = distance_transform_edt(~valid, return_distances=False, return_indices=True)
    filled: NDArray[np.float32] = image[rows, columns]
    return filled
