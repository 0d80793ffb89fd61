"""Run by the Python of QGIS: what qgis_process cannot show. Prints what the function named first returns, as JSON."""
# ruff: noqa: E402

import json
import os
import sys
import time

sys.path[:0] = ["/usr/share/qgis/python/plugins", os.environ["QGIS_PLUGINPATH"]]

from osgeo import gdal
from processing.core.Processing import Processing
from processing.gui.Postprocessing import handleAlgorithmResults
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, Qt, QTranslator
from qgis.PyQt.QtWidgets import QTextEdit


def loads(run, scene, folder):
    """What a project has after a map was made in it, with all that can be made."""
    layers = {}
    layer = QgsRasterLayer(scene, "the scene", "gdal")
    results = _run("terrasift:map", layers, RUN=run, SCENE=layer, CONFIDENCE=True,
                   MAP=_into_project(f"{folder}/map.tif"), POLYGONS=_into_project(f"{folder}/p.gpkg"))  # fmt: skip
    classes = layers["Class map"].renderer().classes()
    return {
        "results": results,
        "layers": sorted(layers),
        "map": [[int(each.value), each.label, each.color.name()] for each in classes],
        "polygons": [[each.value(), each.label()] for each in layers["Polygons"].renderer().categories()],
    }


def batch(run, folder, *scenes):
    """What the dialog of a batch process says after it has mapped scenes, one row each, in the same run."""
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog

    algorithm = QgsApplication.processingRegistry().createAlgorithmById("terrasift:map")
    dialog = BatchAlgorithmDialog(algorithm, None)
    panel = dialog.mainWidget()
    panel.checkLoadLayersOnCompletion.setChecked(False)
    for row, scene in enumerate(scenes):
        if row:
            panel.addRow()
        for wrapper in filter(None, panel.wrappers[row]):
            value = {"RUN": run, "SCENE": scene}.get(wrapper.parameterDefinition().name())
            if value:
                wrapper.setParameterValue(value, _context())
        panel.tblParameters.cellWidget(row + 1, panel.parameter_to_column["MAP"]).setValue(f"{folder}/map {row}.tif")
    dialog.runAlgorithm()
    return [log.toPlainText() for log in dialog.findChildren(QTextEdit)][-1]


def cancel(told):
    """Seconds from Cancel to the end of an algorithm whose command would go on for long, and its results."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("terrasift:areas")
    feedback = QgsProcessingFeedback()
    asked = []

    def ask(progress):
        asked.append(time.monotonic())
        feedback.cancel()

    feedback.progressChanged.connect(ask, Qt.ConnectionType.DirectConnection)
    results, good = algorithm.run({"SAMPLE": told}, QgsProcessingContext(), feedback)
    return [time.monotonic() - asked[0], results, good]


def refused(run, *sources):
    """The line with which each layer that is no file is refused."""
    gdal.GetDriverByName("GTiff").Create("/vsimem/a.tif", 32, 32).FlushCache()
    lines = []
    for source in sources:
        provider, _, uri = source.partition(" ")
        layer = QgsRasterLayer(uri, "a layer", provider)
        QgsProject.instance().addMapLayer(layer)
        algorithm = QgsApplication.processingRegistry().createAlgorithmById("terrasift:map")
        feedback = _Errors()
        _, good = algorithm.run({"RUN": run, "SCENE": layer, "MAP": "/tmp/no.tif"}, _context(), feedback)
        assert not good
        lines.append(feedback.errors[0])
    return lines


def settings(chosen):
    """What the settings page answers to Test, and what it keeps."""
    from qgis.core import QgsSettings
    from terrasift.options import PageFactory

    page = PageFactory().createWidget(None)
    page.file.setFilePath(chosen)
    page.test()
    page.apply()
    return [page.answer.text(), QgsSettings().value("terrasift/executable")]


def untranslated():
    """Words of the algorithms that a translation would not reach."""
    shown = []
    for algorithm in QgsApplication.processingRegistry().providerById("terrasift").algorithms():
        shown += [algorithm.displayName(), algorithm.group(), algorithm.shortHelpString()]
        shown += [each.description() for each in algorithm.parameterDefinitions()]
        shown += [each.description() for each in algorithm.outputDefinitions()]
    return [words for words in shown if not words.startswith("«")]


class _Marks(QTranslator):
    def translate(self, context, text, disambiguation=None, n=-1):
        return f"«{text}»" if context == "@default" else ""


class _Errors(QgsProcessingFeedback):
    def __init__(self):
        super().__init__(False)
        self.errors = []

    def reportError(self, error, fatalError=False):  # noqa: N802
        self.errors.append(error)


def _context():
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return context


def _into_project(path):
    return QgsProcessingOutputLayerDefinition(path, QgsProject.instance())


def _run(name, layers, **parameters):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(name)
    context, feedback = _context(), QgsProcessingFeedback()
    results, good = algorithm.run(parameters, context, feedback)
    assert good, feedback.textLog()
    handleAlgorithmResults(algorithm, context, feedback)
    layers.update({layer.name(): layer for layer in QgsProject.instance().mapLayers().values()})
    return results


def main():
    application = QgsApplication([], True)
    application.initQgis()
    Processing.initialize()
    marks = _Marks()
    if sys.argv[1] == "untranslated":
        QCoreApplication.installTranslator(marks)
    from terrasift import classFactory

    plugin = classFactory(None)
    plugin.initProcessing()
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])), flush=True)
    os._exit(0)  # as the application ends, QGIS may crash over what Python has deleted before it


main()
