"""What is tried: every kind of file that terrasift reads, made bad and given to a command that reads it."""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
import sys
from collections.abc import Callable
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
from tests.fuzz.mangling import mangled, odd_text, odd_value

__all__ = ["KINDS", "make_world", "outcome_of"]

_GRID = {"crs": "EPSG:32633", "transform": (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0)}
_CHANGES = ("width=4", "clusters=8", "patch=32", "batch_size=2", "steps=3", "compute.device=cpu", "predict.window=64")
_RUN_FILES = (
    *("recipe.yaml", "weights.safetensors", "legend.yaml", "legend.previous.yaml", "images.txt", "log.csv"),
    *("machine.json", "evaluation.json", "clusters-1.npz", "clusters-2.npz"),
)


def make_world(world: Path) -> None:
    """Good files of every kind: scenes, masks, two runs of one recipe, one that was killed, a study, labels."""
    for seed in (1, 2):
        scene = synthetic_scene(64, 96, seed=seed)
        write_image(world / "images" / f"{seed}.tif", scene.image, **_GRID)
        write_image(world / "masks" / f"{seed}.tif", scene.labels, **_GRID)
    image = synthetic_scene(64, 96, seed=1).image
    write_image(world / "kinds" / "plain.png", image)
    write_image(world / "kinds" / "float.tif", image.astype(np.float32), **_GRID)
    savemat(world / "kinds" / "image.mat", {"img": image}, do_compression=True)
    rasterio.shutil.copy(world / "images" / "1.tif", world / "kinds" / "1.vrt", driver="VRT")
    rasterio.shutil.copy(world / "images" / "1.tif", world / "kinds" / "cog.tif", driver="COG")
    Legend(tuple(LandClass(name, color) for name, color in SYNTHETIC_CLASSES)).save(world / "classes.yaml")
    for number, name in enumerate(("run", "other"), 1):
        recipe = Recipe.load("paper", [*_CHANGES, f"seed={number}"])
        train([world / "images"], world / name, recipe, use_cache=False)
        run_command(
            "evaluate",
            world / name,
            world / "images",
            "--masks",
            world / "masks",
            "--classes",
            world / "classes.yaml",
            "--no-baselines",
        )
        run_command("info", world / name, "--report")
    killed = Recipe.load("paper", [*_CHANGES, "compute.checkpoint_seconds=0"])
    with mock.patch.object(RunFolder, "finish", side_effect=KeyboardInterrupt), contextlib.suppress(KeyboardInterrupt):
        train([world / "images"], world / "killed", killed, use_cache=False)
    points = [
        {
            "type": "Feature",
            "properties": {"class": "water" if number % 2 else "road"},
            "geometry": {"type": "Point", "coordinates": [500_004.0 + 6 * number, 4_999_990.0]},
        }
        for number in range(6)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    (world / "labels.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "crs": crs, "features": points}, indent=1)
    )
    (world / "labels.csv").write_text("x,y,class\n" + "".join(f"{500_004 + 6 * n},4999990,{n % 2}\n" for n in range(6)))
    (world / "list.txt").write_text("images/1.tif\n# a comment\nimages/2.tif\n")
    (world / "study").mkdir()
    (world / "study" / "study.yaml").write_text(
        f"data: {world}/images\nclasses: null\nbudget: 0.01\nchanges: []\nseeds: 1\n"
    )


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


def outcome_of(kind: str, seed: int, world: Path, place: Path) -> str:
    """Try one input of a kind: "answered", or what went wrong."""
    shutil.rmtree(place, ignore_errors=True)  # of a process that was killed
    place.mkdir(parents=True)
    try:
        arguments = KINDS[kind](random.Random(f"{kind} {seed}"), world, place)
        code, said = run_command(*arguments)
        if code not in (0, 2):
            return f"exit code {code}: {said[-300:]}"
        if "Traceback" in said:
            return f"traceback: {said[-300:]}"
        left = [path.name for path in place.rglob("*.writing")]
        return f"left {left[0]} behind" if left else "answered"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _text(world: Path, place: Path, random: random.Random, name: str) -> Path:
    path = place / Path(name).name
    path.write_bytes(odd_text(random, (world / name).read_text()).encode("utf-8", "surrogatepass"))
    return path


def _recipe(random: random.Random, world: Path, place: Path) -> list[object]:
    return ["info", _text(world, place, random, "run/recipe.yaml")]


def _change(random: random.Random, world: Path, place: Path) -> list[object]:
    keys = [key.name for key in Recipe.keys()]  # noqa: SIM118  # no dictionary
    key = random.choice([*keys, "scaling", "refinement", odd_value(random), "a.b.c"])
    # No image is there, so that a change that can be made trains nothing.
    return [
        "train",
        place / "none.tif",
        "--out",
        place / "run",
        "--set",
        f"{key}={odd_value(random)}".replace("\0", ""),
    ]


def _classes(random: random.Random, world: Path, place: Path) -> list[object]:
    classes = _text(world, place, random, "classes.yaml")
    return ["score", world / "masks" / "1.tif", world / "masks" / "1.tif", "--classes", classes]


def _raster(random: random.Random, world: Path, place: Path) -> list[object]:
    files = [*(world / "kinds").iterdir(), world / "images" / "1.tif", world / "masks" / "1.tif"]
    path = _bad(random, random.choice(sorted(files)), place)
    return random.choice(
        [
            ["info", path],
            ["predict", world / "run", path, "--out", place / "map.tif"],
            ["score", path, world / "masks" / "1.tif"],
            ["score", world / "masks" / "1.tif", path, "--classes", world / "classes.yaml"],
            ["train", path, "--out", place / "run", "--no-cache", *(part for c in _CHANGES for part in ("--set", c))],
        ]
    )


def _bad(random: random.Random, good: Path, place: Path) -> Path:
    path = place / good.name
    if good.suffix == ".vrt":
        path.write_text(odd_text(random, good.read_text()), encoding="utf-8", errors="surrogatepass")
    else:
        path.write_bytes(mangled(random, good.read_bytes()))
    return path


def _run(random: random.Random, world: Path, place: Path) -> list[object]:
    run = place / "run"
    shutil.copytree(world / "run", run)
    file = run / random.choice([name for name in _RUN_FILES if (run / name).exists()])
    match random.randrange(5):
        case 0:
            file.unlink()
        case 1:
            shutil.copy(world / "other" / file.name, file)
        case 2:
            file.write_bytes(mangled(random, file.read_bytes()))
        case _ if file.suffix in (".npz", ".safetensors"):
            file.write_bytes(mangled(random, file.read_bytes()))
        case _:
            file.write_bytes(odd_text(random, file.read_text()).encode("utf-8", "surrogatepass"))
    scene, masks, classes = world / "images" / "1.tif", world / "masks", world / "classes.yaml"
    return random.choice(
        [
            ["info", run],
            ["info", run, "--report"],
            ["legend", run],
            ["legend", run, "--merge-to", 3],
            ["legend", run, "--undo"],
            ["predict", run, scene, "--out", place / "map.tif"],
            ["evaluate", run, scene, "--masks", masks, "--classes", classes, "--no-baselines"],
            ["train", world / "images", "--out", run, "--resume", "--no-cache"],
        ]
    )


def _checkpoint(random: random.Random, world: Path, place: Path) -> list[object]:
    shutil.copytree(world / "killed", place / "run")
    file = random.choice([path for path in sorted((place / "run").rglob("*")) if path.is_file()])
    file.write_bytes(mangled(random, file.read_bytes()))
    return ["train", world / "images", "--out", place / "run", "--resume", "--no-cache"]


def _labels(random: random.Random, world: Path, place: Path) -> list[object]:
    shutil.copytree(world / "run", place / "run")
    labels = _text(world, place, random, random.choice(["labels.geojson", "labels.csv"]))
    return ["teach", place / "run", labels, "--scene", world / "images" / "1.tif"]


def _list(random: random.Random, world: Path, place: Path) -> list[object]:
    shutil.copytree(world / "images", place / "images")
    return ["predict", world / "run", _text(world, place, random, "list.txt"), "--out", place / "maps"]


def _study(random: random.Random, world: Path, place: Path) -> list[object]:
    _text(world, place, random, "study/study.yaml")
    return ["study", random.choice(["report", "list"]), *([place] if random.random() < 0.9 else [])]


def _arguments(random: random.Random, world: Path, place: Path) -> list[object]:
    places = [place, world / "run", world / "images", world / "masks" / "1.tif", world / "classes.yaml", world / "none"]
    options = [
        "--out",
        "--set",
        "--classes",
        "--masks",
        "--ignore",
        "--base",
        "--merge-to",
        "--name",
        "--color",
        "--json",
    ]
    options += ["--recipe", "--min-area", "--vector", "--clusters", "--confidence", "--split", "--resume", "--scene"]
    command = random.choice(["info", "score", "legend", "evaluate", "assess", "study", "export", "teach", "prepare"])
    several = [random.choice([*places, *options, odd_value(random)]) for _ in range(random.randint(0, 6))]
    shutil.copytree(world / "run", place / "run")
    return [command, *(str(each).replace(str(world / "run"), str(place / "run")).replace("\0", "") for each in several)]


KINDS: dict[str, Callable[[random.Random, Path, Path], list[object]]] = {
    "recipe": _recipe,
    "--set": _change,
    "classes": _classes,
    "raster": _raster,
    "run": _run,
    "checkpoint": _checkpoint,
    "labels": _labels,
    "list": _list,
    "study": _study,
    "arguments": _arguments,
}
"""By name: what writes a bad input into a folder, and gives the command that reads it."""
