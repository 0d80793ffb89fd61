"""Every raster read and write. Nothing else in the project touches rasterio."""

from terrasift.raster.areas import ground_sampling, pixels_of, row_areas
from terrasift.raster.class_areas import ClassArea, ClassAreas, Ground
from terrasift.raster.class_map import (
    CONFIDENCE_NODATA,
    ClassMapWriter,
    OtherJobError,
    confidence_path,
    is_half_there,
    remove_windows,
)
from terrasift.raster.class_map_reading import ClassMap, class_areas
from terrasift.raster.data_arrays import class_data_array, image_of, is_labelled, planes_of
from terrasift.raster.gdal_errors import gdal_version, is_elsewhere
from terrasift.raster.grid import Grid, check_same_grid
from terrasift.raster.image import write_image
from terrasift.raster.image_array import ImageArray
from terrasift.raster.info import Bands, RasterInfo, Window
from terrasift.raster.layers import Layer, check_layers, read_layer, write_layer
from terrasift.raster.locating import burn, coordinates_of, pixel_bounds, to_pixels
from terrasift.raster.map_file import check_map_path, is_soon_counted, job_of_map
from terrasift.raster.mask import labels_of, read_labels
from terrasift.raster.mosaic import write_mosaic
from terrasift.raster.places import Place, pixels_at, place_of, places_of
from terrasift.raster.polygons import POLYGON_SUFFIXES, check_polygons_path, write_polygons
from terrasift.raster.preview import preview_base, write_preview
from terrasift.raster.probability_map import check_probabilities_path, write_probabilities
from terrasift.raster.reading import Raster, Source
from terrasift.raster.resampling import ResampledGrid
from terrasift.raster.sieve import sieve
from terrasift.raster.stack import write_stack
from terrasift.raster.style import write_qgis_style
from terrasift.raster.surroundings import Surrounded, with_surroundings
from terrasift.raster.tiles import TILE, TileReader, level_count, level_shape

__all__ = [
    "CONFIDENCE_NODATA",
    "POLYGON_SUFFIXES",
    "TILE",
    "Bands",
    "ClassArea",
    "ClassAreas",
    "ClassMap",
    "ClassMapWriter",
    "Grid",
    "Ground",
    "ImageArray",
    "Layer",
    "OtherJobError",
    "Place",
    "Raster",
    "RasterInfo",
    "ResampledGrid",
    "Source",
    "Surrounded",
    "TileReader",
    "Window",
    "burn",
    "check_layers",
    "check_map_path",
    "check_polygons_path",
    "check_probabilities_path",
    "check_same_grid",
    "class_areas",
    "class_data_array",
    "confidence_path",
    "coordinates_of",
    "gdal_version",
    "ground_sampling",
    "image_of",
    "is_elsewhere",
    "is_half_there",
    "is_labelled",
    "is_soon_counted",
    "job_of_map",
    "labels_of",
    "level_count",
    "level_shape",
    "pixel_bounds",
    "pixels_at",
    "pixels_of",
    "place_of",
    "places_of",
    "planes_of",
    "preview_base",
    "read_labels",
    "read_layer",
    "remove_windows",
    "row_areas",
    "sieve",
    "to_pixels",
    "with_surroundings",
    "write_image",
    "write_layer",
    "write_mosaic",
    "write_polygons",
    "write_preview",
    "write_probabilities",
    "write_qgis_style",
    "write_stack",
]
