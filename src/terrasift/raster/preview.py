"""A small copy of a large scene, with overviews, from which a screen is filled quickly."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window as RasterioWindow

from terrasift.files import whole
from terrasift.progress import track
from terrasift.raster.gdal_errors import gdal_errors, new_raster
from terrasift.raster.info import Window
from terrasift.raster.reading import Raster
from terrasift.raster.tiles import TILE, level_count, level_shape, mean_of_blocks, overview_levels

__all__ = ["preview_base", "write_preview"]

_QUICK = 2048  # pixels a side that can be read whole for one tile
_TILED_BASE = 2  # finer levels are read from the tiles of the scene itself
_QUALITY = 90  # of JPEG


def preview_base(raster: Raster) -> int | None:
    """The level from which a raster's tiles should come from a preview; None where it is quick by itself.

    A raster that is stored row by row, or in one piece, needs one from its own pixels on; one that is stored in tiles
    needs one for the coarser levels alone, and none if it has overviews of such levels.
    """
    rows, columns = raster.block
    side = max(raster.info.height, raster.info.width)
    if side <= _QUICK // 2:
        return None
    if columns >= raster.info.width or rows * columns > _QUICK * _QUICK:
        return 0
    coarsest = max(overview_levels(raster), default=0)
    return None if side / (1 << coarsest) <= _QUICK else _TILED_BASE


def write_preview(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    bands: list[int],
    display: Callable[[NDArray[Any]], NDArray[np.uint8]],
    base: int,
) -> None:
    """Write a scene as it is shown, at one level and all coarser ones, whole or not at all.

    Parameters
    ----------
    path
        Any path GDAL opens.
    out
        A GeoTIFF with JPEG tiles and a mask, without a place on Earth: it is for looking at.
    bands
        Numbers from 1, one or three.
    display
        Turns values (H, W, bands) into uint8 of the same shape.
    base
        The finest level: its pixels stand for squares of ``2 ** base`` pixels.

    Raises
    ------
    InputError
        If the scene is damaged, or `out` cannot be written.
    """
    with Raster(path) as raster, gdal_errors(out, "cannot be written", "check the disk"), whole(out) as partial:
        height, width = level_shape(raster.info.height, raster.info.width, base)
        windows = _windows(height, width)
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, JPEG_QUALITY_OVERVIEW=_QUALITY),
            new_raster(partial, **_profile(height, width, len(bands))) as dataset,
        ):
            for window in track(windows, len(windows), f"{Path(path).name}: preview"):
                values, valid = mean_of_blocks(*raster.read(_behind(window, raster, base), bands), 1 << base)
                area = RasterioWindow(window.column, window.row, window.width, window.height)
                dataset.write(np.moveaxis(display(values), 2, 0), window=area)
                dataset.write_mask(valid, window=area)
            factors = [1 << level for level in range(1, level_count(height, width))]
            dataset.build_overviews(factors, Resampling.average)


def _profile(height: int, width: int, bands: int) -> dict[str, Any]:
    profile = {"driver": "GTiff", "height": height, "width": width, "count": bands, "dtype": "uint8"}
    profile |= {"tiled": True, "blockxsize": TILE, "blockysize": TILE, "bigtiff": "if_safer"}
    profile |= {"compress": "jpeg", "jpeg_quality": _QUALITY, "interleave": "pixel"}
    return profile | {"photometric": "ycbcr" if bands == 3 else "minisblack"}


def _windows(height: int, width: int) -> list[Window]:
    # Whole tiles, since JPEG tiles written in parts would be packed again and again; four at once.
    return [
        Window(row, column, min(TILE, height - row), min(4 * TILE, width - column))
        for row in range(0, height, TILE)
        for column in range(0, width, 4 * TILE)
    ]


def _behind(window: Window, raster: Raster, base: int) -> Window:
    row, column = window.row << base, window.column << base
    height = min(window.height << base, raster.info.height - row)
    return Window(row, column, height, min(window.width << base, raster.info.width - column))
