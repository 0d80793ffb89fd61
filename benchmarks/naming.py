"""From four unlabelled images to a map of five named classes in QGIS: steps, minutes and scores of scripted users.

Four sheets of a Dubai tile are trained on and mapped. In a browser, a user names what the network found, saves, exports
all maps and opens them in QGIS; the maps are scored. Before, each cluster was named by itself, and each sheet's map
asked for by itself; since, the page opens on groups of clusters, as many as its slider says. One user knows the class
that most of an item's pixels have. The others look at some of its pixels, drawn at random, and take the class that most
of those have. Another way is Teach mode: its users say what the places are that the page suggests in each sheet.

What a hand and a head take is counted by the keystroke-level model of Card, Moran and Newell ("The keystroke-level
model for user performance time with interactive systems", Communications of the ACM 23, 1980).

    python benchmarks/naming.py --data ../shared/data/dubai --json benchmarks/results/naming.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from context import SCORES
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from terrasift import Recipe, Run, train
from terrasift.legend import IGNORE, Legend
from terrasift.mapping import apply_mapping, map_clusters
from terrasift.metrics import ConfusionMatrix
from terrasift.raster import Raster, read_labels, write_image
from terrasift.viewer import app
from terrasift.viewer.scenes import Scene, make_ready
from terrasift.viewer.security import Guard
from terrasift.viewer.serving import make_server

Labels = NDArray[np.int64]
PARTS = (4, 5, 7, 8)  # of the nine of a tile, in rows of three: two by two that touch
EVERYTHING = 10**9
LOOKS = (EVERYTHING, 9, 3, 1)
WAYS = {"clusters": EVERYTHING, "20 groups": 20, "groups as the page opens": None}
TAUGHT = (5, 10, 25)  # places of each sheet
TOKEN = "0" * 64
KEY, POINT, PRESS, HOME, THINK = 0.28, 1.1, 0.2, 0.4, 1.35  # seconds, of an average typist
CLICK = POINT + PRESS


class Truth(NamedTuple):
    """Labelled pixels of all sheets: their clusters and classes."""

    clusters: Labels
    classes: Labels


class Cost(NamedTuple):
    """Of naming in the page: what is looked at, clicks, keys, what the hand and head take, and the script."""

    items: int
    clicks: int
    keys: int
    minutes: float
    seconds: float


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    whole = Legend.load(options.data / "classes.yaml")
    legend = Legend(whole.classes[:-1], (*whole.ignore, whole.classes[-1].color))
    folder = options.work or Path(tempfile.mkdtemp(prefix="naming-"))
    sheets, masks = sheets_of(options.data, options.tile, legend, folder / "images")
    run, trained = _trained(options, sheets, folder)
    begun = time.monotonic()
    scenes = make_ready(run, sheets)
    waited = {"train": round(trained / 60, 1), "view": round((time.monotonic() - begun) / 60, 1)}
    truth = _truth(scenes, masks)
    table = _overlaps(truth, run.recipe.clusters, len(legend.classes))
    rows = [{"user": "majority mapping", **_scores(apply_mapping(table, map_clusters(table)))}]
    with _served(run, scenes, folder / "maps") as (address, maps), sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        for way, groups in WAYS.items():
            for looks in LOOKS if groups else LOOKS[:1]:
                shutil.rmtree(folder / "maps", ignore_errors=True)
                Legend.of_clusters(run.recipe.clusters).save(run.legend_file)
                judge = Judge(truth, legend, looks, options.seed)
                cost, wrote = name_all(browser, address, judge, groups)
                user = f"{way}, {'every pixel' if looks == EVERYTHING else f'{looks} pixels'} of each"
                minutes = {**waited, "naming": cost.minutes, "writing": wrote}
                opened = open_in_qgis(maps) if looks == EVERYTHING else None
                scores = _scores(_confusion(maps, run.legend, masks, legend))
                rows.append({"user": user, **cost._asdict(), "all": minutes, "qgis": opened, **scores})
        browser.close()
    for places in TAUGHT:
        rows.append(taught(run, scenes, masks, legend, places, folder / "maps", waited))
    if options.json:
        options.json.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    show(rows, options.tile)


def sheets_of(data: Path, tile: int, legend: Legend, folder: Path) -> tuple[list[Path], list[NDArray[np.uint8]]]:
    """Four parts of a tile as sheets that touch, placed as they lie, and their masks."""
    sheets, masks, top = [], [], 0
    for pair in (PARTS[:2], PARTS[2:]):
        left = 0
        for part in pair:
            with Raster(next((data / "images").glob(f"tile{tile}_part{part}.*"))) as raster:
                image = raster.read()[0]
            transform = (0.5, 0.0, 320_000.0 + 0.5 * left, 0.0, -0.5, 2_780_000.0 - 0.5 * top)
            sheets.append(folder / f"sheet_{part}.tif")
            write_image(sheets[-1], image, crs="EPSG:32640", transform=transform)
            masks.append(read_labels(next((data / "masks").glob(f"tile{tile}_part{part}.*")), legend))
            left += image.shape[1]
        top += image.shape[0]
    return sheets, masks


class Judge:
    """Says what an item is: the class that most of the labelled pixels have that are looked at; None without any."""

    def __init__(self, truth: Truth, legend: Legend, looks: int, seed: int) -> None:
        self._truth, self._legend, self._looks = truth, legend, looks
        self._random = np.random.default_rng(seed)

    def name(self, clusters: Sequence[int]) -> str | None:
        """Of clusters that are one item in the page."""
        seen = self._truth.classes[np.isin(self._truth.clusters, clusters)]
        if self._looks < len(seen):
            seen = self._random.choice(seen, self._looks, replace=False)
        return self._legend.names[int(np.bincount(seen).argmax())] if len(seen) else None


def name_all(browser: Browser, address: str, judge: Judge, groups: int | None) -> tuple[Cost, float]:
    """Name what the page shows, merged to so many groups, and save it; write all maps: the cost, minutes of writing."""
    by_groups = groups != EVERYTHING
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    page.get_by_test_id("groups").wait_for(timeout=600_000)  # the first time it is looked what clusters are like
    if groups is not None:
        slide = "(slider, to) => { slider.value = to; slider.dispatchEvent(new Event('input')) }"
        page.get_by_test_id("groups").evaluate(slide, groups)
    expect(page.get_by_test_id("status")).to_contain_text(re.compile("clusters?|groups"))
    page.locator("#list .head, #list [data-cluster]").first.wait_for()
    items = _items(page)
    wanted: dict[str, list[str]] = {}
    for key, clusters in items.items():
        if name := judge.name(clusters):
            wanted.setdefault(name, []).append(key)
    start, clicks, keys = time.monotonic(), 0, 0
    for name, named in wanted.items():
        for number, key in enumerate(named):
            page.locator(f'[data-key="{key}"]').click(modifiers=["Control"] if number else [])
        page.get_by_test_id("name-input").fill(name)
        page.keyboard.press("Enter")
        clicks, keys = clicks + len(named) + 1, keys + len(name) + 1
    page.get_by_test_id("save").click()
    _wait_for(page, "Saved.")
    seconds, begun = time.monotonic() - start, time.monotonic()
    scenes = page.locator("#scene-select option").count()
    if by_groups:
        page.get_by_test_id("export-all").click()
        _wait_for(page, "Wrote")
    else:
        for scene in range(scenes):
            page.get_by_test_id("scene-select").select_option(str(scene))
            page.get_by_test_id("export").click()
            _wait_for(page, "Wrote")
    wrote = time.monotonic() - begun
    page.close()
    clicks += groups is not None  # the slider
    clicks += 1 + (1 if by_groups else 3 * scenes - 2)  # a scene is chosen by two; the first is there
    hand = clicks * CLICK + keys * KEY + 2 * HOME * len(wanted) + THINK * (len(items) + len(wanted) + 2)
    return Cost(len(items), clicks, keys, round(hand / 60, 1), round(seconds, 1)), round(wrote / 60, 1)


def taught(
    run: Run,
    scenes: list[Scene],
    masks: list[NDArray[np.uint8]],
    legend: Legend,
    places: int,
    out: Path,
    waited: dict[str, float],
) -> dict[str, Any]:
    """The row of a user who labels suggested places of each sheet in Teach mode, and maps all by `predict`."""
    shutil.rmtree(out, ignore_errors=True)
    run.labels_file.unlink(missing_ok=True)
    Legend.of_clusters(run.recipe.clusters).save(run.legend_file)
    with _served(run, scenes, out) as (address, maps), sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        cost, ready = label_all(browser, address, masks, legend, places)
        browser.close()
    begun = time.monotonic()
    command = [sys.executable, "-m", "terrasift", "predict", run.path, *(scene.path for scene in scenes), "--out", out]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    minutes = {"train": waited["train"], "view": round(waited["view"] + ready, 1), "naming": cost.minutes}
    minutes["writing"] = round((time.monotonic() - begun) / 60, 1)
    scores = _scores(_confusion(maps, run.legend, masks, legend))
    user = f"Teach, {places} suggested places of each sheet"
    return {"user": user, **cost._asdict(), "all": minutes, "qgis": open_in_qgis(maps), **scores}


def label_all(
    browser: Browser, address: str, masks: list[NDArray[np.uint8]], legend: Legend, places: int
) -> tuple[Cost, float]:
    """Type the names of the classes, say of places what they are, use what was learned: the cost, minutes of waiting.

    A place costs a thought and three keys: the next place, the class, yes.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    suggested: list[dict[str, int]] = []

    def hear(response: Response) -> None:
        if "suggestions" in response.url:
            suggested[:] = response.json()["places"]

    page.on("response", hear)
    page.goto(address)
    page.get_by_test_id("groups").wait_for(timeout=600_000)
    start = time.monotonic()
    page.get_by_test_id("teach").click()
    for name in legend.names:
        page.get_by_test_id("teach-name").fill(name)
        page.get_by_test_id("teach-name").press("Enter")
    expect(page.get_by_test_id("teach-classes").locator("li")).to_have_count(len(legend.names))
    clicks, keys, waited = 2, sum(len(name) + 1 for name in legend.names), 0.0
    for sheet, mask in enumerate(masks):
        begun = time.monotonic()
        page.get_by_test_id("scene-select").select_option(str(sheet))
        page.get_by_test_id("teach-progress").wait_for(state="hidden", timeout=600_000)
        page.locator(".suggestion").first.wait_for(timeout=60_000)
        waited += time.monotonic() - begun
        page.get_by_test_id("map").focus()
        clicks += 3  # two choose a sheet, one goes back to the map
        for _ in range(places):
            page.wait_for_timeout(100)
            known = [number for number, at in enumerate(suggested) if mask[at["row"], at["column"]] != IGNORE]
            for _ in range(known[0] + 1):
                page.keyboard.press("n")
            at = suggested[known[0]]
            page.keyboard.press(str(int(mask[at["row"], at["column"]]) + 1))
            with page.expect_response(re.compile("lesson/expected"), timeout=60_000):
                page.keyboard.press("Space")
            keys += known[0] + 3
    page.get_by_test_id("teach-use").click()
    _wait_for(page, "from now on")
    page.close()
    seconds, looked = time.monotonic() - start, places * len(masks)
    hand = (clicks + 1) * CLICK + keys * KEY + 2 * HOME + THINK * (looked + len(legend.names) + 1)
    return Cost(looked, clicks + 1, keys, round(hand / 60, 1), round(seconds, 1)), waited / 60


