"""Images, written whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window as RasterioWindow

from terrasift.files import whole
from terrasift.raster.gdal_errors import gdal_errors, new_raster
from terrasift.raster.grid import PLAIN
from terrasift.raster.image_array import ImageArray

__all__ = ["write_image"]


def write_image(
    path: str | os.PathLike[str],
    image: NDArray[Any] | ImageArray,
    *,
    crs: str = "",
    transform: Sequence[float] = PLAIN,
) -> None:
    """Write an image as the suffix says (``.tif``, ``.png``, ``.jpg``), piece by piece, whole or not at all.

    Parameters
    ----------
    path
        The file.
    image
        (H, W) or (H, W, bands), values in the dtype to be stored; an `ImageArray` also says its CRS, transform, nodata
        and names of bands.
    crs, transform
        Of an array: coordinate reference system (say ``EPSG:32633``) and the six coefficients of the geotransform
        (a, b, c, d, e, f); leave out for plain images.
    """
    path = Path(path)
    is_picture = not isinstance(image, ImageArray)
    if not isinstance(image, ImageArray):
        image = ImageArray(image, str(path), crs=crs, transform=tuple(transform))
    height, width, count = image.shape
    profile: dict[str, Any] = {"height": height, "width": width, "count": count, "nodata": image.nodata}
    profile |= {"dtype": image.values.dtype.name, "driver": rasterio.drivers.driver_from_extension(path)}
    if image.crs or image.transform != PLAIN:
        profile |= {"crs": image.crs or None, "transform": rasterio.Affine(*image.transform)}
    if profile["driver"] == "GTiff":
        profile |= {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "bigtiff": "if_safer"}
        if not is_picture:
            profile |= {"photometric": "minisblack"}  # GDAL takes three uint8 bands for red, green and blue otherwise
        profile |= {"interleave": "band" if count > _MANY else "pixel"}
        profile |= {"alpha": "unspecified"}  # GDAL takes a fourth uint8 band for alpha otherwise
    numbers = range(1, count + 1)
    with (
        gdal_errors(path, "cannot be written"),
        whole(path) as partial,
        new_raster(partial, **profile) as dataset,
    ):
        for number, name in zip(numbers, image.descriptions, strict=False):
            dataset.set_band_description(number, name)
        for piece in image.pieces():
            area = RasterioWindow(piece.column, piece.row, piece.width, piece.height)
            dataset.write(np.moveaxis(image.read(piece, numbers), 2, 0), window=area)


_MANY = 16  # bands: with more, tiles of all bands are too large for a cache
