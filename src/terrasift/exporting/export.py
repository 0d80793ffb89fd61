"""The way from a run to a file that has been tried."""

from __future__ import annotations

import copy
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from terrasift.errors import RunError, SettingError
from terrasift.exporting.comparison import Comparison, Outputs, compare, random_images
from terrasift.exporting.deepness import DeepnessFormat
from terrasift.exporting.formats import Format, OnnxFormat, Program, TorchFormat, smallest_side
from terrasift.exporting.networks import RawNetwork
from terrasift.files import whole
from terrasift.legend import Legend
from terrasift.network import Network
from terrasift.prediction import Predictor
from terrasift.progress import progress_bar
from terrasift.raster import Raster, RasterInfo, ground_sampling
from terrasift.run import RunFolder

__all__ = ["export_run"]


def export_run(
    run: RunFolder,
    predictor: Predictor,
    out: str | os.PathLike[str],
    scene: str | os.PathLike[str] | None = None,
    program: Program | None = None,
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
        see each input alone, and a scene gives no more than the names of its bands and the size of its pixels.
    program
        What will execute it; None: ``torch`` for ``.pt2``, else ``onnx``.

    Returns
    -------
    Comparison
        How the file did beside the run.

    Raises
    ------
    SettingError
        If a scene is needed and none is given, if `out` has another suffix than the program's, if a package is missing,
        or if the program cannot do with this run.
    InputError
        If the scene does not fit the network.
    RunError
        If the file does not give what the run gives.
    """
    out = Path(out)
    kind = _format(out, program)
    kind.check(predictor.reader.scaling)
    legend = run.legend
    with progress_bar(out.name, total=4) as advance, whole(out) as partial:
        network, info = _in_context(predictor, scene)
        raw = RawNetwork(network, predictor.reader.scaling, legend, predictor.clusters)
        made = kind(raw, _metadata(predictor, legend, network.alignment, info))
        advance("tracing")
        traced = made.trace()
        advance("writing")
        made.write(traced, partial)
        advance("comparing")
        comparison = _compared(made, partial, predictor)
        advance()
        if not comparison.is_close:
            raise RunError(run.path, f"is not itself as {out.suffix}: {comparison}", "predict with the run")
    return comparison


_FORMATS: dict[Program, type[Format]] = {"onnx": OnnxFormat, "torch": TorchFormat, "deepness": DeepnessFormat}


def _format(out: Path, program: Program | None) -> type[Format]:
    """What is to be written; SettingError where it cannot be."""
    suffix = out.suffix.lower()
    kind = _FORMATS[program or ("torch" if suffix == TorchFormat.suffix else "onnx")]
    if program is not None and suffix != kind.suffix:
        raise SettingError("out", f"{out} is no {kind.suffix}, which {program} reads", "name it so")
    if suffix != kind.suffix:
        raise SettingError("out", f"{out} is neither .onnx nor .pt2", "name it so")
    if not out.parent.is_dir():
        raise SettingError("out", f"there is no folder {out.parent}", "make it first")
    if out.is_dir():
        raise SettingError("out", f"{out} is a folder", "name a file")
    return kind


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
        "ground_sampling": ground_sampling(info) if info else None,
        "dtype": scaling.dtype,
        "low": scaling.low,
        "high": scaling.high,
        "classifier": legend.classifier,
        "classes": [{"name": entry.name, "color": entry.color, "clusters": entry.clusters} for entry in legend.classes],
        "nodata": legend.nodata,
        "window": recipe.predict.window,
        "margin": predictor.margin,
        "alignment": alignment,
        "smallest_side": smallest_side(alignment),
    }


def _compared(made: Format, path: Path, predictor: Predictor) -> Comparison:
    """What the file gives beside the run's network, on random values scaled by the run's own arithmetic."""
    reader, network = predictor.reader, made.raw.network
    found: list[Outputs] = []
    expected: list[Outputs] = []
    for values, valid in random_images(reader.scaling, made.sizes):
        known = valid if made.may_be_invalid else np.ones_like(valid)
        images = torch.cat([reader.tensor(*part) for part in zip(values, known, strict=True)]).cpu()
        with torch.no_grad():
            logits = [each.numpy() for each in network(images)]
        expected.append(made.expect(logits, known))
        found.append(made.execute(path, values, known))
    return compare(found, expected, len(reader.scaling.low))