def _items(page: Page) -> dict[str, list[int]]:
    """What can be named in the list, by its key: the clusters of each."""
    found: dict[str, list[int]] = {}
    for key in page.locator("#list .head").evaluate_all("(heads) => heads.map((head) => head.dataset.key)"):
        head = page.locator(f'[data-key="{key}"]')
        head.locator(".chevron").click()
        inside = page.locator(f'[data-testid=class-item]:has([data-key="{key}"]) [data-cluster]')
        found[key] = [int(cluster) for cluster in inside.evaluate_all("(tiles) => tiles.map((t) => t.dataset.cluster)")]
        head.locator(".chevron").click()
    inside = page.locator("#list [data-cluster]")
    for cluster in inside.evaluate_all("(tiles) => tiles.map((tile) => tile.dataset.cluster)"):
        found[f"cluster:{cluster}"] = [int(cluster)]
    return found


def open_in_qgis(maps: Sequence[Path]) -> list[str] | None:
    """The named classes that QGIS shows of every map as it is opened; None where there is no QGIS."""
    if not shutil.which("qgis_process"):
        return None
    settings = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    settings.pop("PYTHONPATH", None)
    command = ["/usr/bin/python3", "-c", _OPEN, *map(str, maps)]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
    found: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    everywhere = set.intersection(*map(set, found))
    return sorted(name for name in everywhere if not name.startswith(("cluster ", "class ")))


