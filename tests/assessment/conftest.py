"""A map that errs, and the scene that shows the truth behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terrasift.raster import write_image
from tests.assessment.known_maps import UTM, Site, known_map, write_map


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(tmp_path)
    mapped, truth = known_map()
    colors = np.array([[20, 30, 160], [30, 120, 20], [130, 130, 130]], np.uint8)
    write_image(tmp_path / "scene.tif", colors[truth], crs=UTM[0], transform=UTM[1])
    return Site(write_map(tmp_path / "map.tif", mapped), tmp_path / "scene.tif", mapped, truth)
