# SPDX-License-Identifier: GPL-2.0-or-later
"""The provider: which algorithms there are, and what they write."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms import ALGORITHMS

__all__ = ["ICON", "Provider"]

ICON = str(Path(__file__).with_name("icon.svg"))


class Provider(QgsProcessingProvider):
    """terrasift's algorithms in the Processing toolbox, the model designer and qgis_process."""

    def loadAlgorithms(self) -> None:
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())

    def id(self) -> str:
        return "terrasift"

    def name(self) -> str:
        return "terrasift"

    def icon(self) -> QIcon:
        return QIcon(ICON)

    def svgIconPath(self) -> str:
        return ICON

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        return ["tif", "png"]

    def supportedOutputVectorLayerExtensions(self) -> list[str]:
        return ["gpkg", "geojson"]
