"""Tiles of a scene as they are sent: a picture, cluster indices, confidence; and all about one pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.raster import CONFIDENCE_NODATA, TILE, Window, place_of
from terrasift.viewer.pictures import png
from terrasift.viewer.readers import OpenRasters
from terrasift.viewer.scenes import Scene

__all__ = ["NO_CLUSTER", "confidence_tile", "image_tile", "label_tile", "point", "shown"]

NO_CLUSTER = 65535
"""What a tile of cluster indices holds where there is no data."""


def image_tile(rasters: OpenRasters, scene: Scene, level: int, row: int, column: int) -> bytes:
    """A PNG of `TILE` x `TILE` pixels; transparent where there is no data."""
    return png(*shown(rasters, scene, level, row, column))


def shown(
    rasters: OpenRasters, scene: Scene, level: int, row: int, column: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A tile of the image as it is shown: (h, w, 3 or 1), and where there is data, (h, w)."""
    if scene.preview is not None and level >= scene.base:
        return rasters.get(scene.preview, scene.base).image(level, row, column)
    values, valid = rasters.get(scene.path).image(level, row, column, scene.shown_bands)
    return scene.display(values), valid


def label_tile(rasters: OpenRasters, scene: Scene, level: int, row: int, column: int) -> bytes:
    """Cluster indices, `TILE` x `TILE`, uint16 little endian; `NO_CLUSTER` where there is no data."""
    labels, valid = rasters.get(scene.clusters).labels(level, row, column)
    wide = labels.astype(np.uint16)  # bytes could not hold NO_CLUSTER
    return _square(np.where(valid, wide, NO_CLUSTER), NO_CLUSTER, np.dtype("<u2"))


def confidence_tile(rasters: OpenRasters, scene: Scene, level: int, row: int, column: int) -> bytes:
    """Confidence in per cent, `TILE` x `TILE`, uint8; 255 where there is no data."""
    values, valid = rasters.get(scene.confidence).image(level, row, column)
    return _square(np.where(valid, values[:, :, 0], CONFIDENCE_NODATA), CONFIDENCE_NODATA, np.dtype(np.uint8))


def point(rasters: OpenRasters, scene: Scene, row: int, column: int) -> dict[str, Any]:
    """All about one pixel, ready for JSON; None stands for what is not known."""
    window = Window(row, column, 1, 1)
    cluster, mapped = rasters.get(scene.clusters).raster.read_indices(window)
    confidence, sure = rasters.get(scene.confidence).raster.read_indices(window)
    values, _ = rasters.get(scene.path).raster.read(window, list(scene.bands))
    place = place_of(scene.info, row, column)
    return {
        "row": row,
        "column": column,
        "easting": _finite(place.easting) if place else None,
        "northing": _finite(place.northing) if place else None,
        "longitude": _finite(place.longitude) if place else None,
        "latitude": _finite(place.latitude) if place else None,
        "cluster": int(cluster[0, 0]) if mapped[0, 0] else None,
        "confidence": int(confidence[0, 0]) if sure[0, 0] else None,
        "values": [_finite(value) for value in values[0, 0].tolist()],
    }


def _square(values: NDArray[Any], beyond: int, dtype: np.dtype[Any]) -> bytes:
    height, width = values.shape
    whole = np.full((TILE, TILE), beyond, dtype)
    whole[:height, :width] = values
    return whole.tobytes()


def _finite(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else value  # JSON has no NaN
