"""How likely each class is: a band for each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from terrasift import LandClass, Legend, Run
from terrasift.prediction import MapOptions
from terrasift.raster import Raster, Window


@pytest.fixture
def named(tiny_run: Run, tmp_path: Path) -> Run:
    """A run of 8 clusters, of which one has no class."""
    run = Run.open(shutil.copytree(tiny_run.path, tmp_path / "run"), ["predict.context=scene"])
    classes = (
        LandClass("a", "#FF0000", (0, 3, 5)),
        LandClass("b", "#00FF00", (1, 2)),
        LandClass("c", "#0000FF", (4, 7)),
    )
    run.save_legend(Legend(classes))
    return run


def test_each_class_is_as_likely_as_its_clusters_together(named: Run, scenes: Path, tmp_path: Path) -> None:
    scene = scenes / "images" / "north.tif"
    path = tmp_path / "likely.tif"
    named.predict(scene, tmp_path / "map.tif", MapOptions(probabilities=path))
    with Raster(scene) as raster:
        look = named.predictor.look(raster, Window(0, 0, raster.info.height, raster.info.width))
        info = raster.info
    scores = np.exp(look.logits[0] - look.logits[0].max(axis=2, keepdims=True))
    likely = scores / scores.sum(axis=2, keepdims=True)
    expected = [likely[:, :, list(entry.clusters)].sum(axis=2) for entry in named.legend.classes]
    with rasterio.open(path) as written:
        assert written.descriptions == ("a", "b", "c")
        assert written.dtypes == ("uint8",) * 3
        assert written.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert tuple(written.transform)[:6] == info.transform
        values = written.read()
    assert np.abs(values - 100 * np.stack(expected)).max() <= 0.51  # rounded to whole per cent


def test_the_windows_do_not_matter(named: Run, scenes: Path, tmp_path: Path) -> None:
    scene = scenes / "images" / "north.tif"
    found = []
    for side in (128, 256):
        run = Run.open(named.path, ["predict.context=scene", f"predict.window={side}"])
        path = tmp_path / f"likely-{side}.tif"
        run.predict(scene, tmp_path / f"{side}.tif", MapOptions(probabilities=path))
        with rasterio.open(path) as written:
            found.append(written.read().astype(int))
    assert np.abs(found[0] - found[1]).max() <= 1  # a rounding of a rounding


def test_the_command_writes_them_beside_the_map(
    command: Callable[..., Any], named: Run, scenes: Path, tmp_path: Path
) -> None:
    scene = scenes / "images" / "north.tif"
    out = ["--out", tmp_path / "map.tif", "--probabilities"]
    ended = command("predict", named.path, scene, *out, tmp_path / "likely.tif")
    assert ended.code == 0, ended.err
    assert f"wrote {tmp_path / 'likely.tif'}" in ended.out
    assert not list(tmp_path.glob(".*"))
    wrong = command("predict", named.path, scene, *out, tmp_path / "likely.png", "--overwrite")
    assert wrong.code == 2
    assert "probabilities are a GeoTIFF" in wrong.err
    many = command("predict", named.path, scenes / "images", "--out", tmp_path / "maps", "--probabilities", "a.tif")
    assert many.code == 2
    assert "is one file for 2 scenes" in many.err
