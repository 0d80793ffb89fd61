"""What is wanted: of a map, by whoever asks for one; of a segmenter, by whoever writes the map."""

from __future__ import annotations

import os
from collections.abc import Container
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrasift.raster import Window

__all__ = ["MapOptions", "Wanted"]


@dataclass(frozen=True)
class MapOptions:
    """What is written for a scene, and how.

    Attributes
    ----------
    clusters
        Write the network's own clusters instead of the legend's classes.
    confidence
        Write ``map.confidence.tif`` beside ``map.tif`` too: how likely the class is that the map shows, in per cent,
        uint8, 255 where the map has none. A class is as likely as its clusters are together, by the softmax over all.
    vector
        Write the map's regions as polygons too: a GeoPackage (``.gpkg``) or GeoJSON (``.geojson``).
    min_area
        Regions smaller than this, in square metres (pixels where the scene has no CRS), go to the largest beside them;
        the whole map is held in memory then.
    resume
        Go on where the same prediction was killed or interrupted; the map is the same, byte for byte, as if it had
        never been. A map that is whole is left as it is, provided that the run, the scene, the legend and the settings
        of `predict` are still those it was made with.
    probabilities
        Write how likely each class is too, to this GeoTIFF (``.tif``): a band for each, called as it is, per cent,
        uint8, 255 where there is no data.
    """

    clusters: bool = False
    confidence: bool = False
    vector: str | os.PathLike[str] | None = None
    min_area: float = 0.0
    resume: bool = False
    probabilities: str | os.PathLike[str] | None = None


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a segmenter is to say of a scene.

    Attributes
    ----------
    confidence
        How sure it is of classes, too: (K,), the class of each cluster, -1 for none; None: nobody asks.
    classifier
        The only one, from 1, whose clusters are wanted; None: all.
    done
        Windows that may be left out.
    """

    confidence: NDArray[np.int64] | None = None
    classifier: int | None = None
    done: Container[Window] = ()
