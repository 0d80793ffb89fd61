"""What notebooks get wrong: each has its one line, which says what is wrong, where, and the mend."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xarray import DataArray, Dataset

import terrasift
from terrasift import MapOptions, Recipe, Run, TerrasiftError, discover, train

RNG = np.random.default_rng(0)
VALUES = RNG.integers(0, 255, (3, 40, 60)).astype(np.uint8)
SCENE = DataArray(VALUES, dims=("band", "y", "x"))
CUBE = SCENE.expand_dims(time=2)
ITEM = {"id": "S2", "assets": {name: {"href": f"/{name}.tif", "roles": ["data"]} for name in ("red", "nir")}}

WRONG: dict[str, tuple[Callable[[Run, Path], Any], str]] = {
    "several times": (
        lambda run, out: run.predict(CUBE),
        r"scene: has 2 times along 'time'; choose one: `\.isel\(time=0\)`, or take the bands of all times: `\.stack",
    ),
    "times without bands": (
        lambda run, out: train(CUBE.isel(band=0), out),
        r'image: has 2 times along \'time\'; .* or take times for bands: `\.rename\(time="band"\)`',
    ),
    "another dimension": (
        lambda run, out: run.predict(SCENE.expand_dims(level=4)),
        r"scene: has dimensions beside rows, columns and bands: level \(4\), band \(3\); choose",
    ),
    "rows and columns unnamed": (
        lambda run, out: run.predict(DataArray(VALUES)),
        r"scene: has no dimensions y and x; it has dim_0, dim_1, dim_2; name them: `\.rename",
    ),
    "uneven coordinates": (
        lambda run, out: run.predict(SCENE.assign_coords(x=np.geomspace(1, 9, 60), y=np.arange(40))),
        r"scene: has coordinates 'x' that are not evenly spaced; resample",
    ),
    "bands unnamed": (
        lambda run, out: train(SCENE, out, Recipe.load("default", {"bands": ["red"]})),
        r"image_1\.tif: has no band named red; none has a name: choose by number, 1 to 3",
    ),
    "a cache of no size": (
        lambda run, out: train(SCENE, out, cache_limit=float("nan")),
        r"cache_limit: is nan; name 0 or more",
    ),
    "no such variable": (
        lambda run, out: train(Dataset({"b": SCENE[0]}), out, Recipe.load("default", {"bands": ["red"]})),
        r"image: has no band red; its variables are b",
    ),
    "variables of two types": (
        lambda run, out: discover(Dataset({"b": SCENE[0], "clouds": SCENE[1].astype("float32")})),
        r"image: clouds holds float32, but b uint8; choose variables that are alike: `bands=\[\.\.\.\]`",
    ),
    "too many bands": (
        lambda run, out: run.predict(DataArray(np.concatenate([VALUES, VALUES]), dims=("band", "y", "x"))),
        r"scene: has 6 bands, but the run was trained on 3; use images of the same bands",
    ),
    "CRS missing": (
        lambda run, out: train(SCENE, out, Recipe.load("default", {"resolution": 10})),
        r"image_1\.tif: has no ground sampling: it has no CRS; give it one, or leave out `resolution`",
    ),
    "another dtype than the run's": (
        lambda run, out: run.predict(SCENE.astype("float32")),
        r"scene: holds float32, but the run was trained on uint8; convert it",
    ),
    "a dtype of no raster": (
        lambda run, out: train(VALUES[0] > 9, out),
        r"image: holds bool, which no raster does; convert it to one of uint8, ",
    ),
    "a stack of images": (
        lambda run, out: train(VALUES[None], out),
        r"image: has the shape 1 x 3 x 40 x 60; give \(H, W\) or \(H, W, bands\)",
    ),
    "no image at all": (
        lambda run, out: train([7], out),  # type: ignore[list-item]
        r"image: is of type int; name a file, or give an array or a DataArray",
    ),
    "assets unnamed": (
        lambda run, out: train(ITEM, out),
        r"item S2: has 2 images, and no band says which; name assets: `bands=\[\.\.\.\]`; its assets are nir, red",
    ),
    "nowhere to write": (lambda run, out: run.predict("scene.tif"), r"out: is missing; name a file"),  # type: ignore[call-overload]
    "what only a file holds": (
        lambda run, out: run.predict(SCENE, options=MapOptions(confidence=True)),
        r"confidence: is of maps that are written; name a file: `out`",
    ),
    "unknown key": (
        lambda run, out: Recipe.load("default", {"cluster": 5}),
        r"recipe default: cluster: is not a key; did you mean clusters\?",
    ),
    "no pandas": (
        lambda run, out: run.legend.to_frame(),
        r"to_frame: pandas is not installed; pip install 'terrasift\[pandas\]'",
    ),
    "no rioxarray": (
        lambda run, out: run.predict(SCENE),
        r"scene: rioxarray is not installed; pip install 'terrasift\[xarray\]'",
    ),
    "no pyarrow": (
        lambda run, out: train(out.with_name("items.parquet"), out),
        r"items\.parquet: pyarrow is not installed; pip install 'terrasift\[stac\]'",
    ),
    "a backbone of another shape": (
        lambda run, out: terrasift.extract_features(VALUES[0], out, lambda window: window[:3], window=32),
        r"backbone: makes \(3, 32, 1\) of a window of 32 x 32 pixels; give \(h, h, features\)",
    ),
}


@pytest.mark.parametrize("use", WRONG)
def test_a_wrong_use_is_told_in_one_line(
    use: str, tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, words = WRONG[use]
    package = use.removeprefix("no ")
    if package in ("pandas", "rioxarray", "pyarrow"):
        (tmp_path / "items.parquet").touch()
        find = importlib.util.find_spec
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    with pytest.raises(TerrasiftError, match=words) as caught:
        attempt(tiny_run, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
