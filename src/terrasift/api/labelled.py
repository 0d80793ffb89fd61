"""Class maps of xarray's arrays, as xarray's arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrasift.errors import SettingError
from terrasift.legend import Legend
from terrasift.prediction import MapOptions, Predictor, class_map, lazy_labels
from terrasift.raster import Raster, class_data_array, image_of, planes_of

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

__all__ = ["predict_labelled"]


def predict_labelled(
    predictor: Predictor, legend: Legend, scene: DataArray | Dataset, options: MapOptions
) -> DataArray:
    """See `Run.predict`."""
    for name in ("confidence", "vector", "min_area", "resume", "probabilities"):
        if getattr(options, name):
            raise SettingError(name, "is of maps that are written", "name a file: `out`")
    planes = planes_of(scene, "scene", predictor.reader.recipe.bands)
    image = image_of(planes, "scene")
    if planes.chunks is not None:
        return class_data_array(lazy_labels(predictor, legend, image, planes.data), planes, legend)
    with Raster(image) as raster:
        return class_data_array(class_map(predictor, legend, raster), planes, legend)
