"""Where maps go."""

from __future__ import annotations

from pathlib import Path

import pytest

from terrasift import InputError
from terrasift.prediction import map_paths


def test_scenes_of_one_name_keep_their_folders() -> None:
    scenes = ["a/Tile 1/images/x.tif", "a/Tile 2/images/x.tif", "a/y.png"]
    assert map_paths(scenes, "out") == [
        Path("out/Tile 1/images/x.tif"),
        Path("out/Tile 2/images/x.tif"),
        Path("out/y.tif"),
    ]
    assert map_paths(scenes[1:], "out") == [Path("out/x.tif"), Path("out/y.tif")]
    with pytest.raises(InputError, match="would share the map"):
        map_paths(["a/x.tif", "a/x.png"], "out")