_OPEN = """
import json, os, sys
from qgis.core import QgsApplication, QgsRasterLayer
application = QgsApplication([], False)
application.initQgis()
layers = [QgsRasterLayer(path, path) for path in sys.argv[1:]]
renderers = [layer.renderer() for layer in layers]
names = [[each.label for each in classes] for classes in [renderer.classes() for renderer in renderers]]
print(json.dumps(names), flush=True)
os._exit(0)
"""


def show(rows: list[dict[str, Any]], tile: int) -> None:
    title = f"Dubai, four sheets of tile {tile} named in the page, per cent, on {platform.platform()}"
    table = Table("user", "looked at", "clicks", "keys", "minutes of naming", *SCORES, title=title)
    for row in rows:
        cost = (str(row.get(name, "")) for name in ("items", "clicks", "keys", "minutes"))
        table.add_row(row["user"], *cost, *(f"{100 * row[name]:.1f}" for name in SCORES))
    Console(width=150, file=sys.stdout).print(table)
    print(json.dumps({row["user"]: [row["all"], row["qgis"]] for row in rows if row.get("qgis")}))


def _trained(options: argparse.Namespace, sheets: list[Path], folder: Path) -> tuple[Run, float]:
    """A run of the recipe `default`, or a copy of one that is there, and the seconds it took."""
    if options.run:
        return Run.open(shutil.copytree(options.run, folder / "run", dirs_exist_ok=True)), 0.0
    start = time.monotonic()
    run = train(sheets, folder / "run", Recipe.load("default", list(options.changes)), cache=folder / "cache")
    return run, time.monotonic() - start


