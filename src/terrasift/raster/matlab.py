"""MATLAB files that hold one image or one label map, opened as rasters."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.raster.gdal_errors import open_raster

__all__ = ["is_matlab", "open_matlab"]


def is_matlab(path: str | os.PathLike[str]) -> bool:
    """Whether a path is named as a MATLAB file. GDAL reads none but those of version 7.3, and these as HDF5."""
    return Path(path).suffix.lower() == ".mat"


def open_matlab(path: str) -> Any:
    """The one image of a MATLAB file as a rasterio dataset in memory: the same values and type, lying nowhere.

    Parameters
    ----------
    path
        A file of version 4 to 7 with one numeric array (H, W) or (H, W, bands); with several, the one named ``img``
        or ``gt``.

    Raises
    ------
    OSError
        If the file cannot be opened.
    InputError
        If it is damaged, or holds no such array.
    """
    image = _image(path, _arrays(path))
    bands = image[:, :, None] if image.ndim == 2 else image
    dataset = open_raster(
        "",
        "w+",
        driver="MEM",
        height=bands.shape[0],
        width=bands.shape[1],
        count=bands.shape[2],
        dtype=bands.dtype.name,
        transform=rasterio.Affine.identity(),
    )
    dataset.write(np.moveaxis(bands, 2, 0))
    return dataset


def _arrays(path: str) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat, whosmat  # takes a second, which other rasters need not wait for

    try:
        for name, shape, _ in whosmat(path):  # from the heads: nothing is unpacked yet
            if math.prod(shape) > _MOST_VALUES:
                raise InputError(path, f"says that {name} is {' x '.join(map(str, shape))}", "check the file")
        content = loadmat(path)
    except InputError:
        raise
    except OSError:
        raise
    except NotImplementedError as error:
        raise InputError(path, "is a MATLAB file of version 7.3", "save it with the option -v7") from error
    except Exception as error:  # damaged files fail in many ways
        raise InputError(path, f"is not a MATLAB file that can be read ({error})", "check the file") from error
    return {name: value for name, value in content.items() if not name.startswith("__")}


_MOST_VALUES = 1 << 31  # MATLAB files of these versions hold no larger arrays


def _image(path: str, arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
    images = {name: array for name, array in arrays.items() if _is_image(array)}
    chosen = images if len(images) == 1 else {name: images[name] for name in ("img", "gt") if name in images}
    if len(chosen) != 1:
        found = ", ".join(f"{name} ({' x '.join(map(str, np.shape(array)))})" for name, array in arrays.items())
        raise InputError(
            path,
            f"holds {found or 'nothing'}, not one image",
            "save one numeric array, H x W or H x W x bands, named img or gt",
        )
    return next(iter(chosen.values()))


def _is_image(array: object) -> bool:
    return isinstance(array, np.ndarray) and array.dtype.kind in "iuf" and array.ndim in (2, 3) and array.size > 1
