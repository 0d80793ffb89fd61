"""What puzzled a first user, tried again as a new user would: a line each of what was asked and what happened.

Trains a tiny network on four generated sheets that touch, and goes through the commands, the page and the report. With
chromium and playwright the page is used, too.

    python benchmarks/first_use.py --json benchmarks/results/first_use.json
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio

from terrasift import Recipe, Run
from terrasift.data.synthetic import SYNTHETIC_CLASSES, synthetic_scene
from terrasift.demo.walk import demo
from terrasift.legend import LandClass, Legend
from terrasift.raster import Raster, write_image

SIDE = 192  # pixels of a sheet
TINY = ("width=6", "clusters=16", "patch=64", "crop=48", "steps=120", "compute.device=cpu")
SET = [part for change in TINY for part in ("--set", change)]
EDGE = 7


class Said(NamedTuple):
    code: int
    text: str
    seconds: float
    """Of the processor's time: other work on the machine does not count."""


class Line(NamedTuple):
    asked: str
    happened: str
    good: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="+", default=[each.__name__ for each in TRIALS], metavar="NAME")
    options = parser.parse_args()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        make_town(Path())
        terrasift("train", "images", "--out", "run", *SET, "--no-cache")
        for trial in TRIALS:
            if trial.__name__ in options.only:
                found = trial()
                lines += found
                for line in found:
                    print(f"{'good' if line.good else 'BAD ':4} | {line.asked} | {line.happened}", flush=True)
    if options.json:
        options.json.write_text(
            json.dumps([line._asdict() | {"good": bool(line.good)} for line in lines], indent=1) + "\n"
        )
    sys.exit(not all(line.good for line in lines))


def make_town(folder: Path) -> None:
    """Four sheets that touch, their masks, and the classes."""
    town = synthetic_scene(2 * SIDE, 2 * SIDE, seed=4)
    for row in range(2):
        for column in range(2):
            cut = np.s_[row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE]
            transform = (0.25, 0.0, 500_000 + 0.25 * SIDE * column, 0.0, -0.25, 5_000_000 - 0.25 * SIDE * row)
            for kind, values in (("images", town.image), ("masks", town.labels)):
                path = folder / kind / f"sheet_{row}{column}.tif"
                write_image(path, values[cut], crs="EPSG:32633", transform=transform)
    Legend(tuple(LandClass(name, color) for name, color in SYNTHETIC_CLASSES)).save(folder / "classes.yaml")


def terrasift(*arguments: object) -> Said:
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "terrasift", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    after = os.times()
    seconds = after.children_user - before.children_user + after.children_system - before.children_system
    return Said(done.returncode, f"{done.stdout}\n{done.stderr}".strip(), seconds)


def last(said: Said) -> str:
    return said.text.splitlines()[-1][:300]


def refused(asked: str, said: Said, *words: str) -> Line:
    """Whether a command ended with one line that has these words."""
    good = said.code == 2 and "Traceback" not in said.text and all(word in said.text for word in words)
    return Line(asked, last(said), good)


def sparse_labels() -> list[Line]:
    """27 labelled pixels in 3 classes must not make a map of one of them."""
    labels = np.full((SIDE, SIDE), 255, np.uint8)
    with Raster("masks/sheet_00.tif") as raster:
        truth = raster.read()[0][:, :, 0]
    for value in np.unique(truth)[:3]:
        rows, columns = (places[:9] for places in np.nonzero(truth == value))
        labels[rows, columns] = value
    with Raster("images/sheet_00.tif") as raster:
        write_image(Path("sparse/sheet_00.tif"), labels, crs="EPSG:32633", transform=raster.info.transform)
    said = terrasift(
        *("evaluate", "run", "images/sheet_00.tif", "--masks", "sparse", "--classes", "classes.yaml", "--no-baselines")
    )
    found = re.search(r"[^\n]*no labelled pixel[^\n]*", said.text)
    terrasift("predict", "run", "images/sheet_00.tif", "--out", "sparse.tif", "--overwrite")
    with rasterio.open("sparse.tif") as dataset:
        counts = np.bincount(dataset.read(1).ravel(), minlength=256)
    terrasift("legend", "run", "--reset")
    happened = f"{found[0].strip() if found else last(said)}; {counts[255] / counts.sum():.0%} of the map has no class"
    return [Line("evaluate with 27 labelled pixels in 3 classes", happened, bool(found) and counts[255] > 0)]


