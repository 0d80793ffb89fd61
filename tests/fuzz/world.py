"""Good files of every kind, and commands run in this process."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import rasterio
from scipy.io import savemat

from terrasift import LandClass, Legend, Recipe, train
from terrasift.cli import main
from terrasift.data.synthetic import SYNTHETIC_CLASSES, synthetic_scene
from terrasift.raster import write_image
from terrasift.run import RunFolder

__all__ = ["GRID", "SETTINGS", "make_inputs", "make_run", "make_world", "run_command"]

GRID = {"crs": "EPSG:32633", "transform": (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0)}
SETTINGS = (
    *("width=4", "clusters=8", "patch=32", "batch_size=2", "steps=3", "compute.device=cpu"),
    *("predict.window=64", "predict.margin=8"),
)
_CONTRAST = (*SETTINGS, "crop=null", "refinement.area=64", "predict.window=128")


def make_world(world: Path) -> None:
    """What `make_inputs` writes, runs (``run`` and ``other`` of one recipe, ``taught``), killed ones, a study."""
    make_inputs(world)
    kinds, image = world / "kinds", synthetic_scene(64, 96, seed=1).image
    write_image(kinds / "plain.png", image)
    write_image(kinds / "float.tif", image.astype(np.float32), **GRID)
    savemat(kinds / "image.mat", {"img": image}, do_compression=True)
    rasterio.shutil.copy(world / "images" / "1.tif", kinds / "1.vrt", driver="VRT")
    rasterio.shutil.copy(world / "images" / "1.tif", kinds / "cog.tif", driver="COG")
    make_run(world, "run")
    make_run(world, "other", "seed=1")
    train([world / "images"], world / "taught", Recipe.load("default", _CONTRAST), use_cache=False)
    _must("teach", world / "taught", world / "labels.geojson", "--scene", world / "images" / "1.tif")
    for name, recipe in (("killed", "paper"), ("stopped", "default")):
        begun = Recipe.load(recipe, [*_CONTRAST, "compute.checkpoint_seconds=0"])
        stop = mock.patch.object(RunFolder, "finish", side_effect=KeyboardInterrupt)
        with stop, contextlib.suppress(KeyboardInterrupt):
            train([world / "images"], world / name, begun, use_cache=False)
    changes = [part for change in SETTINGS for part in ("--set", change)]
    study = ("--data", world, "--out", world / "study", "--budget", 0.01)
    _must("study", "run", "class-refinement", *study, *changes)


def make_inputs(world: Path) -> None:
    """Two scenes with masks, classes, labels of every kind, and a sample whose points are labelled."""
    for seed in (1, 2):
        scene = synthetic_scene(64, 96, seed=seed)
        write_image(world / "images" / f"{seed}.tif", scene.image, **GRID)
        write_image(world / "masks" / f"{seed}.tif", scene.labels, **GRID)
    Legend(tuple(LandClass(name, color) for name, color in SYNTHETIC_CLASSES)).save(world / "classes.yaml")
    _write_labels(world)
    _make_sample(world)


def make_run(world: Path, name: str, *changes: str) -> None:
    """A run that has been evaluated, with its report."""
    train([world / "images"], world / name, Recipe.load("paper", [*SETTINGS, *changes]), use_cache=False)
    truth = ("--masks", world / "masks", "--classes", world / "classes.yaml", "--no-baselines")
    _must("evaluate", world / name, world / "images", *truth)


def _write_labels(world: Path) -> None:
    points = [
        {
            "type": "Feature",
            "properties": {"class": "water" if number % 2 else "road"},
            "geometry": {"type": "Point", "coordinates": [500_004.0 + 6 * number, 4_999_990.0]},
        }
        for number in range(6)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    content = {"type": "FeatureCollection", "crs": crs, "features": points}
    (world / "labels.geojson").write_text(json.dumps(content, indent=1))
    (world / "labels.csv").write_text("x,y,class\n" + "".join(f"{500_004 + 6 * n},4999990,{n % 2}\n" for n in range(6)))
    import pyogrio.raw
    import shapely

    pyogrio.raw.write(
        world / "labels.gpkg",
        geometry=shapely.to_wkb([shapely.Point(*point["geometry"]["coordinates"]).buffer(3) for point in points]),  # type: ignore[index]
        field_data=[np.array([point["properties"]["class"] for point in points], object)],  # type: ignore[index]
        fields=["class"],
        driver="GPKG",
        geometry_type="Polygon",
        crs="EPSG:32633",
    )
    (world / "list.txt").write_text("images/1.tif\n# a comment\nimages/2.tif\n")


def _make_sample(world: Path) -> None:
    """A sample of a map, whose points somebody has labelled in a spreadsheet."""
    check, classes = world / "check", world / "classes.yaml"
    _must("assess", "sample", world / "masks" / "1.tif", "--per-class", 3, "--out", check, "--classes", classes)
    names = Legend.load(classes).names
    head, *rows = (check / "points.csv").read_text().splitlines()
    labelled = [f"{row.rpartition(',')[0]},{names[number % len(names)]}" for number, row in enumerate(rows)]
    (check / "points.csv").write_text("\n".join([head, *labelled]) + "\n")
    for file in (check / "points.gpkg", check / "points.geojson"):
        file.unlink(missing_ok=True)


def _must(*arguments: object) -> None:
    code, said = run_command(*arguments)
    if code:
        raise RuntimeError(said)


def run_command(*arguments: object) -> tuple[object, str]:
    """Run `terrasift ARGUMENTS...` in this process: its exit code, and what it said."""
    said = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["terrasift", *map(str, arguments)]),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        try:
            main()
        except SystemExit as end:
            return end.code or 0, said.getvalue()
    return 0, said.getvalue()
