# SPDX-License-Identifier: GPL-2.0-or-later
"""The settings page: which executable, whether it works, and how to get one."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsSettings
from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from .algorithm import EXECUTABLE_KEY
from .child import CommandError
from .executable import INSTALL, check_version, find_executable
from .provider import ICON
from .translate import tr

__all__ = ["Page", "PageFactory"]


class PageFactory(QgsOptionsWidgetFactory):
    """Adds the page to Settings > Options."""

    def __init__(self) -> None:
        super().__init__("terrasift", QIcon(ICON))
        self.setTitle("terrasift")

    def icon(self) -> QIcon:
        return QIcon(ICON)

    def createWidget(self, parent: QWidget) -> Any:
        return Page(parent)


class Page(QgsOptionsPageWidget):
    """One executable, a Test button, and the lines that install it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.file = QgsFileWidget(self)
        self.file.setFilePath(QgsSettings().value(EXECUTABLE_KEY, "", str))
        self.file.lineEdit().setPlaceholderText(tr("empty: search PATH and the usual places"))
        self.answer = QLabel(self)
        self.answer.setWordWrap(True)
        self.answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        test = QPushButton(tr("Test"), self)
        test.clicked.connect(self.test)
        install = QPlainTextEdit("\n".join(INSTALL), self)
        install.setReadOnly(True)
        install.setFixedHeight(4 * install.fontMetrics().lineSpacing())
        row = QHBoxLayout()
        row.addWidget(self.file)
        row.addWidget(test)
        column = QVBoxLayout(self)
        form = QFormLayout()
        column.addLayout(form)
        column.addStretch(1)
        form.addRow(tr("Executable"), row)
        form.addRow("", self.answer)
        form.addRow(tr("To install it, in a terminal"), install)

    def test(self) -> None:
        """Say which executable would run, and its version; or what is wrong."""
        try:
            found = find_executable(self.file.filePath().strip())
            self.answer.setText(tr("{}: terrasift {} works").format(found, check_version(found)))
        except CommandError as error:
            self.answer.setText(str(error))

    def apply(self) -> None:
        """Keep the choice."""
        QgsSettings().setValue(EXECUTABLE_KEY, self.file.filePath().strip())
