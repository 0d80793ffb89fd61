"""How likely each class is at each pixel: a raster with a band for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window as RasterioWindow

from terrasift.errors import InputError
from terrasift.files import whole
from terrasift.raster.gdal_errors import copy_raster, gdal_errors, new_raster
from terrasift.raster.info import RasterInfo, Window
from terrasift.raster.map_file import MapFile

__all__ = ["PROBABILITY_NODATA", "check_probabilities_path", "write_probabilities"]

PROBABILITY_NODATA = 255
"""What each band stores where there is no data; else it stores per cent."""


def check_probabilities_path(path: str | os.PathLike[str]) -> None:
    """Check before any work that probabilities can be written under this name; InputError if not."""
    if Path(path).suffix.lower() not in (".tif", ".tiff"):
        raise InputError(path, "probabilities are a GeoTIFF of many bands", "end the name in .tif")


def write_probabilities(
    path: str | os.PathLike[str],
    like: RasterInfo,
    names: Sequence[str],
    windows: Iterable[tuple[Window, NDArray[np.floating], NDArray[np.bool_]]],
) -> Path:
    """Write a Cloud Optimized GeoTIFF on a scene's own grid, whole or not at all, window by window.

    Parameters
    ----------
    path
        ``.tif``.
    like
        The scene.
    names
        Of the C classes: the bands' descriptions.
    windows
        Windows that cover the scene, the probabilities there, (C, H, W) in [0, 1], and where there is data, (H, W). The
        bands hold per cent, uint8, `PROBABILITY_NODATA` without data.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    check_probabilities_path(path)
    band = MapFile(Path(path), like, np.dtype(np.uint8), PROBABILITY_NODATA, "")
    with gdal_errors(path, "cannot be written", "check the disk"), whole(path) as partial:
        draft = partial.with_name("draft")
        with new_raster(draft, **band.profile | {"count": len(names)}) as dataset:
            dataset.update_tags(ns="RPC", **dict(like.rpcs))
            for number, name in enumerate(names, 1):
                dataset.set_band_description(number, name)
            for window, shares, valid in windows:
                values = np.where(valid, np.rint(100 * shares), PROBABILITY_NODATA).astype(np.uint8)
                dataset.write(values, window=RasterioWindow(window.column, window.row, window.width, window.height))
        options = {"compress": "deflate", "blocksize": 256, "bigtiff": "if_safer", "overview_resampling": "average"}
        copy_raster(draft, partial, "COG", **options)
    return Path(path)
