"""The commands that take long, on tiny images, and what they leave."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from terrasift import Recipe, discover
from tests.fuzz.world import make_inputs, make_run

__all__ = ["COMMANDS", "Command", "contents", "lay_out", "make_world"]


class Command(NamedTuple):
    """A command, given in a folder that `lay_out` made."""

    name: str
    arguments: Sequence[object] = ()
    again: str = ""
    """What is added when it is given again after something came between."""
    stages: tuple[str, ...] = ()
    """Of a training: each is a row of its own in the table of kills."""
    call: Callable[[], object] | None = None
    """What is called where there is no such command."""


_TINY = ("width=4", "clusters=8", "patch=32", "batch_size=2", "compute.device=cpu", "predict.window=32")
_TRAINED = (*_TINY, "predict.margin=8", "compute.checkpoint_seconds=0")


def _training(recipe: str, *changes: str) -> list[object]:
    options = [part for change in (*_TRAINED, *changes) for part in ("--set", change)]
    return ["train", "images", "--out", "out", "--recipe", recipe, "--cache", "cache", *options]


def _discover() -> None:
    recipe = Recipe.load("default", [*_TINY, "crop=null", "refinement.area=64"])
    discover(["images"], recipe, cache="cache").save("found.safetensors")


_TRUTH = ("images", "--masks", "masks", "--classes", "classes.yaml")
_STUDY = [part for change in _TRAINED for part in ("--set", change)]

COMMANDS = (
    Command(
        "train, its own labels",
        _training("paper", "steps=6"),
        "--resume",
        ("index", "superpixels", "steps"),
    ),
    Command(
        "train, discovered labels",
        _training("default", "steps=6", "crop=null", "refinement.area=64"),
        "--resume",
        ("discovery", "steps"),
    ),
    Command("discover", call=_discover),
    Command("predict a scene", ["predict", "run", "images/1.tif", "--out", "maps/map.tif"], "--resume"),
    Command(
        "predict all of a scene",
        [
            *("predict", "run", "images/1.tif", "--out", "maps/map.tif", "--confidence", "--min-area", 2),
            *("--vector", "maps/map.gpkg", "--probabilities", "maps/shares.tif"),
        ],
        "--resume",
    ),
    Command("predict scenes", ["predict", "run", "images", "--out", "maps", "--vector", "polygons"], "--resume"),
    Command("evaluate", ["evaluate", "run", *_TRUTH]),
    Command("legend", ["legend", "run", "--name", "0=sea", "--color", "1=#102030"]),
    Command("teach", ["teach", "run", "labels.csv", "--scene", "images/1.tif", "--suggest", 3, "--out", "next.gpkg"]),
    Command("study", ["study", "run", "class-refinement", "--data", ".", "--out", "study", "--budget", 0.01, *_STUDY]),
    Command(
        "assess sample",
        [
            *("assess", "sample", "masks/1.tif", "--per-class", 3, "--scene", "images/1.tif"),
            *("--classes", "classes.yaml", "--out", "new"),
        ],
    ),
    Command("assess report", ["assess", "report", "check"]),
    Command("export", ["export", "run", "--out", "run.onnx", "--scene", "images/1.tif"]),
    Command("report", ["info", "run", "--report"]),
)


def make_world(world: Path) -> None:
    """What `lay_out` copies: images, masks, a run, labels, a sample whose points are labelled."""
    make_inputs(world)
    make_run(world, "run")


def lay_out(world: Path, place: Path) -> None:
    """A folder to work in, with copies of all that commands read."""
    shutil.copytree(world, place, dirs_exist_ok=True)


def contents(place: Path) -> dict[str, str]:
    """A digest of each file, and "" for each folder: of all that does not tell when it was made, or how fast."""
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        found[name] = hashlib.sha256(_timeless(path)).hexdigest() if path.is_file() else ""
    return found


def _timeless(path: Path) -> bytes:
    content = path.read_bytes()
    if path.name == "log.csv":
        rows = csv.DictReader(io.StringIO(content.decode()))
        return "\n".join(",".join(value for key, value in row.items() if key != "seconds") for row in rows).encode()
    if path.suffix == ".json":
        return json.dumps(_without_times(json.loads(content))).encode()
    if path.suffix == ".html":
        assert content.rstrip().endswith(b"</html>")
        return re.sub(rb"[-\d.,]+", b"", content)
    if path.suffix == ".gpkg":
        return re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"", content)
    return content


def _without_times(content: Any) -> Any:
    if isinstance(content, dict):
        kept = {key: value for key, value in content.items() if key not in _TIMES}
        return {key: _without_times(value) for key, value in kept.items()}
    return [_without_times(value) for value in content] if isinstance(content, list) else content


_TIMES = ("seconds", "machine", "peak_memory", "peak_gpu_memory")
