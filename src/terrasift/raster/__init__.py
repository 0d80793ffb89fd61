"""Every raster read and write. Nothing else in the project touches rasterio."""

from terrasift.raster.areas import pixels_of
from terrasift.raster.class_map import ClassMapWriter, check_map_path, job_of_map
from terrasift.raster.image import write_image
from terrasift.raster.mask import labels_of, read_labels
from terrasift.raster.polygons import check_polygons_path, write_polygons
from terrasift.raster.reading import Raster, RasterInfo, Window
from terrasift.raster.sieve import sieve
from terrasift.raster.style import write_qgis_style

__all__ = [
    "ClassMapWriter",
    "Raster",
    "RasterInfo",
    "Window",
    "check_map_path",
    "check_polygons_path",
    "job_of_map",
    "labels_of",
    "pixels_of",
    "read_labels",
    "sieve",
    "write_image",
    "write_polygons",
    "write_qgis_style",
]
