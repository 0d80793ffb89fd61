"""A run as one file that other programs execute: ONNX, or PyTorch's own exported program (docs/export.md).

The file takes band values as they are in an image and gives logits and class indices: scaling, network, the context of
a scene and the legend are all inside. It is executed on random values before it gets its name, and compared with the
run.
"""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from terrasift.errors import RunError, SettingError, check_installed
from terrasift.files import whole
from terrasift.legend import Legend
from terrasift.network import Network
from terrasift.prediction import Predictor, TensorReader
from terrasift.progress import progress_bar
from terrasift.raster import Raster, RasterInfo
from terrasift.recipe import Scaling
from terrasift.run import RunFolder

__all__ = ["METADATA", "Comparison", "RawNetwork", "export_run"]

METADATA = "terrasift"
"""The name, in the file, of the JSON text that says what goes in and what comes out."""


class Comparison(NamedTuple):
    """An exported network beside the run it came from, on random band values."""

    shapes: tuple[tuple[int, ...], ...]
    """(N, B, H, W) of each input."""
    difference: float
    """The largest between two logits, as a share of the largest logit."""
    agreement: float
    """The share of pixels with equal labels, in [0, 1]."""

    @property
    def is_close(self) -> bool:
        """Whether both are the same but for rounding."""
        return self.difference <= _LARGEST_DIFFERENCE and self.agreement >= _LEAST_AGREEMENT  # not-a-number is not

    def __str__(self) -> str:
        shapes = ", ".join(" x ".join(map(str, shape)) for shape in self.shapes)
        return (
            f"on random values ({shapes}) logits differ by at most {self.difference:.1e} of the largest,"
            f" and {self.agreement:.2%} of labels are equal"
        )