def edges() -> list[Line]:
    """The same ground as the edge of an image, and inside one: no cluster may gain by being at an edge."""
    run = Run.open("run")
    image = mosaic("images")
    whole = run.predictor.array(image, np.ones(image.shape[:2], bool))[0]
    at_edge, inside = np.zeros(run.recipe.clusters), np.zeros(run.recipe.clusters)
    side = 96
    ring = np.ones((side, side), bool)
    ring[EDGE:-EDGE, EDGE:-EDGE] = False
    for row in range(48, len(image) - 48 - side + 1, side // 2):
        for column in range(48, len(image) - 48 - side + 1, side // 2):
            cut = np.s_[row : row + side, column : column + side]
            alone = run.predictor.array(np.ascontiguousarray(image[cut]), np.ones((side, side), bool))[0]
            at_edge += np.bincount(alone[ring], minlength=run.recipe.clusters)
            inside += np.bincount(whole[cut][ring], minlength=run.recipe.clusters)
    shares = [100 * counts / counts.sum() for counts in (at_edge, inside)]
    most = int((shares[0] - shares[1]).argmax())
    happened = (
        f"of all clusters, {most} gains most: {shares[0][most]:.1f} % of the outer {EDGE} pixels of images,"
        f" {shares[1][most]:.1f} % of the same ground inside a larger one"
    )
    return [Line("does a cluster belong to the edges of images?", happened, shares[0][most] - shares[1][most] < 3)]


def seams() -> list[Line]:
    """Sheets that touch are mapped with what lies beyond their edges."""
    run = Run.open("run")
    image = mosaic("images")
    whole = run.predictor.array(image, np.ones(image.shape[:2], bool))[0]
    said = terrasift("predict", "run", "images", "--out", "maps", "--clusters")
    terrasift("predict", "run", "images/sheet_00.tif", "--out", "alone.tif", "--clusters")
    near = np.s_[SIDE - EDGE : SIDE + EDGE]
    together = (mosaic("maps")[near, :, 0] == whole[near]).mean()
    with rasterio.open("alone.tif") as dataset:
        alone = (dataset.read(1)[-EDGE:] == whole[SIDE - EDGE : SIDE, :SIDE]).mean()
    happened = (
        f"{EDGE} pixels from a seam {together:.1%} of the map is that of the whole image; mapped alone {alone:.1%}"
    )
    style = Path("maps/mosaic.qml").exists()
    return [
        Line("predict four sheets that touch", happened, together > 0.99),
        Line("the mosaic of many maps", f"{last(said)}; mosaic.qml {'is' if style else 'is not'} beside it", style),
    ]


def training() -> list[Line]:
    Path("mixed").mkdir()
    for kind in ("images", "masks"):
        shutil.copytree(kind, f"mixed/{kind}")
    resumed = terrasift("train", "masks/sheet_00.tif", "--out", "run", "--resume")
    return [
        one_epoch(),
        refused("train --resume of a finished run, with other images", resumed),
        more_steps(),
        refused(
            "train 'mixed/**/*' with masks among the images", terrasift("train", "mixed/**/*", "--out", "t3"), "mask"
        ),
        said_by(
            "train with a patch larger than the images", train("--set", "patch=512", "--set", "crop=512"), "smaller"
        ),
        refused(
            "train a folder that holds only folders", terrasift("train", "mixed", "--out", "t5"), "mixed/**/images"
        ),
        refused("train --set compute.device=cuda, without one", train("--set", "compute.device=cuda"), "cuda"),
    ]


def train(*changes: str) -> Said:
    shutil.rmtree("other", ignore_errors=True)
    return terrasift("train", "images", "--out", "other", *SET, "--set", "steps=2", *changes, "--no-cache")


def one_epoch() -> Line:
    said = terrasift("train", "images", "--out", "other", "--set", "epochs=1", "--no-cache")
    return refused("train --set epochs=1, where the recipe counts steps", said, "counts for nothing")


def more_steps() -> Line:
    shutil.copytree("run", "longer")
    said = terrasift("train", "images", "--out", "longer", *SET, "--set", "steps=130", "--resume", "--no-cache")
    happened = last(said) if said.code else f"goes on to {Run.open('longer').log.steps} steps"  # type: ignore[union-attr]
    return Line("train --resume of a finished run, for more steps", happened, "Traceback" not in said.text)


def said_by(asked: str, said: Said, word: str) -> Line:
    found = re.search(rf"[^\n]*{word}[^\n]*", said.text)
    return Line(asked, (found[0].strip() if found else last(said))[:300], bool(found))


def predicting() -> list[Line]:
    Path("notes.txt").write_text("mine")
    Path("notes.tif").write_text("mine")
    over = terrasift("predict", "run", "images/sheet_00.tif", "--out", "notes.tif")
    plain = terrasift("predict", "run", "images/sheet_00.tif", "--out", "plain.tif")
    many = terrasift("predict", "run", "images", "--out", "polygons", "--vector", "polygons")
    terrasift("legend", "run", "--merge-to", "4", "--name", "0=meadow")
    terrasift("predict", "run", "images/sheet_00.tif", "--out", "named.tif")
    info = terrasift("info", "named.tif")
    count = len(list(Path("polygons").glob("*.gpkg")))
    exported = terrasift("export", "run", "--out", "run.onnx", "--scene", "images/sheet_00.tif")
    terrasift("legend", "run", "--reset")
    return [
        refused("predict --out where a file stands", over, "--overwrite"),
        said_by("the hint after a map without names", plain, "--merge-to"),
        Line("predict of many scenes, with --vector DIR", f"{count} GeoPackages", many.code == 0 and count == 4),
        said_by("info of one of our own maps", info, r"meadow +\d"),
        said_by("the hint after export", exported, "onnxruntime"),
        said_by("--version", terrasift("--version"), r"\d\.\d"),
    ]


def masks() -> list[Line]:
    beside = terrasift("evaluate", "run", "mixed/images", "--classes", "classes.yaml", "--no-baselines")
    one = ("evaluate", "run", "images", "--classes", "classes.yaml", "--no-baselines")
    for number in range(2):
        Path(f"half{number}").mkdir()
        for path in sorted(Path("masks").glob("*.tif"))[2 * number : 2 * number + 2]:
            shutil.copy(path, f"half{number}")
    two = terrasift(*one, "--masks", "half0", "--masks", "half1")
    terrasift("legend", "run", "--reset")
    return [
        Line("masks that lie beside the images", last(beside), beside.code == 0),
        Line("masks in two folders: --masks A --masks B", last(two), two.code == 0),
    ]


def legends() -> list[Line]:
    listed = terrasift("legend", "run")
    terrasift("legend", "run", "--merge-to", "5")
    first = terrasift("legend", "run", "--name", "0=sea", "--name", "1=land")
    joined = terrasift("legend", "run", "--merge", "sea,land")
    shares = [float(share) for share in re.findall(r"(\d+\.\d) %", first.text)]
    terrasift("legend", "run", "--reset")
    return [
        Line("legend, the processor's seconds until it is listed", f"{listed.seconds:.1f} s", listed.seconds < 3),
        Line("the table is sorted by area", ", ".join(map(str, shares)), shares == sorted(shares, reverse=True)),
        Line("legend --merge by names", last(joined), joined.code == 0 and "land" not in joined.text.split("wrote")[0]),
    ]


def terminal() -> list[Line]:
    """In a terminal no bar may run into the line after it."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "terrasift", "train", "images", "--out", "typed", *SET, "--set", "steps=12"]
    process = subprocess.Popen([*command, "--no-cache"], stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(master, 65536):
            seen += chunk
    process.wait()
    glued = re.findall(r"clusters \d+[a-z]", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode()))
    return [Line("progress in a terminal", f"{len(glued)} lines run into the next", not glued and b"wrote" in seen)]


def report() -> list[Line]:
    terrasift("legend", "run", "--merge-to", "4")
    page = Path("run/report.html")
    lines = []
    held = sum(len(entry.clusters) for entry in Run.open("run").legend.classes)
    said = sum(map(int, re.findall(r"(\d+) clusters?(?:</span>|, \d+ of them)", page.read_text())))
    lines.append(Line("the report's classes count what the legend holds", f"{said} of {held} clusters", said == held))
    with browser() as chromium:
        if chromium is not None:
            for width in (1280, 390):
                view = chromium.new_page(viewport={"width": width, "height": 844})
                view.goto(page.absolute().as_uri())
                wide, high = view.evaluate(
                    "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
                )
                picture = view.locator(".patches img").first.bounding_box()
                happened = f"{wide} px wide, {high:,} px long, sample patches {picture['width']:.0f} px"
                lines.append(Line(f"the report at {width} px", happened, wide <= width and high < 12_000))
    terrasift("legend", "run", "--reset")
    return lines


def page() -> list[Line]:
    """The page in a browser."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        busy = terrasift("view", "run", "images", "--no-browser", "--port", taken.getsockname()[1])
    lines = [refused(f"view at a busy port, said after {busy.seconds:.1f} s of the processor", busy, "cannot listen")]
    with browser() as chromium:
        if chromium is None:
            return lines
        with viewing() as (address, seconds):
            again = f"the page is there after {seconds:.1f} s of the processor"
            lines.append(Line("view of four scenes that are mapped", again, seconds < 10))
            lines += use_page(chromium, address)
    return lines


def use_page(chromium: Any, address: str) -> list[Line]:
    view = chromium.new_page(viewport={"width": 1280, "height": 800})
    view.goto(address)
    view.get_by_test_id("groups").wait_for()
    view.locator(".head").first.wait_for()
    opacity, heads = view.locator("#opacity-value").inner_text(), view.locator(".head .name").all_inner_texts()
    lines = [Line("the page opens", f"at {opacity} on {', '.join(heads)}", len(heads) < 16)]
    named = view.locator("#named-share").inner_text()
    lines.append(Line("what it says of classes without names", named, named == "0 % named"))
    before = Path("run/legend.yaml").read_bytes()
    box = view.get_by_test_id("map").bounding_box()
    view.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    view.get_by_test_id("point-panel").wait_for()
    lines.append(Line("a click on the layer Classes", view.locator("#chosen").inner_text(), True))
    view.get_by_test_id("name-input").fill("water")
    view.keyboard.press("Enter")
    color = view.get_by_test_id("color-input").input_value()
    lines.append(Line("a class is called water", f"and drawn in {color}", color == "#2b7bba"))
    view.get_by_test_id("map").focus()
    view.keyboard.press("s")
    asks = view.get_by_test_id("split-dialog").is_visible()
    lines.append(Line("S on a class", "asks first" if asks else "splits it", asks))
    view.keyboard.press("Escape")
    view.get_by_test_id("export-all").click()
    view.locator("#status", has_text="Wrote").wait_for(timeout=120_000)
    same = Path("run/legend.yaml").read_bytes() == before
    happened = f"{view.locator('#status').inner_text()}; the legend {'is as it was' if same else 'was saved'}"
    lines.append(Line("the maps of all scenes", happened, same and len(list(Path("run/maps").glob("*.tif"))) == 4))
    small = chromium.new_page(viewport={"width": 390, "height": 844})
    small.goto(address)
    small.locator(".head").first.wait_for()
    wide = small.evaluate("document.documentElement.scrollWidth")
    return [*lines, Line("the page at 390 px", f"is {wide} px wide", wide == 390)]


def demonstration() -> list[Line]:
    made = demo("demo", Recipe.load("demo", ["width=4", "clusters=12", "patch=64", "steps=12"]), side=256).read_text()
    shows = [word for word in ("merged to", "terrasift view", "color-scheme: light dark") if word in made]
    return [Line("the demo shows merging, view and dark mode", ", ".join(shows), len(shows) == 3)]


TRIALS: tuple[Callable[[], list[Line]], ...] = (
    *(sparse_labels, edges, seams, training, predicting, masks, legends, terminal, report, page, demonstration),
)


def mosaic(folder: str) -> Any:
    parts = []
    for row in range(2):
        with (
            rasterio.open(f"{folder}/sheet_{row}0.tif") as left,
            rasterio.open(f"{folder}/sheet_{row}1.tif") as right,
        ):
            parts.append(np.concatenate([np.moveaxis(each.read(), 0, 2) for each in (left, right)], axis=1))
    return np.concatenate(parts)


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Chromium; None where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if found is None:
        yield None
        return
    with sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@contextlib.contextmanager
def viewing() -> Iterator[tuple[str, float]]:
    """The page's address, once all is mapped, and the processor's seconds until it was there."""
    for _ in range(2):
        command = [sys.executable, "-m", "terrasift", "view", "run", "images", "--no-browser"]
        process = subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        address = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+/", line)))
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        if _ == 1:
            yield address, seconds
        process.send_signal(signal.SIGINT)
        process.wait()


if __name__ == "__main__":
    main()
