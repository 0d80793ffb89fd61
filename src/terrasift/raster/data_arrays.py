"""xarray's DataArrays and Datasets as images, and class maps as DataArrays. They need the extra `xarray`."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError, check_installed
from terrasift.legend import Legend
from terrasift.raster.grid import PLAIN
from terrasift.raster.image_array import ImageArray
from terrasift.raster.info import Bands

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

__all__ = ["class_data_array", "image_of", "is_labelled", "planes_of"]


def is_labelled(image: object) -> TypeGuard[DataArray | Dataset]:
    """Whether this is one of xarray's, found out without importing it."""
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(image, xarray.DataArray | xarray.Dataset)


def image_of(image: DataArray | Dataset, name: str = "image", bands: Bands | None = None) -> ImageArray:
    """The image that an array of xarray is, read lazily where it is lazy.

    What rioxarray, odc-stac and stackstac make is understood: dimensions ``y`` and ``x`` (or longitude and latitude) in
    any order, one more for the bands, CRS and nodata by any of their conventions, coordinates of pixels' middles, or of
    their corners as stackstac has them. A dimension of length 1 beside them does not count.

    Parameters
    ----------
    image
        Names of bands are the coordinates of the bands' dimension where these are text, else a `long_name` for each; of
        a Dataset, its variables that have rows and columns.
    name
        What errors call it.
    bands
        Names: of a Dataset only these variables count, which need to be alike.

    Raises
    ------
    InputError
        If it has no rows and columns, several times, other dimensions, uneven coordinates, or a Dataset's variables
        are not alike.
    SettingError
        If rioxarray is not installed.
    """
    array = planes_of(image, name, bands)
    y, x, band = array.dims
    return ImageArray(
        array,
        name,
        _band_names(array, band),
        "" if array.rio.crs is None else array.rio.crs.to_wkt(),
        _transform(array, y, x, name),
        _nodata(array),
    )


def planes_of(image: DataArray | Dataset, name: str = "image", bands: Bands | None = None) -> DataArray:
    """An array of xarray with its dimensions in the order rows, columns, bands; errors as for `image_of`."""
    check_installed(name, "xarray", "rioxarray")
    import rioxarray  # noqa: F401, it registers what reads CRS and nodata
    from xarray import Dataset

    array = _joined(image, name, bands) if isinstance(image, Dataset) else image
    y, x = _spatial_dims(array, name)
    others = [dim for dim in array.dims if dim not in (y, x)]
    long = [dim for dim in others if array.sizes[dim] > 1]
    times = [dim for dim in long if _is_time(array, dim)]
    if times:
        raise InputError(name, f"has {array.sizes[times[0]]} times along {times[0]!r}", _of_times(times[0], long))
    if len(long) > 1:
        listed = ", ".join(f"{dim} ({array.sizes[dim]})" for dim in long)
        raise InputError(name, f"has dimensions beside rows, columns and bands: {listed}", "choose one place in each")
    band = next(iter([*long, *(dim for dim in others if not _is_time(array, dim))]), None)
    array = array.squeeze([dim for dim in others if dim != band])
    if band is None:
        band, array = "band", array.expand_dims("band")
    return array.transpose(y, x, band)


def class_data_array(labels: Any, like: DataArray, legend: Legend) -> DataArray:
    """A class map with the coordinates and the CRS of an image.

    Parameters
    ----------
    labels
        (H, W), of NumPy or Dask: class indices and the legend's nodata.
    like
        The image, as `planes_of` gives it.
    legend
        Its classes become `flag_values`, `flag_meanings` (spaces in names as ``_``) and `flag_colors`.

    References
    ----------
    CF conventions 1.11, section 3.5, flags.
    """
    from xarray import DataArray

    y, x, _ = like.dims
    kept = {name: each for name, each in like.coords.items() if set(each.dims) <= {y, x}}
    attributes = {
        "long_name": "class",
        "flag_values": np.arange(len(legend.classes), dtype=legend.dtype),
        "flag_meanings": " ".join("_".join(name.split()) for name in legend.names),
        "flag_colors": " ".join(entry.color for entry in legend.classes),
    }
    found: DataArray = DataArray(labels, kept, (y, x), "class", attributes).rio.write_nodata(legend.nodata)
    if like.rio.crs is not None:
        found = found.rio.write_crs(like.rio.crs)
    if x not in kept and like.rio.transform() is not None:
        found = found.rio.write_transform(like.rio.transform())
    return found


def _joined(image: Dataset, name: str, bands: Bands | None) -> DataArray:
    """The variables of a Dataset along a dimension `band`."""
    y, x = _spatial_dims(image, name)
    planes = [str(key) for key, variable in image.data_vars.items() if {y, x} <= set(variable.dims)]
    if not planes:
        raise InputError(name, f"has no variable with the dimensions {y} and {x}", "give one with rows and columns")
    if bands is not None and all(isinstance(band, str) for band in bands):
        planes = [_variable(planes, band, name) for band in bands]
    first = image[planes[0]]
    for plane in planes[1:]:
        one, other = image[plane], first
        for what, own, its in (
            ("holds", one.dtype, other.dtype),
            ("has the dimensions", sorted(map(str, one.dims)), sorted(map(str, other.dims))),
            ("has as nodata", one.rio.nodata, other.rio.nodata),
        ):
            if str(own) != str(its):
                mend = "choose variables that are alike: `bands=[...]`"
                raise InputError(name, f"{plane} {what} {own}, but {planes[0]} {its}", mend)
    joined: DataArray = image[planes].to_dataarray("band")
    if first.rio.nodata is not None:
        joined = joined.rio.write_nodata(first.rio.nodata)
    if image.rio.crs is not None:
        joined = joined.rio.write_crs(image.rio.crs)
    return joined


