"""Every raster read and write. Nothing else in the project touches rasterio."""

from terrasift.raster.class_map import ClassMapWriter, check_map_path
from terrasift.raster.image import write_image
from terrasift.raster.mask import labels_of, read_labels
from terrasift.raster.reading import Raster, RasterInfo, Window

__all__ = [
    "ClassMapWriter",
    "Raster",
    "RasterInfo",
    "Window",
    "check_map_path",
    "labels_of",
    "read_labels",
    "write_image",
]
