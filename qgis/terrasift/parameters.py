# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameters that several algorithms have, described once."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)

from .algorithm import Argument
from .translate import tr

__all__ = [
    "choice",
    "extent",
    "file",
    "folder_out",
    "lines",
    "number",
    "raster",
    "rasters",
    "run",
    "run_out",
    "scene_map",
    "settings",
    "tick",
    "vector_out",
]


def rasters(name: str, label: str, option: str = "", *, optional: bool = False, advanced: bool = False) -> Argument:
    """Layers or files."""
    kind = QgsProcessing.SourceType.TypeRaster
    return Argument(QgsProcessingParameterMultipleLayers(name, label, kind, optional=optional), option, advanced)


def raster(name: str, label: str, option: str = "", *, optional: bool = False, advanced: bool = False) -> Argument:
    """A layer or a file."""
    return Argument(QgsProcessingParameterRasterLayer(name, label, optional=optional), option, advanced)


def extent() -> Argument:
    """Clips every raster of the algorithm."""
    parameter = QgsProcessingParameterExtent("EXTENT", tr("Only within this extent"), optional=True)
    return Argument(parameter, advanced=True)


def run() -> Argument:
    """A trained run."""
    return file("RUN", tr("Run (the folder of a trained network)"), is_folder=True)


def run_out() -> Argument:
    """Where a run goes."""
    return folder_out("RUN", tr("Run (the folder of the trained network)"))


def scene_map() -> Argument:
    """Where a map goes."""
    return Argument(QgsProcessingParameterRasterDestination("MAP", tr("Class map")), "--out")


def folder_out(name: str, label: str) -> Argument:
    """Where a folder goes."""
    return Argument(QgsProcessingParameterFolderDestination(name, label), "--out")


def vector_out(name: str, label: str, option: str) -> Argument:
    """Where polygons or points go, if they are wanted."""
    parameter = QgsProcessingParameterVectorDestination(name, label, optional=True, createByDefault=False)
    return Argument(parameter, option)


def file(
    name: str, label: str, option: str = "", *, is_folder: bool = False, optional: bool = False, advanced: bool = False
) -> Argument:
    """A file or a folder that is there."""
    behavior = QgsProcessingParameterFile.Behavior.Folder if is_folder else QgsProcessingParameterFile.Behavior.File
    return Argument(QgsProcessingParameterFile(name, label, behavior, optional=optional), option, advanced)


def number(
    name: str,
    label: str,
    option: str,
    default: float | None,
    *,
    minimum: float = 0,
    whole: bool = True,
    advanced: bool = False,
) -> Argument:
    """A number; without a default it may be left out."""
    kind = QgsProcessingParameterNumber.Type.Integer if whole else QgsProcessingParameterNumber.Type.Double
    optional = default is None
    parameter = QgsProcessingParameterNumber(name, label, kind, default, optional=optional, minValue=minimum)
    return Argument(parameter, option, advanced)


def choice(name: str, label: str, option: str, words: list[str], *, advanced: bool = False) -> Argument:
    """One of a few words of the command, the first by default."""
    parameter: Any = QgsProcessingParameterEnum(
        name, label, words, allowMultiple=False, defaultValue=words[0], usesStaticStrings=True
    )
    return Argument(parameter, option, advanced)


def tick(name: str, label: str, option: str, *, advanced: bool = False) -> Argument:
    """Something that is off unless it is ticked."""
    return Argument(QgsProcessingParameterBoolean(name, label, defaultValue=False), option, advanced)


def lines(name: str, label: str, option: str, *, several: bool = True, advanced: bool = True) -> Argument:
    """Words for an option, one on each line where it may be given several times."""
    parameter = QgsProcessingParameterString(name, label, multiLine=several, optional=True)
    return Argument(parameter, option, advanced)


def settings() -> Argument:
    """Keys of the recipe."""
    return lines("SETTINGS", tr("Keys of the recipe, one KEY=VALUE on each line"), "--set")