def export_run(
    run: RunFolder,
    predictor: Predictor,
    out: str | os.PathLike[str],
    scene: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Write a run as one file that needs neither the run nor terrasift, once it agrees with the run.

    Parameters
    ----------
    run
        Finished.
    predictor
        Of the run.
    out
        ``.onnx``, or ``.pt2`` for `torch.export.load`.
    scene
        What the network's global operations are frozen at. Needed with ``predict.context: scene``; with ``patch`` they
        see each input alone, and a scene gives no more than the names of its bands.

    Returns
    -------
    Comparison
        How the file did beside the run.

    Raises
    ------
    SettingError
        If a scene is needed and none is given, if `out` has another suffix, or if a package is missing.
    InputError
        If the scene does not fit the network.
    RunError
        If the file does not give what the run gives.
    """
    out = Path(out)
    write, read = _format(out)
    legend = run.legend
    with progress_bar(out.name, total=4) as advance, whole(out) as partial:
        network, info = _in_context(predictor, scene)
        raw = RawNetwork(network, predictor.reader.scaling, legend.table(predictor.clusters), legend)
        metadata = json.dumps(_metadata(predictor, legend, network.alignment, info), ensure_ascii=False)
        advance("tracing")
        program = _trace(raw)
        advance("writing")
        write(program, partial, len(network.classifiers), metadata)
        advance("comparing")
        comparison = _compare(read(partial), raw, predictor.reader)
        advance()
        if not comparison.is_close:
            raise RunError(run.path, f"is not itself as {out.suffix}: {comparison}", "predict with the run")
    return comparison


class RawNetwork(nn.Module):
    """A network between band values and class indices.

    Parameters
    ----------
    network
        In evaluation mode.
    scaling
        Turns band values into [0, 1].
    table
        Class of each cluster, (K,).
    legend
        Says whose clusters the classes hold, and the type and nodata of class indices.
    """

    low: Tensor
    scale: Tensor
    high: Tensor
    fill: Tensor
    table: Tensor

    def __init__(self, network: Network, scaling: Scaling, table: NDArray[np.int64], legend: Legend) -> None:
        super().__init__()
        self.network = network
        self.classifier = legend.classifier
        self.nodata = legend.nodata
        self._dtype = torch.uint8 if legend.dtype == np.uint8 else torch.uint16
        low, high = np.array(scaling.low), np.array(scaling.high)
        scale = np.divide(1.0, high - low, out=np.zeros_like(low), where=high > low)
        for name, values in (("low", low), ("high", high), ("scale", scale), ("fill", np.array(scaling.fill))):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32)[:, None, None])
        self.register_buffer("table", torch.from_numpy(table))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Logits of each classifier, and class indices.

        Parameters
        ----------
        image
            (N, B, H, W), float32: band values. A pixel where a band is NaN or infinite holds no data.

        Returns
        -------
        tuple of Tensor
            (N, K, H, W), float32, for each classifier; then (N, H, W), uint8 (uint16 with more than 255 classes).
        """
        valid = image.isfinite().all(dim=1, keepdim=True)
        inside = torch.minimum(torch.maximum(image, self.low), self.high)
        scaled = torch.where(valid, ((inside - self.low) * self.scale).clamp(0.0, 1.0), self.fill)
        logits = self.network(scaled)
        classes = self.table[logits[self.classifier - 1].argmax(dim=1)]
        return (*logits, torch.where(valid[:, 0], classes, self.nodata).to(self._dtype))


def _in_context(predictor: Predictor, scene: str | os.PathLike[str] | None) -> tuple[Network, RasterInfo | None]:
    """The network on the CPU, with a scene's context where it is to be frozen; what the scene is."""
    recipe = predictor.reader.recipe
    if scene is not None:
        with Raster(scene, recipe.resolution) as raster:
            return copy.deepcopy(predictor.network_of(raster)).cpu(), raster.info
    if recipe.predict.context == "scene":
        raise SettingError(
            "scene",
            "is missing: the network's global operations are frozen at what they find in a scene",
            "name one, or let them see each window alone: `predict.context=patch`",
        )
    return copy.deepcopy(predictor.network).cpu(), None


def _trace(module: RawNetwork) -> ExportedProgram:
    """The computation with free N, H and W. A batch of one, or equal sides, would be taken for fixed."""
    side = _smallest_side(module.network.alignment)
    example = torch.zeros(2, len(module.low), 36, 52)
    free = {0: Dim("batch"), 2: Dim("height", min=side), 3: Dim("width", min=side)}
    with torch.no_grad(), _quiet():
        return torch.export.export(module.eval(), (example,), dynamic_shapes=(free,))


def _metadata(predictor: Predictor, legend: Legend, alignment: int, info: RasterInfo | None) -> dict[str, Any]:
    recipe, scaling = predictor.reader.recipe, predictor.reader.scaling
    return {
        "terrasift": version("terrasift"),
        "extractor": recipe.extractor,
        "context": recipe.predict.context,
        "scene": Path(info.path).name if info else None,
        "bands": recipe.bands or list(range(1, len(scaling.low) + 1)),
        "band_names": [info.descriptions[number - 1] for number in info.band_numbers(recipe.bands)] if info else None,
        "resolution": recipe.resolution,
        "dtype": scaling.dtype,
        "low": scaling.low,
        "high": scaling.high,
        "classifier": legend.classifier,
        "classes": [{"name": entry.name, "color": entry.color, "clusters": entry.clusters} for entry in legend.classes],
        "nodata": legend.nodata,
        "window": recipe.predict.window,
        "margin": predictor.margin,
        "alignment": alignment,
        "smallest_side": _smallest_side(alignment),
    }


def _smallest_side(alignment: int) -> int:
    """Rows and columns of the smallest input: after all pooling there is more than one pixel."""
    return 2 * alignment


_Write = Callable[[ExportedProgram, Path, int, str], None]
_Execute = Callable[[NDArray[np.float32]], list[NDArray[Any]]]


def _write_program(program: ExportedProgram, path: Path, classifiers: int, metadata: str) -> None:
    torch.export.save(program, path, extra_files={f"{METADATA}.json": metadata})


def _read_program(path: Path) -> _Execute:
    with _quiet():
        module = torch.export.load(path).module()

    def execute(images: NDArray[np.float32]) -> list[NDArray[Any]]:
        with torch.no_grad():
            return [output.numpy() for output in module(torch.from_numpy(images))]

    return execute


def _write_onnx(program: ExportedProgram, path: Path, classifiers: int, metadata: str) -> None:
    outputs = [*(f"logits_{number}" for number in range(1, classifiers + 1)), "labels"]
    axes = {"image": {0: "batch", 2: "height", 3: "width"}}
    with _quiet():
        written = torch.onnx.export(
            program, input_names=["image"], output_names=outputs, dynamic_shapes=axes, dynamo=True, verbose=False
        )
    assert written is not None
    written.model.metadata_props[METADATA] = metadata
    written.save(path)


def _read_onnx(path: Path) -> _Execute:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: list(session.run(None, {"image": images}))


def _format(path: Path) -> tuple[_Write, Callable[[Path], _Execute]]:
    """How a file is written and read; SettingError where it cannot be."""
    suffix = path.suffix.lower()
    if suffix not in (".onnx", ".pt2"):
        raise SettingError("out", f"{path} is neither .onnx nor .pt2", "name it so")
    if not path.parent.is_dir():
        raise SettingError("out", f"there is no folder {path.parent}", "make it first")
    if path.is_dir():
        raise SettingError("out", f"{path} is a folder", "name a file")
    if suffix == ".pt2":
        return _write_program, _read_program
    check_installed("out", "export", "onnx", "onnxscript", "onnxruntime")
    return _write_onnx, _read_onnx


_SIZES = ((2, 64, 96), (1, 97, 51))  # N, H, W: even and odd, neither what was traced
_INVALID = 0.02  # the share of pixels without data
_LARGEST_DIFFERENCE = 1e-3  # sums in another order make some 1e-6, a wrong operation far more
_LEAST_AGREEMENT = 0.999  # two clusters can be as likely to the last digit


def _compare(execute: _Execute, raw: RawNetwork, reader: TensorReader) -> Comparison:
    """What the file gives beside the run's network, on random values scaled by the run's own arithmetic."""
    generator = np.random.default_rng(0)
    differences, equal, shapes = [], [], []
    for count, height, width in _SIZES:
        values = _random_values(generator, (count, height, width), reader.scaling)
        valid = generator.random((count, height, width)) >= _INVALID
        images = torch.cat([reader.tensor(*part) for part in zip(values, valid, strict=True)]).cpu()
        with torch.no_grad():
            expected = [logits.numpy() for logits in raw.network(images)]
        classes = np.where(valid, raw.table.numpy()[expected[raw.classifier - 1].argmax(axis=1)], raw.nodata)
        given = np.where(valid[..., None], values.astype(np.float32), np.float32(np.nan))
        *found, labels = execute(np.ascontiguousarray(np.moveaxis(given, 3, 1)))
        for ours, theirs in zip(expected, found, strict=True):
            largest = max(np.abs(ours).max(), np.finfo(np.float32).tiny)
            differences.append(np.abs(ours - theirs).max() / largest)
        equal.append((labels == classes).ravel())
        shapes.append((count, values.shape[3], height, width))
    return Comparison(tuple(shapes), float(np.max(differences)), float(np.concatenate(equal).mean()))


def _random_values(generator: np.random.Generator, shape: tuple[int, ...], scaling: Scaling) -> NDArray[Any]:
    """(N, H, W, bands), in the dtype of the run's images: from a little below `low` to a little above `high`."""
    low, high = np.array(scaling.low), np.array(scaling.high)
    values = low + generator.uniform(-0.1, 1.1, (*shape, len(low))) * (high - low)
    dtype = np.dtype(scaling.dtype)
    if dtype.kind in "iu":
        values = np.clip(values.round(), np.iinfo(dtype).min, np.iinfo(dtype).max)
    typed: NDArray[Any] = values.astype(dtype)
    return typed


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
