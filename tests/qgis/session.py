"""Run by the Python of QGIS: what qgis_process cannot show. Prints what the function named first returns, as JSON."""

import json
import os
import sys
import time
from pathlib import Path

sys.path += ["/usr/share/qgis/python/plugins", os.environ["QGIS_PLUGINPATH"]]

from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QTimer


def loads(run: str, scene: str, folder: str) -> dict:
    """What a project has after a map was made in it, with all that can be made."""
    import processing
    from processing.gui.Postprocessing import handleAlgorithmResults

    algorithm = QgsApplication.processingRegistry().createAlgorithmById("terrasift:map")
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    feedback = QgsProcessingFeedback()
    parameters = {
        "RUN": run,
        "SCENE": scene,
        "CONFIDENCE": True,
        "MAP": processing.core.Processing.QgsProcessingOutputLayerDefinition(f"{folder}/map.tif", QgsProject.instance()),
    }
    polygons = processing.core.Processing.QgsProcessingOutputLayerDefinition(f"{folder}/p.gpkg", QgsProject.instance())
    results, good = algorithm.run({**parameters, "POLYGONS": polygons}, context, feedback)
    assert good, feedback.textLog()
    handleAlgorithmResults(algorithm, context, feedback)
    layers = {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}
    classes = layers["Class map"].renderer().classes()
    return {
        "results": results,
        "layers": sorted(layers),
        "map": [[each.value, each.label, each.color.name()] for each in classes],
        "polygons": [[each.value(), each.label()] for each in layers["Polygons"].renderer().categories()],
    }


def cancel(fake: str, told: str) -> float:
    """Seconds from Cancel to the end of an algorithm whose command would go on for long."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("terrasift:page")
    feedback = QgsProcessingFeedback()
    asked = []

    def ask() -> None:
        if Path(told).exists():
            asked.append(time.monotonic())
            feedback.cancel()

    feedback.progressChanged.connect(ask)
    results, good = algorithm.run({"RUN": fake, "SCENES": [told]}, QgsProcessingContext(), feedback)
    assert good
    assert results == {}
    return time.monotonic() - asked[0]
