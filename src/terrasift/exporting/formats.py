"""The kinds of file that a run is written as: what goes in and out, how it is written, how it is executed."""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.export import Dim, ExportedProgram

from terrasift.errors import check_installed
from terrasift.exporting.comparison import Outputs
from terrasift.exporting.networks import RawNetwork
from terrasift.recipe import Scaling

__all__ = ["METADATA", "Format", "OnnxFormat", "Program", "TorchFormat", "smallest_side", "traced"]

Program: TypeAlias = Literal["onnx", "torch", "deepness"]
"""What will execute the file: onnxruntime or another runtime of ONNX, PyTorch, or the plugin Deepness of QGIS."""

METADATA = "terrasift"
"""The name, in the file, of the JSON text that says what goes in and what comes out."""


class Format(ABC):
    """A kind of file, for one network.

    Parameters
    ----------
    raw
        The network, in evaluation mode on the CPU.
    metadata
        What the file says of itself, ready for JSON.

    Attributes
    ----------
    suffix
        Of the file's name.
    packages
        What has to be installed to write it.
    sizes
        N, H and W of the random images that it is tried with.
    may_be_invalid
        Whether a pixel can be given as one that holds no data.
    """

    suffix: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()
    sizes: tuple[tuple[int, int, int], ...] = ((2, 64, 96), (1, 97, 51))  # even and odd, neither what was traced
    may_be_invalid: ClassVar[bool] = True

    def __init__(self, raw: RawNetwork, metadata: dict[str, Any]) -> None:
        self.raw = raw
        self.metadata = metadata

    @classmethod
    def check(cls, scaling: Scaling) -> None:
        """Raise SettingError where a package is missing, or where the program takes no values of the run's kind."""
        check_installed("out", "export", *cls.packages)

    @abstractmethod
    def trace(self) -> ExportedProgram:
        """The computation."""

    @abstractmethod
    def write(self, program: ExportedProgram, path: Path) -> None:
        """Write it."""

    @abstractmethod
    def execute(self, path: Path, values: NDArray[Any], valid: NDArray[np.bool_]) -> Outputs:
        """What the file says of images: band values (N, H, W, bands) and validity (N, H, W)."""

    def expect(self, logits: list[NDArray[np.float32]], valid: NDArray[np.bool_]) -> Outputs:
        """What it should say, going by the logits (N, K, H, W) of the run's own network, for each classifier."""
        classes = self.raw.table.numpy()[logits[self.raw.classifier - 1].argmax(axis=1)]
        return Outputs(logits, np.where(valid, classes, self.raw.nodata))

    @property
    def document(self) -> str:
        """The metadata as JSON."""
        return json.dumps(self.metadata, ensure_ascii=False)


class _AnySize(Format):
    """Images of any number and size, band values in; logits and class indices out."""

    def trace(self) -> ExportedProgram:
        """With free N, H and W. A batch of one, or equal sides, would be taken for fixed."""
        side = smallest_side(self.raw.network.alignment)
        example = torch.zeros(2, len(self.raw.low), 36, 52)
        return traced(self.raw, example, {0: Dim("batch"), 2: Dim("height", min=side), 3: Dim("width", min=side)})

    def execute(self, path: Path, values: NDArray[Any], valid: NDArray[np.bool_]) -> Outputs:
        """Pixels without data are given as NaN."""
        given = np.where(valid[..., None], values.astype(np.float32), np.float32(np.nan))
        *logits, labels = self._outputs(path, np.ascontiguousarray(np.moveaxis(given, 3, 1)))
        return Outputs(logits, labels)

    @abstractmethod
    def _outputs(self, path: Path, images: NDArray[np.float32]) -> list[NDArray[Any]]: ...


class TorchFormat(_AnySize):
    """An exported program of PyTorch, which needs PyTorch and nothing of this package."""

    suffix = ".pt2"

    def write(self, program: ExportedProgram, path: Path) -> None:
        """With the metadata as an extra file."""
        torch.export.save(program, path, extra_files={f"{METADATA}.json": self.document})

    def _outputs(self, path: Path, images: NDArray[np.float32]) -> list[NDArray[Any]]:
        with _quiet():
            module = torch.export.load(path).module()
        with torch.no_grad():
            return [output.numpy() for output in module(torch.from_numpy(images))]


class OnnxFormat(_AnySize):
    """ONNX, for every runtime that there is of it."""

    suffix = ".onnx"
    packages = ("onnx", "onnxscript", "onnxruntime")

    def write(self, program: ExportedProgram, path: Path) -> None:
        """With the metadata as a property of the model."""
        outputs = [*(f"logits_{number}" for number in range(1, len(self.raw.network.classifiers) + 1)), "labels"]
        axes = {"image": {0: "batch", 2: "height", 3: "width"}}
        write_onnx(program, path, outputs, {METADATA: self.document}, axes)

    def _outputs(self, path: Path, images: NDArray[np.float32]) -> list[NDArray[Any]]:
        return execute_onnx(path, images)


def smallest_side(alignment: int) -> int:
    """Rows and columns of the smallest input: after all pooling there is more than one pixel."""
    return 2 * alignment


def traced(module: nn.Module, example: torch.Tensor, free: dict[int, Dim] | None = None) -> ExportedProgram:
    """The computation of a module, with the dimensions named free."""
    with torch.no_grad(), _quiet():
        return torch.export.export(module.eval(), (example,), dynamic_shapes=(free,) if free else None)


def write_onnx(
    program: ExportedProgram,
    path: Path,
    outputs: list[str],
    properties: dict[str, str],
    axes: dict[str, dict[int, str]] | None = None,
) -> None:
    """Write a program whose input is ``image``, with metadata properties."""
    with _quiet():
        written = torch.onnx.export(
            program, input_names=["image"], output_names=outputs, dynamic_shapes=axes, dynamo=True, verbose=False
        )
    assert written is not None
    written.model.metadata_props.update(properties)
    written.save(path)


def execute_onnx(path: Path, images: NDArray[np.float32]) -> list[NDArray[Any]]:
    """What a file of `write_onnx` gives for (N, B, H, W)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return list(session.run(None, {"image": images}))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what PyTorch's exporters say of their own insides."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # that torchvision is absent
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning)
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            yield
    finally:
        logger.setLevel(level)
