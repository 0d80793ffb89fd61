"""Take docs/images/qgis-*.png from QGIS itself.

In a profile with the plugin, and a folder that has ortho/*.tif and a run `city` with named classes:

    FOLDER=... OUT=docs/images xvfb-run -s "-screen 0 1280x800x24" \
        qgis --nologo --profiles-path ... --code docs/figures/qgis.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import processing
from qgis.core import QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QAbstractItemView, QApplication, QDockWidget
from qgis.utils import iface
from terrasift.options import Page

FOLDER, OUT = Path(os.environ["FOLDER"]), Path(os.environ["OUT"])
SECONDS = 1000


def main() -> None:
    """Take one picture after the other, each when the one before is done."""
    window = iface.mainWindow()
    window.showNormal()
    window.resize(1280, 800)
    for dock in window.findChildren(QDockWidget):
        dock.setVisible(dock.objectName() in ("Layers", "ProcessingToolbox"))
    for path in sorted((FOLDER / "ortho").glob("*.tif")):
        QgsProject.instance().addMapLayer(QgsRasterLayer(str(path), path.stem))
    QTimer.singleShot(2 * SECONDS, settings)
    iface.showOptionsDialog(window, "terrasift")
    QTimer.singleShot(SECONDS, classify)


def settings() -> None:
    """The page in the options, after Test."""
    dialog = QApplication.activeModalWidget()
    page = dialog.findChild(Page)
    page.test()
    dialog.resize(900, 420)
    QTimer.singleShot(SECONDS, lambda: (save(dialog, "settings"), dialog.reject()))


def classify() -> None:
    """The dialog of an algorithm that runs."""
    layers = [layer for layer in QgsProject.instance().mapLayers().values() if isinstance(layer, QgsRasterLayer)]
    parameters = {"IMAGES": layers, "CLASSES": 5, "RUN": str(FOLDER / "new"), "SETTINGS": "steps=60\nwidth=8"}
    dialog = processing.createAlgorithmDialog("terrasift:classify", parameters)
    dialog.resize(900, 560)
    dialog.show()
    QTimer.singleShot(SECONDS, lambda: (save(dialog, "classify"), dialog.close(), named()))


def named() -> None:
    """A map with names in the project."""
    scene = str(sorted((FOLDER / "ortho").glob("*.tif"))[0])
    given: dict[str, Any] = {"RUN": str(FOLDER / "city"), "SCENE": scene, "MAP": "TEMPORARY_OUTPUT"}
    processing.runAndLoadResults("terrasift:map", given)
    toolbox = iface.mainWindow().findChild(QDockWidget, "ProcessingToolbox").algorithmTree
    toolbox.collapseAll()
    provider = toolbox.model().index(toolbox.model().rowCount() - 1, 0)
    toolbox.expandRecursively(provider)
    toolbox.scrollTo(provider, QAbstractItemView.ScrollHint.PositionAtTop)
    iface.mapCanvas().zoomToFullExtent()
    QTimer.singleShot(5 * SECONDS, lambda: (save(iface.mainWindow(), "map"), os._exit(0)))


def save(widget: Any, name: str) -> None:
    """One picture."""
    widget.grab().save(str(OUT / f"qgis-{name}.png"))


QTimer.singleShot(3 * SECONDS, main)
