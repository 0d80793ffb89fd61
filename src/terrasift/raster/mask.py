"""Masks: the labels of images, as class indices or painted in the classes' colours."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.legend import IGNORE, Legend
from terrasift.raster.info import Window
from terrasift.raster.reading import Raster

__all__ = ["labels_of", "read_labels"]


def read_labels(path: str | os.PathLike[str], legend: Legend) -> NDArray[np.uint8]:
    """Class indices of a mask, (H, W) uint8, `IGNORE` where a pixel counts nowhere.

    A mask is an image painted in the legend's colours (three bands, or a palette), or one band of class indices
    without a palette. Nodata, 255, -1, and colours listed under the legend's `ignore` count nowhere.

    Raises
    ------
    InputError
        If it holds a colour or an index that the legend does not name.
    """
    with Raster(path) as raster:
        return labels_of(raster, legend)


def labels_of(raster: Raster, legend: Legend, window: Window | None = None) -> NDArray[np.uint8]:
    """`read_labels` of an open mask, or of a window of it."""
    path = raster.path
    if len(legend.classes) > IGNORE:
        raise InputError("classes", f"are {len(legend.classes)}", f"masks can tell at most {IGNORE} apart")
    if raster.has_palette or raster.info.bands >= 3:
        values, valid = raster.read(window, bands=(1, 2, 3))
        if values.dtype != np.uint8:
            raise InputError(path, f"is a colour mask of {values.dtype}", "save its colours as uint8")
        labels = np.full(valid.shape, IGNORE, np.uint8)
        labels[valid] = legend.indices(values[valid], path)
        return labels
    values, valid = raster.read(window, bands=(1,))
    return _checked_indices(path, values[:, :, 0], valid, len(legend.classes))


def _checked_indices(path: object, values: NDArray[Any], valid: NDArray[np.bool_], classes: int) -> NDArray[np.uint8]:
    if values.dtype.kind == "f" and not np.array_equal(values[valid], np.round(values[valid])):
        raise InputError(path, "holds fractions, not class indices", "save the mask as integers")
    valid = valid & (values != IGNORE) & (values != 65535) & (values != -1)
    wrong = np.unique(values[valid & ((values < 0) | (values >= classes))])
    if len(wrong):
        listed = ", ".join(f"{value:g}" for value in wrong[:8].tolist())
        raise InputError(
            path,
            f"holds class indices that the classes file does not name: {listed}",
            f"use 0 to {classes - 1}, and {IGNORE} for pixels to ignore",
        )
    return np.where(valid, values, IGNORE).astype(np.uint8)
