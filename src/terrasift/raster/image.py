"""Images, written whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from terrasift.files import whole
from terrasift.raster.gdal_errors import gdal_errors, open_raster

__all__ = ["write_image"]


def write_image(
    path: str | os.PathLike[str], array: NDArray[Any], *, crs: str = "", transform: Sequence[float] = ()
) -> None:
    """Write (H, W) or (H, W, bands) as the suffix says (``.tif``, ``.png``, ``.jpg``), whole or not at all.

    Parameters
    ----------
    path
        The file.
    array
        Values in the dtype to be stored.
    crs, transform
        Coordinate reference system (say ``EPSG:32633``) and the six coefficients of the geotransform
        (a, b, c, d, e, f); leave out for plain images.
    """
    path = Path(path)
    bands = array[:, :, None] if array.ndim == 2 else array
    profile: dict[str, Any] = {"height": bands.shape[0], "width": bands.shape[1], "count": bands.shape[2]}
    profile |= {"dtype": bands.dtype.name, "driver": rasterio.drivers.driver_from_extension(path)}
    if crs:
        profile |= {"crs": crs, "transform": rasterio.Affine(*transform)}
    if profile["driver"] == "GTiff":
        profile |= {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
        profile |= {"alpha": "unspecified"}  # GDAL takes a fourth uint8 band for alpha otherwise
    with (
        gdal_errors(path, "cannot be written"),
        whole(path) as partial,
        open_raster(partial, "w", **profile) as dataset,
    ):
        dataset.write(np.moveaxis(bands, 2, 0))
