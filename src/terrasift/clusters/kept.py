"""Facts about clusters as arrays, which a run keeps, so that whatever shows them again need not look at imagery."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.clusters.facts import ClusterFacts, Crop
from terrasift.raster import Window

__all__ = ["arrays_of_facts", "facts_of_arrays"]

_ARRAYS = ("pixels", "means", "deviations", "prototypes", "adjacency")


def arrays_of_facts(facts: ClusterFacts) -> dict[str, NDArray[Any]]:
    """Everything but the embedding, which is kept with the discovery."""
    crops = [(cluster, crop) for cluster, several in enumerate(facts.crops) for crop in several]
    places = [(k, c.window.row, c.window.column, c.window.height, c.window.width) for k, c in crops]
    arrays: dict[str, NDArray[Any]] = {name: getattr(facts, name) for name in _ARRAYS}
    arrays["bands"] = np.array(facts.bands)
    arrays["crop_places"] = np.array(places, np.int64).reshape(-1, 5)
    arrays["crop_shares"] = np.array([crop.share for _, crop in crops], np.float64)
    arrays["crop_scenes"] = np.array([crop.scene for _, crop in crops], np.str_)
    return arrays


def facts_of_arrays(arrays: dict[str, NDArray[Any]]) -> ClusterFacts:
    """The inverse of `arrays_of_facts`."""
    crops: list[list[Crop]] = [[] for _ in arrays["pixels"]]
    listed = zip(arrays["crop_places"].tolist(), arrays["crop_scenes"], arrays["crop_shares"].tolist(), strict=True)
    for (cluster, *place), scene, share in listed:
        crops[cluster].append(Crop(str(scene), Window(*place), share))
    return ClusterFacts(
        **{name: arrays[name] for name in _ARRAYS},
        crops=tuple(map(tuple, crops)),
        bands=tuple(map(str, arrays["bands"])),
    )
