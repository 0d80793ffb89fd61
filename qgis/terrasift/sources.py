# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers of QGIS as what the command reads: paths of rasters, windows of them, and a file of labels."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    NULL,
    QgsFeature,
    QgsFeatureSink,
    QgsProcessingException,
    QgsProcessingUtils,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from .translate import tr

__all__ = ["labels_file", "raster_path"]


def raster_path(layer: Any, extent: QgsRectangle | None = None) -> str:
    """The path that GDAL opens a layer by; with an extent in the layer's CRS, that of its window alone.

    Raises
    ------
    QgsProcessingException
        If the layer is no file, or has nothing in the extent.
    """
    if not isinstance(layer, QgsRasterLayer):
        raise QgsProcessingException(tr("{}: is no raster layer; choose one").format(layer.name()))
    kind = layer.providerType()
    path = layer.source().partition("|")[0]
    if kind != "gdal" or path.startswith("/vsimem/"):
        kind = tr("memory") if kind == "gdal" else kind
        raise QgsProcessingException(
            tr(
                "{}: comes from {}, and terrasift reads files; save it as one first (Layer > Save As), "
                "as raw data, not as a rendered image"
            ).format(layer.name(), kind)
        )
    if extent is None or extent.isEmpty() or extent.contains(layer.extent()):
        return path
    window = extent.intersect(layer.extent())
    if window.isEmpty():
        raise QgsProcessingException(tr("{}: has nothing in the extent; choose another").format(layer.name()))
    if "?" in path:
        raise QgsProcessingException(tr("{}: cannot be clipped, for its path has a ?; rename it").format(layer.name()))
    return f"vrt://{path}?{_window(layer, window)}"


def _window(layer: QgsRasterLayer, window: QgsRectangle) -> str:
    whole = layer.extent()
    if whole == QgsRectangle(0, -layer.height(), layer.width(), 0):  # QGIS's own for a raster without georeference
        pixels = (window.xMinimum(), -window.yMaximum(), window.width(), window.height())
        return "srcwin=" + ",".join(str(round(each)) for each in pixels)
    corners = (window.xMinimum(), window.yMaximum(), window.xMaximum(), window.yMinimum())
    return "projwin=" + ",".join(repr(each) for each in corners)


def labels_file(source: Any, field: str, context: Any, feedback: Any) -> str:
    """Points or polygons with the column ``class``, as a GeoPackage; whatever the layer's source, filter and selection.

    Raises
    ------
    QgsProcessingException
        If it cannot be written.
    """
    fields = QgsVectorLayer("None?field=class:string", "labels", "memory").fields()
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = "labels"
    path = QgsProcessingUtils.generateTempFilename("labels.gpkg")
    writer = QgsVectorFileWriter.create(
        path, fields, source.wkbType(), source.sourceCrs(), context.transformContext(), options
    )
    index = source.fields().lookupField(field)
    for feature in source.getFeatures():
        value = feature.attribute(index)
        if feedback.isCanceled():
            break
        labelled = QgsFeature(fields)
        labelled.setGeometry(feature.geometry())
        labelled.setAttributes([None if value == NULL else str(value)])
        writer.addFeature(labelled, QgsFeatureSink.Flag.FastInsert)
    problem = writer.errorMessage()
    del writer  # writes it out
    if problem:
        raise QgsProcessingException(tr("the labels cannot be written: {}").format(problem))
    return path
