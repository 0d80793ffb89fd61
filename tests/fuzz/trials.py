"""What is tried: every kind of file that terrasift reads, made bad and given to a command that reads it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from terrasift import Recipe
from terrasift.cli import app
from tests.fuzz.mangling import mangled, odd_arrays, odd_json, odd_tensors, odd_text, odd_tiff, odd_value
from tests.fuzz.world import SETTINGS, run_command

__all__ = ["KINDS", "outcome_of"]

_SETTINGS = [part for change in (*SETTINGS, "steps=1") for part in ("--set", change)]


def outcome_of(kind: str, seed: int, world: Path, place: Path) -> str:
    """Try one input of a kind: "answered", or what went wrong."""
    shutil.rmtree(place, ignore_errors=True)  # of a process that was killed
    place.mkdir(parents=True)
    try:
        arguments = KINDS[kind](random.Random(f"{kind} {seed}"), world, place)
        code, said = run_command(*arguments)
        shown = " ".join(map(str, arguments))[:300]
        if code not in (0, 2):
            return f"exit code {code}: {shown}: {said[-300:]}"
        if "Traceback" in said:
            return f"traceback: {shown}: {said[-300:]}"
        lines = [line for line in said.splitlines() if line.startswith("terrasift: ")]
        if code == 2 and not lines and "Usage: " not in said:
            return f"no line: {shown}: {said[-300:]}"
        left = [path.name for path in place.rglob("*.writing")]
        return f"left {left[0]} behind: {shown}" if left else "answered"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _recipe(random: random.Random, world: Path, place: Path) -> list[object]:
    recipe = _text(world, place, random, "run/recipe.yaml")
    train = ["train", place / "none.tif", "--out", place / "run", "--recipe", recipe]
    return random.choice([["info", recipe], train])


def _change(random: random.Random, world: Path, place: Path) -> list[object]:
    keys = [key.name for key in Recipe.keys()]  # noqa: SIM118  # no dictionary
    change = f"{random.choice([*keys, 'scaling', 'refinement', odd_value(random), 'a.b.c'])}={odd_value(random)}"
    # Nothing is trained: there is no such image, and what a run was trained with does not change.
    command = random.choice(
        [["train", place / "none.tif", "--out", place / "run"], ["predict", world / "run", place / "none.tif"]]
    )
    return [*command, *(["--out", place / "map.tif"] * (command[0] == "predict")), "--set", change.replace("\0", "")]


def _classes(random: random.Random, world: Path, place: Path) -> list[object]:
    classes, mask = _text(world, place, random, "classes.yaml"), world / "masks" / "1.tif"
    run = place / "run"
    shutil.copytree(world / "run", run)
    return random.choice(
        [
            ["score", mask, mask, "--classes", classes],
            ["evaluate", run, world / "images", "--masks", world / "masks", "--classes", classes, "--no-baselines"],
            ["assess", "sample", mask, "--total", 20, "--classes", classes, "--out", place / "check"],
            ["legend", run, "--from", classes],
            ["teach", run, world / "labels.csv", "--scene", world / "images" / "1.tif", "--classes", classes],
        ]
    )


def _raster(random: random.Random, world: Path, place: Path) -> list[object]:
    good = random.choice([*sorted((world / "kinds").iterdir()), world / "images" / "1.tif", world / "masks" / "1.tif"])
    path = place / good.name
    if good.suffix == ".vrt":
        path.write_text(odd_text(random, good.read_text()), encoding="utf-8", errors="surrogatepass")
    else:
        path.write_bytes(mangled(random, good.read_bytes()))
    return _with_raster(random, world, place, path)


def _claims(random: random.Random, world: Path, place: Path) -> list[object]:
    good = random.choice([world / "images" / "1.tif", world / "masks" / "1.tif", world / "kinds" / "cog.tif"])
    path = place / good.name
    path.write_bytes(odd_tiff(random, good.read_bytes()))
    return _with_raster(random, world, place, path)


def _virtual(random: random.Random, world: Path, place: Path) -> list[object]:
    path, scene = place / "scene.vrt", world / "images" / "1.tif"
    side = random.choice([0, 1, 96, 200_000, 2**31 - 1, -5, 10**12])
    sources = random.choice(
        [path, scene, place / "none.tif", "/dev/zero", "/vsicurl/http://127.0.0.1:9/a.tif", place, "", "a.vrt"]
    )
    bands = random.choice([1, 3, 3, 3, 500])
    kind = random.choice(["SimpleSource", "ComplexSource", "KernelFilteredSource", "AveragedSource", "WarpedSource"])
    inner = random.choice(
        [
            "",
            "<LUT>0:1,nan:3,x</LUT>",
            "<ScaleRatio>1e400</ScaleRatio>",
            "<NODATA>nan</NODATA>",
            "<Kernel><Size>99999</Size></Kernel>",
        ]
    )
    block = random.choice(["", 'blockXSize="1" blockYSize="1"', 'blockXSize="2147483647"', 'blockYSize="0"'])
    subclass = random.choice(["", "", 'subClass="VRTDerivedRasterBand"', 'subClass="VRTRawRasterBand"'])
    function = "<PixelFunctionType>inv</PixelFunctionType>" if "Derived" in subclass else ""
    band = ""
    for number in range(1, bands + 1):
        dtype, source = random.choice(_VRT_TYPES), random.choice([1, number, 99, "mask,1"])
        band += (
            f'<VRTRasterBand dataType="{dtype}" band="{number}" {block} {subclass}>{function}<{kind}>'
            f'<SourceFilename relativeToVRT="{random.choice("01")}">{sources}</SourceFilename>'
            f"<SourceBand>{source}</SourceBand>{inner}</{kind}></VRTRasterBand>"
        )
    path.write_text(f'<VRTDataset rasterXSize="{side}" rasterYSize="{random.choice([side, 64])}">{band}</VRTDataset>')
    (place / "a.vrt").write_text(path.read_text().replace("a.vrt", "scene.vrt"))
    return _with_raster(random, world, place, path)


_VRT_TYPES = ("Byte", "Byte", "Byte", "Float64", "CFloat32", "None", "x")


def _place(random: random.Random, world: Path, place: Path) -> list[object]:
    """Where a file should be there is something else."""
    path = place / random.choice(["odd.tif", "odd.yaml", "odd.csv", "odd.gpkg", "odd.json", "odd"])
    match random.randrange(9):
        case 0:
            os.mkfifo(path)
        case 1:
            path.mkdir()
        case 2:
            path.symlink_to(random.choice([path, "/dev/zero", "/dev/null", "/proc/self/mem", place / "none"]))
        case 3:
            with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(place):  # their names are short
                server.bind(path.name)
        case 4:
            path.touch()
        case 5:
            with path.open("wb") as file:
                file.write(random.choice([b"", b"II*\0\x08\0\0\0", b"%YAML", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n"]))
                file.truncate(random.choice([1, 1 << 20, 1 << 40]))
        case 6:
            path = Path(random.choice(["/dev/zero", "/dev/tty", "/dev/null", "/proc/self/environ", "/", "/proc"]))
        case 7:
            path.write_bytes(random.randbytes(random.choice([1, 100, 10_000])))
        case _:
            path = place / ("x" * random.choice([300, 5000]) + ".tif")
    if random.random() < 0.4:
        return _with_raster(random, world, place, path)
    shutil.copytree(world / "run", place / "run")
    run, scene, masks, classes = place / "run", world / "images" / "1.tif", world / "masks", world / "classes.yaml"
    return random.choice(
        [
            ["info", path],
            ["legend", run, "--from", path],
            ["legend", path],
            ["predict", run, scene, "--out", path],
            ["predict", path, scene, "--out", place / "map.tif"],
            ["predict", run, scene, "--out", place / "map.tif", "--vector", path],
            ["evaluate", run, scene, "--masks", path, "--classes", classes, "--no-baselines"],
            ["evaluate", run, scene, "--masks", masks, "--classes", path, "--no-baselines"],
            ["train", scene, "--out", place / "new", "--recipe", path],
            ["train", scene, "--out", path, "--no-cache", *_SETTINGS],
            ["train", scene, "--out", place / "new", "--cache", path, *_SETTINGS],
            ["teach", run, path, "--scene", scene],
            ["teach", run, world / "labels.csv", "--scene", scene, "--suggest", 2, "--out", path],
            ["assess", "report", path],
            ["assess", "sample", masks / "1.tif", "--total", 9, "--out", path],
            ["study", "report", path],
            ["study", "run", "loss", "--data", path, "--out", place / "study", "--budget", 1e-6, *_SETTINGS],
            ["prepare", "potsdam", path, "--out", place / "potsdam"],
            ["export", run, "--out", path, "--scene", scene],
            ["info", masks / "1.tif", "--areas", "--zones", path],
        ]
    )


def _masks(random: random.Random, world: Path, place: Path) -> list[object]:
    shutil.copytree(world / "masks", place / "masks")
    shutil.copytree(world / "run", place / "run")
    path = place / "masks" / "1.tif"
    match random.randrange(5):
        case 0:
            path.unlink()
        case 1:
            shutil.copy(random.choice([*sorted((world / "kinds").glob("*.tif")), world / "images" / "1.tif"]), path)
        case 2:
            path.write_bytes(odd_tiff(random, path.read_bytes()))
        case 3:
            path.rename(path.with_suffix(random.choice([".png", ".mat", ".vrt", ".TIF", ".txt"])))
        case _:
            path.write_bytes(mangled(random, path.read_bytes()))
    given = ["--masks", place / "masks", "--classes", world / "classes.yaml"]
    options = [[], ["--mapping", "hungarian"], ["--mapping", "legend"], ["--regions", "clusters"], ["--keep-legend"]]
    return random.choice(
        [
            ["evaluate", place / "run", world / "images", *given, "--no-baselines", *random.choice(options)],
            ["score", place / "masks", world / "masks", *random.choice([[], ["--classes", world / "classes.yaml"]])],
            ["teach", place / "run", place / "masks", *given[2:], "--scene", world / "images" / "1.tif"],
        ]
    )


_RUN_FILES = (
    *("recipe.yaml", "weights.safetensors", "legend.yaml", "legend.previous.yaml", "images.txt", "log.csv"),
    *("machine.json", "evaluation.json", "clusters-1.npz", "taught.safetensors", "discovery.safetensors"),
)


def _run(random: random.Random, world: Path, place: Path) -> list[object]:
    run, name = place / "run", random.choice(["run", "taught"])
    shutil.copytree(world / name, run)
    file = run / random.choice([name for name in _RUN_FILES if (run / name).exists()])
    other = world / "other" / file.name
    match random.randrange(8):
        case 0:
            file.unlink()
        case 1 if other.exists():
            shutil.copy(other, file)
        case 2:
            file.write_bytes(mangled(random, file.read_bytes()))
        case _:
            file.write_bytes(_odd_content(random, file))
    scene, masks, classes = world / "images" / "1.tif", world / "masks", world / "classes.yaml"
    return random.choice(
        [
            ["info", run],
            ["info", run, "--report"],
            ["legend", run],
            ["legend", run, "--merge-to", 3],
            ["legend", run, "--undo"],
            ["predict", run, scene, "--out", place / "map.tif"],
            ["predict", run, scene, "--out", place / "map.tif", "--clusters", "--confidence"],
            ["predict", run, scene, "--out", place / "map.tif", "--probabilities", place / "shares.tif"],
            ["evaluate", run, scene, "--masks", masks, "--classes", classes, "--no-baselines"],
            ["train", world / "images", "--out", run, "--resume", "--no-cache"],
            ["teach", run, world / "labels.csv", "--scene", scene],
            ["teach", run, "--undo"],
        ]
    )


def _checkpoint(random: random.Random, world: Path, place: Path) -> list[object]:
    shutil.copytree(world / random.choice(["killed", "stopped"]), place / "run")
    file = random.choice([path for path in sorted((place / "run").rglob("*")) if path.is_file()])
    odd = mangled(random, file.read_bytes()) if random.random() < 0.5 else _odd_content(random, file)
    file.write_bytes(odd)
    return ["train", world / "images", "--out", place / "run", "--resume", "--no-cache"]


def _labels(random: random.Random, world: Path, place: Path) -> list[object]:
    run = place / "run"
    shutil.copytree(world / random.choice(["run", "taught"]), run)
    good = world / random.choice(["labels.geojson", "labels.csv", "labels.gpkg"])
    labels = place / good.name
    labels.write_bytes(_odd_content(random, good))
    if random.random() < 0.2:
        shutil.copy(labels, run / "labels.geojson")
        return ["teach", run, "--scene", world / "images" / "1.tif"]
    return ["teach", run, labels, *random.choice([[], ["--scene", world / "images" / "1.tif"]])]


def _zones(random: random.Random, world: Path, place: Path) -> list[object]:
    good = world / random.choice(["labels.geojson", "labels.gpkg"])
    zones = place / good.name
    zones.write_bytes(_odd_content(random, good))
    return ["info", world / "masks" / "1.tif", "--areas", "--zones", zones]


def _list(random: random.Random, world: Path, place: Path) -> list[object]:
    shutil.copytree(world / "images", place / "images")
    scenes = _text(world, place, random, "list.txt")
    train = ["train", scenes, "--out", place / "run", "--no-cache", *_SETTINGS]
    return random.choice([["predict", world / "run", scenes, "--out", place / "maps"], train])


def _sample(random: random.Random, world: Path, place: Path) -> list[object]:
    check = place / "check"
    shutil.copytree(world / "check", check)
    file = random.choice(sorted(path for path in check.iterdir() if path.is_file()))
    file.write_bytes(_odd_content(random, file))
    other = ["--map", random.choice([world / "masks" / "2.tif", world / "images" / "1.tif", place])]
    return ["assess", "report", check, *random.choice([[], [], other])]


def _study(random: random.Random, world: Path, place: Path) -> list[object]:
    study = place / "study"
    shutil.copytree(world / "study", study)
    files = [study / "study.yaml", *sorted(study.glob("*.json")), *sorted(study.glob("cells/*/cell.json"))]
    file = random.choice(files)
    file.write_bytes(_odd_content(random, file))
    again = ["run", "class-refinement", "--data", world, "--out", study, "--budget", 0.01, *_SETTINGS[:-2]]
    return ["study", *random.choice([["report", study], ["report", study], again, ["list"]])]


def _tiles(random: random.Random, world: Path, place: Path) -> list[object]:
    """Tiles of Potsdam, of which nothing is right."""
    raw = place / "raw"
    raw.mkdir()
    for folder, end in (("4_Ortho_RGBIR", "RGBIR.tif"), ("5_Labels_for_participants", "label.tif")):
        if random.random() < 0.9:
            (raw / folder).mkdir()
            good = random.choice([world / "images" / "1.tif", world / "masks" / "1.tif", world / "classes.yaml"])
            name = random.choice(["top_potsdam_2_13_", "top_potsdam_6_12_", "x"]) + random.choice([end, "x.tif"])
            (raw / folder / name).write_bytes(mangled(random, good.read_bytes()))
    if random.random() < 0.3:
        (raw / "4_Ortho_RGBIR.zip").write_bytes(mangled(random, b"PK\x03\x04" + struct.pack("<40I", *range(40))))
    return ["prepare", "potsdam", raw, "--out", place / "potsdam", *random.choice([[], ["--partial"]])]


def _arguments(random: random.Random, world: Path, place: Path) -> list[object]:
    """A command with any of its options, and values for them that may or may not make sense."""
    shutil.copytree(world / "run", place / "run")
    names = random.choice(_COMMANDS)
    command: Any = typer.main.get_command(app)
    for name in names:
        command = command.commands[name]
    places: list[object] = [place, place / "run", place / "run" / "legend.yaml", world / "images", place / "new"]
    places += [
        world / "masks" / "1.tif",
        world / "classes.yaml",
        world / "check",
        world / "labels.csv",
        place / "a.tif",
    ]
    given: list[object] = list(names)
    for entry in command.params:
        wanted = entry.param_type_name == "argument" or random.random() < (0.7 if entry.required else 0.25)
        if not wanted or entry.name in _NEVER:
            continue
        value = random.choice([*places, *places, odd_value(random), *_NUMBERS, *_WORDS])
        options = list(entry.opts) if entry.param_type_name == "option" else []
        given += [*options[:1], *([] if getattr(entry, "is_flag", False) else [value])]
    if names == ("train",):
        given += _SETTINGS
    return [str(each).replace("\0", "").encode("utf-8", "replace").decode() for each in given]


_COMMANDS = (
    *(("info",), ("score",), ("legend",), ("evaluate",), ("export",), ("teach",), ("prepare",), ("predict",)),
    *(("train",), ("assess", "sample"), ("assess", "report"), ("study", "report"), ("study", "list")),
)
_NEVER = ("scheduler", "workers", "help")  # they start processes, and wait for others'
_WORDS = ("majority", "hungarian", "legend", "classes", "clusters", "equal", "neyman", "e", "10", "potsdam", "paper")
_NUMBERS = (0, 1, 2, -1, 3.5, 1e-9, 1e30, "nan", "inf", 2**31, 2**63, "1=2", "0=water", "water=#ff0000", "0,1", "auto")


def _text(world: Path, place: Path, random: random.Random, name: str) -> Path:
    path = place / Path(name).name
    path.write_bytes(odd_text(random, (world / name).read_text()).encode("utf-8", "surrogatepass"))
    return path


def _odd_content(random: random.Random, file: Path) -> bytes:
    """What is wrong in a way of its format."""
    content = file.read_bytes()
    match file.suffix:
        case ".safetensors":
            return odd_tensors(random, content)
        case ".npz":
            return odd_arrays(random, content)
        case ".json" | ".geojson" if random.random() < 0.7:
            return odd_json(random, content.decode()).encode("utf-8", "surrogatepass")
        case ".gpkg" | ".ckpt":
            return mangled(random, content)
        case _:
            return odd_text(random, content.decode()).encode("utf-8", "surrogatepass")


def _with_raster(random: random.Random, world: Path, place: Path, path: Path) -> list[object]:
    """A command that reads a raster."""
    mask, classes = world / "masks" / "1.tif", world / "classes.yaml"
    if random.random() < 0.15:
        shutil.copytree(world / "run", place / "run")
        return random.choice(
            [
                ["teach", place / "run", world / "labels.csv", "--scene", path],
                ["legend", place / "run", "--merge-to", 3, "--images", path],
                ["evaluate", place / "run", path, "--masks", world / "masks", "--classes", classes, "--no-baselines"],
                ["export", place / "run", "--out", place / "run.pt2", "--scene", path],
            ][: 4 if random.random() < 0.05 else 3]  # an export that goes well takes seconds
        )
    return random.choice(
        [
            ["info", path],
            ["info", path, "--areas"],
            ["predict", world / "run", path, "--out", place / "map.tif"],
            ["predict", world / "run", path, "--out", place / "map.png", "--confidence"],
            ["score", path, mask],
            ["score", mask, path, "--classes", classes],
            ["train", path, "--out", place / "run", "--no-cache", *_SETTINGS],
            ["assess", "sample", path, "--total", 20, "--out", place / "check"],
            ["assess", "sample", mask, "--total", 20, "--out", place / "check", "--scene", path],
        ]
    )


KINDS: dict[str, Callable[[random.Random, Path, Path], list[object]]] = {
    "recipe": _recipe,
    "--set": _change,
    "classes": _classes,
    "raster": _raster,
    "claims": _claims,
    "virtual": _virtual,
    "place": _place,
    "masks": _masks,
    "run": _run,
    "checkpoint": _checkpoint,
    "labels": _labels,
    "zones": _zones,
    "list": _list,
    "sample": _sample,
    "study": _study,
    "tiles": _tiles,
    "arguments": _arguments,
}
"""By name: what writes a bad input into a folder, and gives the command that reads it."""
