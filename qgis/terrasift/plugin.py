# SPDX-License-Identifier: GPL-2.0-or-later
"""What QGIS loads: the provider, the settings page, and the translation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

__all__ = ["Plugin"]


class Plugin:
    """Adds terrasift to QGIS, and takes it away again."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self._provider: Any = None
        self._page: Any = None
        self._translator = QTranslator()
        name = f"terrasift_{QgsApplication.instance().locale()}"
        if self._translator.load(name, str(Path(__file__).with_name("i18n"))):
            QCoreApplication.installTranslator(self._translator)

    def initProcessing(self) -> None:
        """Add the algorithms; all that qgis_process asks for."""
        from .provider import Provider

        self._provider = Provider()
        QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:
        """Add the algorithms and the settings page."""
        from .options import PageFactory

        self.initProcessing()
        self._page = PageFactory()
        self._iface.registerOptionsWidgetFactory(self._page)

    def unload(self) -> None:
        """Take all of it away."""
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
        if self._page is not None:
            self._iface.unregisterOptionsWidgetFactory(self._page)
        QCoreApplication.removeTranslator(self._translator)
