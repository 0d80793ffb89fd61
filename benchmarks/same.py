"""What a run that another checkout has trained gives with its code, and with that of this one: the same bytes?

    python benchmarks/same.py CHECKOUT [--recipe paper] [--json FILE]

Trains a small run with the code of CHECKOUT (a worktree of an older commit, say), on generated scenes. Then both
checkouts map a scene with it, score it against the masks and write its report, each in a copy of the run, and each
file is compared: maps byte by byte, evaluation.json key by key, the report by its words and its pictures.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

OURS = Path(__file__).parents[1]
TINY = (
    "width=4", "patch=64", "batch_size=4", "clusters=12", "epochs=4", "lr=1e-3", "lr_final=1e-4", "compute.device=cpu",
    "predict.window=128", "predict.margin=16",
)  # fmt: skip
SCENES = """
import sys
from pathlib import Path
from terrasift import LandClass, Legend
from terrasift.data.synthetic import SYNTHETIC_CLASSES, synthetic_scene
from terrasift.raster import write_image
folder = Path(sys.argv[1])
for seed, name in enumerate(("north", "south")):
    scene = synthetic_scene(320, 288, seed=seed)
    grid = {"crs": "EPSG:32633", "transform": (0.25, 0.0, 500_000.0 + 72 * seed, 0.0, -0.25, 5_000_000.0)}
    write_image(folder / "images" / f"{name}.tif", scene.image, **grid)
    write_image(folder / "masks" / f"{name}.tif", scene.labels, **grid)
Legend(tuple(LandClass(name, color) for name, color in SYNTHETIC_CLASSES)).save(folder / "classes.yaml")
"""


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        execute(options.checkout, "-c", SCENES, work)
        changes = [part for change in TINY for part in ("--set", change)]
        images, run = work / "images", work / "run"
        terrasift(options.checkout, "train", images, "--out", run, "--recipe", options.recipe, "--no-cache", *changes)
        found = {}
        for name, checkout in {"before": options.checkout, "after": OURS}.items():
            own = shutil.copytree(run, work / name / "run")
            terrasift(checkout, "predict", own, images / "north.tif", "--out", work / name / "clusters.tif")
            truth = ("--masks", work / "masks", "--classes", work / "classes.yaml")
            terrasift(checkout, "evaluate", own, images / "south.tif", *truth, "--map-images", images / "north.tif")
            more = ("--confidence", "--vector", work / name / "map.gpkg")
            terrasift(checkout, "predict", own, images / "north.tif", "--out", work / name / "map.tif", *more)
            found[name] = own.parent
        differences = {name: compared(*(found[side] / name for side in found)) for name in FILES}
    for name, lines in differences.items():
        print(f"{name}: {'the same' if not lines else f'{len(lines)} differences'}")
        for line in lines[:40]:
            print(f"    {line}")
    if options.json:
        options.json.write_text(json.dumps(differences, indent=1, ensure_ascii=False) + "\n")


FILES = (
    "clusters.tif", "clusters.qml", "map.tif", "map.confidence.tif", "map.qml", "map.gpkg", "run/legend.yaml",
    "run/evaluation.json", "run/report.html",
)  # fmt: skip


def compared(before: Path, after: Path) -> list[str]:
    """What is other than it was; nothing where both are the same."""
    missing = [path.parents[0].name for path in (before, after) if not path.exists()]
    if missing:
        return [f"missing: {', '.join(missing)}"]
    if before.read_bytes() == after.read_bytes():
        return []
    read = {".json": keys, ".html": words, ".gpkg": shapes}.get(after.suffix, lines_of)
    changes = difflib.unified_diff(read(before), read(after), "before", "after", lineterm="", n=0)
    return [line for line in changes if not line.startswith(("---", "+++", "@@"))]


def lines_of(path: Path) -> list[str]:
    return path.read_text("latin-1").splitlines()


def keys(path: Path) -> list[str]:
    """A line for each number, text or list of them, with the keys that lead to it."""

    def lines(value: Any, place: str) -> list[str]:
        entries = value.items() if isinstance(value, dict) else ()
        if isinstance(value, list) and value and isinstance(value[0], dict):
            entries = enumerate(value)
        below = [line for key, entry in entries for line in lines(entry, f"{place}.{key}")]
        return below or [f"{place.removeprefix('.')} = {json.dumps(value)}"]

    return lines(json.loads(path.read_text()), "")


def words(path: Path) -> list[str]:
    """The words of a page, piece by piece, and digests of its pictures."""
    text = path.read_text(encoding="utf-8").partition("<body")[2]
    text = re.sub(r'"data:image/[^"]*"', lambda found: f"><p>picture {digest(found[0])}</p><", text)
    pieces = (" ".join(html.unescape(piece).split()) for piece in re.split(r"<[^>]*>", text))
    return [piece for piece in pieces if piece]


def shapes(path: Path) -> list[str]:
    """A line for each polygon and its columns; a GeoPackage itself holds the time it was made."""
    import pyogrio

    _, _, geometries, columns = pyogrio.raw.read(path)
    return [f"{digest(shape)} {values}" for shape, *values in zip(geometries, *columns, strict=True)]


def digest(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()[:12]


def terrasift(checkout: Path, *arguments: object) -> None:
    execute(checkout, "-m", "terrasift", *arguments)


def execute(checkout: Path, *arguments: object) -> None:
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve() / "src"), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(f"{checkout}: {' '.join(map(str, arguments[1:4]))}:\n{ended.stderr[-2000:]}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--recipe", default="paper")
    parser.add_argument("--json", metavar="FILE", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
