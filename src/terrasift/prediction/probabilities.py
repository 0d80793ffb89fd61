"""How likely each class of a legend is at each pixel of a scene."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.legend import Legend
from terrasift.prediction.deciding import decided_logits
from terrasift.prediction.options import Wanted
from terrasift.prediction.own_grid import on_own_grid
from terrasift.prediction.predictor import Predictor
from terrasift.prediction.windows import ClusterWindow
from terrasift.progress import progress_bar
from terrasift.raster import Raster, Source, Window, write_probabilities

__all__ = ["predict_probabilities"]


def predict_probabilities(predictor: Predictor, legend: Legend, scene: Source, out: str | os.PathLike[str]) -> Path:
    """Write how likely each class is: a raster with a band for each, per cent.

    A class is as likely as its clusters are together, by the softmax over all of them; where some belong to no class, a
    pixel's bands add up to less than 100.

    Parameters
    ----------
    predictor
        Gives the clusters that the classes hold.
    legend
        The classes.
    scene
        Any path GDAL opens, or an image without a file.
    out
        ``.tif``.

    Raises
    ------
    InputError
        If the scene does not fit the network, or `out` cannot be written.
    """
    mapping = legend.mapping(predictor.clusters)
    held = torch.zeros(predictor.clusters, len(legend.classes))
    held[np.flatnonzero(mapping >= 0), mapping[mapping >= 0]] = 1.0
    segment = functools.partial(_shares, predictor, held)
    with Raster(scene) as raster:
        info = raster.info
        wanted = Wanted(classifier=legend.classifier)
        name = f"{Path(raster.path).name}: probabilities"

        def windows() -> Iterator[tuple[Window, NDArray[np.float32], NDArray[np.bool_]]]:
            with progress_bar(name, info.height * info.width) as advance:
                for part in on_own_grid(segment, predictor.reader.recipe, raster, wanted):
                    yield part.window, np.stack(part.confidence), part.valid
                    advance(by=part.window.height * part.window.width)

        return write_probabilities(out, info, legend.names, windows())


def _shares(predictor: Predictor, held: torch.Tensor, raster: Raster, wanted: Wanted) -> Iterator[ClusterWindow]:
    """Windows with the probabilities of the classes where others have confidences."""
    for network, batch in predictor.meetings(raster, wanted):
        with torch.inference_mode():
            found = [_shares_of(logits, held) for (logits,) in decided_logits(network, batch)]
        for planes, view, valid in zip(found, batch.views, batch.valid, strict=True):
            yield ClusterWindow(view.write, (), valid[view.core], tuple(planes))


def _shares_of(logits: torch.Tensor, held: torch.Tensor) -> NDArray[np.float32]:
    """Logits (1, K, H, W), and which clusters a class holds, (K, C): how likely classes are, (C, H, W)."""
    likely = logits[0].float().softmax(dim=0)
    shares: NDArray[np.float32] = torch.einsum("khw,kc->chw", likely, held.to(likely.device)).cpu().numpy()
    return shares
