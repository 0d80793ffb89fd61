# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of the plugin in the language of QGIS."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication

__all__ = ["tr"]


def tr(text: str) -> str:
    """`text` in the language of QGIS; itself where there is no translation, i18n/terrasift_LANGUAGE.qm."""
    return QCoreApplication.translate("@default", text)  # the context that pylupdate gives to a function of this name