def _truth(scenes: Sequence[Scene], masks: Sequence[NDArray[np.uint8]]) -> Truth:
    pairs = [(_read(scene.clusters), mask) for scene, mask in zip(scenes, masks, strict=True)]
    counted = [(clusters >= 0) & (mask != IGNORE) for clusters, mask in pairs]
    clusters = np.concatenate([found[seen] for (found, _), seen in zip(pairs, counted, strict=True)])
    classes = np.concatenate([mask[seen] for (_, mask), seen in zip(pairs, counted, strict=True)])
    return Truth(clusters, classes.astype(np.int64))


def _overlaps(truth: Truth, count: int, classes: int) -> Labels:
    return np.bincount(truth.clusters * classes + truth.classes, minlength=count * classes).reshape(count, classes)


def _confusion(maps: Sequence[Path], named: Legend, masks: Sequence[NDArray[np.uint8]], legend: Legend) -> Labels:
    """Of exported maps; their classes are found again by their names, whatever their order."""
    total = np.zeros((len(legend.classes), len(legend.classes)), np.int64)
    mapping = np.array([legend.names.index(name) if name in legend.names else 0 for name in named.names])
    for path, mask in zip(maps, masks, strict=True):
        found = _read(path)
        counted = (found >= 0) & (mask != IGNORE)
        truth = Truth(found[counted], mask[counted].astype(np.int64))
        total += apply_mapping(_overlaps(truth, len(named.classes), len(legend.classes)), mapping)
    return total


def _scores(confusion: Labels) -> dict[str, float]:
    matrix = ConfusionMatrix(confusion)
    return {name: float(getattr(matrix, name)) for name in SCORES}


def _read(path: Path) -> Labels:
    """Indices of a map; -1 where there is no data."""
    with Raster(path) as raster:
        values, valid = raster.read_indices()
    return np.where(valid, values.astype(np.int64), -1)


@contextmanager
def _served(run: Run, scenes: list[Scene], out: Path) -> Iterator[tuple[str, list[Path]]]:
    """The page: its address, and where maps go."""
    maps = [out / scene.name for scene in scenes]
    page = app.Page(run, scenes, maps, TOKEN)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        host, port = listener.getsockname()
        server = make_server(Guard(page.app, host, port, TOKEN))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://{host}:{port}/", maps
        finally:
            server.should_exit = True
            thread.join()
            page.close()


def _wait_for(page: Page, text: str) -> None:
    expect(page.get_by_test_id("status")).to_contain_text(re.compile(re.escape(text)), timeout=120_000)


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        sys.exit("needs Chromium, which the system installs")
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with images/, masks/ and classes.yaml")
    parser.add_argument("--run", type=Path, help="one trained on the sheets; it is copied. Else one is trained")
    parser.add_argument("--changes", nargs="*", default=[], metavar="KEY=VALUE", help="of the recipe `default`")
    parser.add_argument("--tile", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="draws the pixels that are looked at")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder for the sheets, the run and maps")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
