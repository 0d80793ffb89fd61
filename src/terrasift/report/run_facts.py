"""Facts about the clusters of a run, kept in its folder: the report is written again whenever the legend changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from terrasift.api import Run
from terrasift.clusters import ClusterFacts, Crop, gather_facts
from terrasift.files import whole
from terrasift.prediction import Predictor
from terrasift.raster import Window
from terrasift.report.kept_facts import facts_file, kept_arrays, weights_digest
from terrasift.report.run_scenes import draw_scenes

__all__ = ["facts_of"]

_MOST_WINDOWS = 96
_MOST_PIXELS = 3_000_000  # of them together: with the study's network, half a minute on two cores
_MOST_IN_CONTEXTS = 256
_ARRAYS = ("pixels", "means", "deviations", "prototypes", "adjacency")


def facts_of(
    run: Run,
    scenes: Sequence[str],
    predictor: Predictor | None = None,
) -> ClusterFacts | None:
    """What the clusters of the legend's classifier are like: kept from before, or gathered now.

    Parameters
    ----------
    run
        Finished.
    scenes
        The training images that are still there.
    predictor
        Of the run's network; None: the run's own.

    Returns
    -------
    ClusterFacts or None
        From up to 96 windows, of a few scenes where these are large; None where nothing is kept and no scene is there.
    """
    kept = _read(run)
    if kept is not None or not scenes:
        return kept
    facts = gather_facts(
        predictor or run.predictor,
        sorted(draw_scenes(scenes, run.recipe, _MOST_WINDOWS, _MOST_IN_CONTEXTS)),
        run.legend.classifier,
        most_windows=min(_MOST_WINDOWS, max(1, _MOST_PIXELS // run.recipe.patch**2)),
    )
    _write(facts_file(run), facts, weights_digest(run))
    return facts


def _write(path: Path, facts: ClusterFacts, digest: str) -> None:
    crops = [(cluster, crop) for cluster, several in enumerate(facts.crops) for crop in several]
    places = [(k, c.window.row, c.window.column, c.window.height, c.window.width) for k, c in crops]
    arrays: dict[str, Any] = {name: getattr(facts, name) for name in _ARRAYS}
    arrays["bands"] = np.array(facts.bands)
    arrays["crop_places"] = np.array(places, np.int64).reshape(-1, 5)
    arrays["crop_shares"] = np.array([crop.share for _, crop in crops], np.float64)
    arrays["crop_scenes"] = np.array([crop.scene for _, crop in crops], np.str_)
    with whole(path) as partial:
        np.savez_compressed(partial, weights=np.array(digest), **arrays)


def _read(run: Run) -> ClusterFacts | None:
    arrays = kept_arrays(run)
    if arrays is None:
        return None
    crops: list[list[Crop]] = [[] for _ in arrays["pixels"]]
    listed = zip(arrays["crop_places"].tolist(), arrays["crop_scenes"], arrays["crop_shares"].tolist(), strict=True)
    for (cluster, *place), scene, share in listed:
        crops[cluster].append(Crop(str(scene), Window(*place), share))
    return ClusterFacts(
        **{name: arrays[name] for name in _ARRAYS},
        crops=tuple(map(tuple, crops)),
        bands=tuple(map(str, arrays["bands"])),
    )