def _variable(planes: list[str], band: int | str, name: str) -> str:
    wanted = str(band).strip().casefold()
    for plane in planes:
        if plane.casefold() == wanted:
            return plane
    raise InputError(name, f"has no band {band}", f"its variables are {', '.join(planes)}")


def _spatial_dims(image: DataArray | Dataset, name: str) -> tuple[Hashable, Hashable]:
    from rioxarray.exceptions import RioXarrayError

    try:
        return image.rio.y_dim, image.rio.x_dim
    except RioXarrayError as error:
        found = ", ".join(map(str, image.dims)) or "none"
        mend = f'name them: `.rename({{"{next(iter(image.dims), "rows")}": "y", ...}})`'
        raise InputError(name, f"has no dimensions y and x; it has {found}", mend) from error


def _of_times(time: Hashable, long: Sequence[Hashable]) -> str:
    one = f"choose one: `.isel({time}=0)`"
    if len(long) == 1:
        return f'{one}, or take times for bands: `.rename({time}="band")`'
    other = next(dim for dim in long if dim != time)
    return f'{one}, or take the bands of all times: `.stack(bands=("{time}", "{other}"))`'


def _is_time(array: DataArray, dim: Hashable) -> bool:
    return str(dim).lower() in ("time", "t", "date", "datetime") or (
        dim in array.coords and array.coords[dim].attrs.get("standard_name") == "time"
    )


def _band_names(array: DataArray, band: Hashable) -> tuple[str, ...]:
    """One for each band; empty where they have none."""
    count = array.sizes[band]
    if band in array.coords:
        labels = array.coords[band].values
        if labels.dtype.kind == "M":
            labels = np.datetime_as_string(labels, "s")
        if labels.dtype.kind in "OUST":
            return tuple(map(_text, labels))
    long = array.attrs.get("long_name")
    names = [long] if isinstance(long, str) and count == 1 else long
    return tuple(map(str, names)) if isinstance(names, list | tuple) and len(names) == count else ()


def _text(label: Any) -> str:
    """``red``; ``2021-06-01``; both where the labels of two dimensions were joined."""
    if isinstance(label, tuple):
        return " ".join(map(_text, label))
    return str(label).removesuffix(" 00:00:00").removesuffix("T00:00:00")


def _transform(array: DataArray, y: Hashable, x: Hashable, name: str) -> tuple[float, ...]:
    if x not in array.coords or y not in array.coords:  # rotated rasters have none
        return tuple(float(value) for value in tuple(array.rio.transform())[:6])
    across, down = (_axis(array.coords[dim].values, dim, name) for dim in (x, y))
    a, b, c, d, e, f = _written(array)
    if b or d:
        return a, b, c, d, e, f
    first_x, step_x = _first_edge(across, c, a)
    first_y, step_y = _first_edge(down, f, e)
    return step_x, 0.0, first_x, 0.0, step_y, first_y


def _written(array: DataArray) -> tuple[float, ...]:
    """The geotransform that an array carries, which that of its coordinates may be a part of; a plain one if none."""
    grid = array.coords.get(array.rio.grid_mapping)
    text = None if grid is None else grid.attrs.get("GeoTransform")
    if text is not None:
        c, a, b, f, d, e = map(float, str(text).split())  # GDAL's order
        return a, b, c, d, e, f
    return tuple(map(float, tuple(array.attrs.get("transform", PLAIN))[:6]))


def _axis(places: NDArray[Any], dim: Hashable, name: str) -> NDArray[np.float64]:
    places = np.asarray(places, np.float64)
    steps = np.diff(places)
    step = steps.mean() if len(steps) else 0.0
    if not step or np.abs(places - np.linspace(places[0], places[-1], len(places))).max() > _UNEVEN * abs(step):
        what = f"has coordinates {dim!r} that are not evenly spaced"
        raise InputError(name, what, "resample it to a regular grid, as `.rio.reproject(...)` does")
    return places


_UNEVEN = 0.1  # of a pixel: coordinates in single precision are rough


def _first_edge(places: NDArray[np.float64], origin: float, step: float) -> tuple[float, float]:
    """Where the first pixel of an axis begins, and its size.

    The grid that the array was cut from says both exactly, and whether coordinates are of middles or of corners.
    """
    measured = float((places[-1] - places[0]) / (len(places) - 1))
    if abs(measured - step) * len(places) <= _UNEVEN * abs(step):
        begun = (places[0] - origin) / step
        for before in (0.5, 0.0):
            whole = round(begun - before)
            if abs(begun - before - whole) <= _UNEVEN:
                return origin + whole * step, step
    return float(places[0]) - measured / 2, measured


def _nodata(array: DataArray) -> float | None:
    nodata = array.rio.nodata
    if nodata is None or (array.dtype.kind != "f" and not float(nodata).is_integer()):
        return None
    if array.dtype.kind in "iu" and not np.iinfo(array.dtype).min <= nodata <= np.iinfo(array.dtype).max:
        return None
    return float(nodata)
