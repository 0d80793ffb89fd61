# SPDX-License-Identifier: GPL-2.0-or-later
"""terrasift in QGIS: a Processing provider that runs the command `terrasift`, which has its own Python."""

from __future__ import annotations

from typing import Any


def classFactory(iface: Any) -> Any:
    """The plugin, as QGIS asks for it; `iface` is None in qgis_process."""
    from .plugin import Plugin

    return Plugin(iface)
