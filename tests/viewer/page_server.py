"""A running server of the page, and what tests ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import rasterio
from numpy.typing import NDArray

from terrasift import Run
from terrasift.viewer.scenes import Scene

TOKEN = "5ca1ab1e" * 8
MARKUP = "<img src=x onerror=alert(1)>"


@dataclass
class Served:
    """A running server and what it serves."""

    run: Run
    scenes: list[Scene]
    maps: Path
    host: str
    client: httpx.Client


def stored(path: Path) -> NDArray[Any]:
    with rasterio.open(path) as dataset:
        return dataset.read(1)
