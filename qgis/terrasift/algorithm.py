# SPDX-License-Identifier: GPL-2.0-or-later
"""What all algorithms share: parameters of QGIS become words of the command, its events progress, its files layers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from qgis.core import (
    NULL,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingMultiStepFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsSettings,
)
from qgis.PyQt.QtGui import QIcon

from .child import CancelledError, CommandError, run_command
from .executable import check_version, find_executable
from .sources import labels_file, raster_path

__all__ = ["EXECUTABLE_KEY", "Argument", "CommandAlgorithm", "Values"]

EXECUTABLE_KEY = "terrasift/executable"
"""Where QGIS keeps the executable that was chosen; empty: search."""


class Argument(NamedTuple):
    """A parameter of QGIS, and the option of the command it becomes.

    Attributes
    ----------
    parameter
        Of this algorithm alone: QGIS takes it.
    option
        Such as ``--min-area``; empty where an algorithm places the words itself.
    advanced
        Whether it is folded away.
    """

    parameter: QgsProcessingParameterDefinition
    option: str = ""
    advanced: bool = False


class CommandAlgorithm(QgsProcessingAlgorithm):
    """An algorithm that is one or more calls of the command.

    A subclass says what it is called, what it takes (`arguments`, `results`), and which calls it makes (`calls`).
    """

    NAME = ""
    TITLE = ""
    GROUP = ""
    HELP = ""

    def arguments(self) -> list[Argument]:
        """What it takes."""
        raise NotImplementedError

    def results(self) -> list[Any]:
        """Outputs beyond those of its destination parameters."""
        return []

    def calls(self, values: Values) -> list[list[str]]:
        """The calls, one after the other, as words after `terrasift`."""
        raise NotImplementedError

    def finished(self, values: Values, outcomes: list[Mapping[str, Any]]) -> dict[str, Any]:
        """Results beyond the destinations, from what the calls answered."""
        return {}

    def name(self) -> str:
        return self.NAME

    def displayName(self) -> str:
        return self.TITLE

    def group(self) -> str:
        return self.GROUP

    def groupId(self) -> str:
        return self.GROUP

    def shortHelpString(self) -> str:
        return self.HELP

    def helpUrl(self) -> str:
        return "https://github.com/terrasift/terrasift/blob/main/docs/qgis.md"

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return str(Path(__file__).with_name("icon.svg"))

    def createInstance(self) -> QgsProcessingAlgorithm:
        return type(self)()

    def initAlgorithm(self, configuration: Mapping[str, Any] | None = None) -> None:
        self.options = {}
        for parameter, option, advanced in self.arguments():
            self.options[parameter.name()] = option
            if advanced:
                parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
            self.addParameter(parameter)
        for result in self.results():
            self.addOutput(result)

    def canExecute(self) -> tuple[bool, str]:
        try:
            executable()
        except CommandError as error:
            return False, str(error)
        return True, ""

    def processAlgorithm(
        self, parameters: Mapping[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        values = Values(self, parameters, context, feedback)
        outcomes: list[Mapping[str, Any]] = []
        try:
            command = executable()
            feedback.pushDebugInfo(f"terrasift {check_version(command)}: {command}")
            calls = self.calls(values)
            steps = QgsProcessingMultiStepFeedback(len(calls), feedback)
            for step, words in enumerate(calls):
                steps.setCurrentStep(step)
                feedback.pushCommandInfo(" ".join(_quoted(word) for word in ("terrasift", *words)))
                outcomes.append(run_command([str(command), *words], _teller(steps), feedback.isCanceled))
        except CommandError as error:
            raise QgsProcessingException(str(error)) from error
        except CancelledError:
            return {}
        for name, value in outcomes[-1].get("facts", {}).items():
            if isinstance(value, (int, float, str)):
                feedback.pushInfo(f"{name}: {value}")
        if outcomes[-1].get("next"):
            feedback.pushInfo(f"next: {outcomes[-1]['next']}")
        return {**values.destinations(), **self.finished(values, outcomes)}


def executable() -> Path:
    """The executable that runs; CommandError if there is none."""
    return find_executable(QgsSettings().value(EXECUTABLE_KEY, "", str))


class Values:
    """The values of an algorithm's parameters, as words of the command."""

    def __init__(
        self,
        algorithm: CommandAlgorithm,
        parameters: Mapping[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> None:
        self._algorithm = algorithm
        self._parameters = dict(parameters)
        self.context = context
        self._feedback = feedback
        self._destinations: dict[str, str] = {}

    def layers(self, name: str) -> list[str]:
        """Paths of rasters, of one layer or of many, clipped to the parameter EXTENT where the algorithm has one."""
        definition = self._algorithm.parameterDefinition(name)
        if definition.type() == "raster":
            layers = [self._algorithm.parameterAsRasterLayer(self._parameters, name, self.context)]
        else:
            layers = self._algorithm.parameterAsLayerList(self._parameters, name, self.context)
        given = self._parameters.get(name)
        if None in layers or len(layers) < (len(given) if isinstance(given, list) else 1):  # QGIS leaves out the bad
            raise QgsProcessingException(self._algorithm.invalidRasterError(self._parameters, name))
        return [raster_path(layer, self._extent(layer)) for layer in layers]

    def _extent(self, layer: Any) -> Any:
        if self._algorithm.parameterDefinition("EXTENT") is None or not self._parameters.get("EXTENT"):
            return None
        return self._algorithm.parameterAsExtent(self._parameters, "EXTENT", self.context, layer.crs())

    def labels(self, name: str, field: str) -> str:
        """A vector layer as a file with the column ``class``, taken from the column that `field` chooses."""
        source = self._algorithm.parameterAsSource(self._parameters, name, self.context)
        if source is None:
            raise QgsProcessingException(self._algorithm.invalidSourceError(self._parameters, name))
        return labels_file(source, self.text(field), self.context, self._feedback)

    def text(self, name: str) -> str:
        """A string, a number, a choice, or the path of a file or folder."""
        definition = self._algorithm.parameterDefinition(name)
        kind = definition.type()
        if definition.isDestination():
            return self._destination(name, kind)
        if kind == "enum":
            return self._algorithm.parameterAsEnumString(self._parameters, name, self.context)
        if kind == "number":
            number = self._algorithm.parameterAsDouble(self._parameters, name, self.context)
            return f"{number:.15g}"
        return self._algorithm.parameterAsString(self._parameters, name, self.context).strip()

    def flag(self, name: str) -> bool:
        """Whether something is ticked."""
        return self._algorithm.parameterAsBoolean(self._parameters, name, self.context)

    def is_given(self, name: str) -> bool:
        """Whether a parameter has a value, its default or another."""
        definition = self._algorithm.parameterDefinition(name)
        value = self._parameters.get(name, definition.defaultValue())
        if isinstance(value, QgsProcessingOutputLayerDefinition):  # of a batch process, where nobody chose a file
            value = value.sink.valueAsString(self.context.expressionContext(), "")[0]
        return value not in (None, NULL, "", [])

    def options(self, *names: str) -> list[str]:
        """The options of the command for these parameters, as far as they are given."""
        words = []
        for name in names:
            option = self._algorithm.options[name]
            kind = self._algorithm.parameterDefinition(name).type()
            if kind == "boolean":
                words += [option] * self.flag(name)
            elif not self.is_given(name):
                continue
            elif kind in ("raster", "multilayer"):
                words += [word for path in self.layers(name) for word in (option, path)]
            elif kind == "string":
                words += [word for line in self.text(name).splitlines() if line for word in (option, line.strip())]
            else:
                words += [option, self.text(name)]
        return words

    def destinations(self) -> dict[str, str]:
        """Paths of what was to be written, by parameter."""
        return dict(self._destinations)

    def _destination(self, name: str, kind: str) -> str:
        if name not in self._destinations:
            ask = self._algorithm.parameterAsFileOutput
            if kind in ("rasterDestination", "vectorDestination"):
                ask = self._algorithm.parameterAsOutputLayer
            path = ask(self._parameters, name, self.context)
            self._destinations[name] = path
            self._dress(path)
        return self._destinations[name]

    def load(self, path: str, title: str, output: str) -> None:
        """Let QGIS load a file that lies beside a destination."""
        details = QgsProcessingContext.LayerDetails(title, self.context.project(), output)
        self.context.addLayerToLoadOnCompletion(path, details)
        self._dress(path)

    def _dress(self, path: str) -> None:
        if self.context.willLoadLayerOnCompletion(path):
            self.context.layerToLoadOnCompletionDetails(path).setPostProcessor(_StyleBeside.new())


class _StyleBeside(QgsProcessingLayerPostProcessorInterface):
    """Processing loads layers bare: this gives them the style (.qml) that the command has written beside them."""

    _alive: ClassVar[list[Any]] = []

    @classmethod
    def new(cls) -> _StyleBeside:
        """One for one layer: the context deletes it, but does not keep the Python half of it alive."""
        cls._alive.append(cls())
        return cls._alive[-1]

    def postProcessLayer(self, layer: Any, context: Any, feedback: Any) -> None:
        layer.loadDefaultStyle()
        layer.triggerRepaint()


def _teller(feedback: Any) -> Any:
    """Passes events of the command on to QGIS: progress of the stage that runs, and the log."""
    stage = ""

    def tell(event: Mapping[str, Any]) -> None:
        nonlocal stage
        message = str(event.get("message", ""))
        if event["event"] == "progress":
            if stage != event["stage"]:
                stage = event["stage"]
                feedback.setProgressText(stage)  # each is a line of the log: not at every step
            feedback.setProgress(100 * event["done"] / max(1, event["total"]))
        elif event.get("level") == "warning":
            feedback.pushWarning(message)
        elif event["event"] == "log":
            feedback.pushInfo(message)
        else:
            feedback.pushConsoleInfo(message)

    return tell


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word or not word else word
