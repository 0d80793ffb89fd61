"""The rule that turns band values into [0, 1], measured on the training images."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.preprocessing import scale_to_unit
from terrasift.data.patches import Patch, RawReader
from terrasift.data.scenes import MINIMUM_SIDE
from terrasift.errors import InputError
from terrasift.raster import Bands, RasterInfo
from terrasift.recipe import Recipe, Scaling

__all__ = ["PERCENTILES", "check_scaling", "checked_array", "measure_scaling"]

PERCENTILES = (1.0, 99.0)
"""Percentiles of the valid training pixels that become 0 and 1."""

_MOST_PATCHES = 512
_PIXELS_PER_PATCH = 4096

_logger = logging.getLogger(__name__)


def measure_scaling(infos: Sequence[RasterInfo], patches: Sequence[Patch], bands: Bands | None, seed: int) -> Scaling:
    """The dtype's range for uint8; otherwise robust percentiles of the training set.

    Percentiles and means are those of a seeded sample: up to 4096 valid pixels from each of up to 512 patches
    spread over all scenes, so that memory and time stay the same for a folder of any size.

    Parameters
    ----------
    infos
        The scenes, of one dtype.
    patches
        The training windows.
    bands
        Numbers from 1, or names; None means all.
    seed
        Of the sample.
    """
    pixels = _sample(patches, bands, seed)
    dtype = infos[0].dtype
    if dtype == "uint8":
        low, high = np.zeros(pixels.shape[1]), np.full(pixels.shape[1], 255.0)
    else:
        low, high = np.percentile(pixels, PERCENTILES, axis=0)
    middle = np.median(pixels, axis=0)
    flat = np.flatnonzero((pixels == pixels[0]).all(axis=0) | (high <= low))
    if len(flat) == len(low):
        where = infos[0].path if len(infos) == 1 else f"{len(infos)} images"
        raise InputError(where, f"one value, {middle[0]:g}, nearly everywhere", "there is nothing to tell apart")
    for index in flat.tolist():
        band = bands[index] if bands is not None else index + 1
        _logger.warning("band %s has one value, %g, nearly everywhere: it tells nothing apart", band, middle[index])
    fill = scale_to_unit(pixels[None], low, high)[0].mean(axis=0, dtype=np.float64)
    return Scaling(dtype=dtype, low=tuple(low.tolist()), high=tuple(high.tolist()), fill=tuple(fill.tolist()))


def check_scaling(info: RasterInfo, scaling: Scaling, bands: Bands | None) -> None:
    """Check that a scene can be read by a rule measured on others.

    Raises
    ------
    InputError
        If its dtype or its bands are not those the rule was made for.
    """
    if info.dtype != scaling.dtype:
        raise InputError(
            info.path,
            f"holds {info.dtype}, but the run was trained on {scaling.dtype}",
            "convert it as its training images were",
        )
    info.band_numbers(bands)
    if bands is None and info.bands != len(scaling.low):
        raise InputError(
            info.path,
            f"has {info.bands} bands, but the run was trained on {len(scaling.low)}",
            "use images of the same bands",
        )


def checked_array(
    array: NDArray[Any], valid: NDArray[np.bool_] | None, recipe: Recipe
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """An array that fits a trained recipe, and where it holds data.

    Parameters
    ----------
    array
        (H, W, bands) or (H, W).
    valid
        (H, W), bool; None: all pixels that are finite.

    Returns
    -------
    ndarray
        (H, W, bands).
    ndarray
        (H, W), bool.

    Raises
    ------
    InputError
        If its shape or its dtype is not what the recipe was trained on.
    """
    values, scaling = array[:, :, None] if array.ndim == 2 else array, recipe.measured_scaling
    if values.shape[2:] != (len(scaling.low),):
        raise InputError(
            "array", f"has shape {values.shape}", f"give (H, W, {len(scaling.low)}), the bands the run reads"
        )
    if values.dtype != np.dtype(scaling.dtype):
        raise InputError("array", f"holds {values.dtype}, but the run was trained on {scaling.dtype}", "convert it")
    if min(values.shape[:2]) < MINIMUM_SIDE:
        raise InputError("array", f"has shape {values.shape}", f"give at least {MINIMUM_SIDE} x {MINIMUM_SIDE} pixels")
    return values, np.isfinite(values).all(axis=2) if valid is None else valid


def _sample(patches: Sequence[Patch], bands: Bands | None, seed: int) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    chosen = np.sort(generator.permutation(len(patches))[:_MOST_PATCHES])
    samples = []
    with RawReader(bands) as reader:
        for index in chosen.tolist():
            values, valid = reader.raw(patches[index])
            pixels = values[valid]
            samples.append(pixels[generator.permutation(len(pixels))[:_PIXELS_PER_PATCH]].astype(np.float64))
    return np.concatenate(samples)
