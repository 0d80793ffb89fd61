"""Naming the clusters of a Dubai scene in the page: what a scripted user reaches, against the majority mapping.

The nine parts of a tile make one scene. In a browser, the user selects the clusters of each class in the list, merges
them, types the name, saves and exports; the exported map is scored. One user knows the class that most of a cluster's
pixels have. The others look at some of its pixels, drawn at random, and take the class that most of those have.

    python benchmarks/naming.py RUN --data ../shared/data/dubai --tile 2 --json benchmarks/results/naming.json
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from context import SCORES, mosaic
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from terrasift import Run
from terrasift.legend import IGNORE, Legend
from terrasift.mapping import apply_mapping, map_clusters
from terrasift.metrics import ConfusionMatrix
from terrasift.raster import Raster
from terrasift.viewer import app
from terrasift.viewer.scenes import make_ready
from terrasift.viewer.security import Guard
from terrasift.viewer.serving import make_server

Labels = NDArray[np.int64]
EVERYTHING = 10**9
LOOKS = (EVERYTHING, 9, 3, 1)
TOKEN = "0" * 64


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    legend = Legend.load(options.data / "classes.yaml")
    folder = options.work or Path(tempfile.mkdtemp(prefix="naming-"))
    scene, truth = mosaic(options.data, options.tile, legend, folder)
    run = Run.open(_copied(options.run, folder / "run"))
    exported = folder / "map.tif"
    rows = []
    with _served(run, scene, exported) as (address, cluster_map), sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        clusters = _read(cluster_map)
        table = _overlaps(clusters, truth, run.recipe.clusters, len(legend.classes))
        rows.append({"user": "majority mapping", **_scores(apply_mapping(table, map_clusters(table)))})
        for looks in LOOKS:
            exported.unlink(missing_ok=True)
            Legend.of_clusters(run.recipe.clusters).save(run.legend_file)
            wanted = _judged(clusters, truth, legend, looks, options.seed)
            cost = name_all(browser, address, wanted)
            user = "sees every pixel" if looks == EVERYTHING else f"looks at {looks} of its pixels"
            rows.append({"user": user, **cost, **_scores(_confusion(exported, run.legend, truth, legend))})
    if options.json:
        options.json.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    show(rows, options.tile)


def name_all(browser: Browser, address: str, wanted: dict[str, list[int]]) -> dict[str, float]:
    """Name clusters in the page, by name; then save and export."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    apart = "(slider) => { slider.value = slider.max; slider.dispatchEvent(new Event('input')) }"
    page.get_by_test_id("groups").wait_for()
    page.get_by_test_id("groups").evaluate(apart)  # these users name cluster by cluster
    page.get_by_test_id("cluster-item").first.wait_for()
    start, clicks = time.monotonic(), 0
    for name, clusters in wanted.items():
        for number, cluster in enumerate(clusters):
            item = page.locator(f'[data-testid=cluster-item][data-cluster="{cluster}"]')
            item.click(modifiers=["Control"] if number else [])
            clicks += 1
        if len(clusters) > 1:
            page.get_by_test_id("merge").click()
        page.get_by_test_id("name-input").fill(name)
        page.keyboard.press("Enter")
    page.keyboard.press("Control+s")
    _wait_for(page, "Saved.")
    seconds = time.monotonic() - start
    page.get_by_test_id("export").click()
    _wait_for(page, "Wrote")
    page.close()
    return {"clusters": sum(map(len, wanted.values())), "clicks": clicks, "seconds": round(seconds, 1)}


def show(rows: list[dict[str, Any]], tile: int) -> None:
    title = f"Dubai, tile {tile} named in the page, per cent, on {platform.platform()}"
    table = Table("user", "clusters", "seconds of the script", *SCORES, title=title)
    for row in rows:
        cost = (str(row.get("clusters", "")), str(row.get("seconds", "")))
        table.add_row(row["user"], *cost, *(f"{100 * row[name]:.1f}" for name in SCORES))
    Console(width=130, file=sys.stdout).print(table)


def _judged(clusters: Labels, truth: NDArray[np.uint8], legend: Legend, looks: int, seed: int) -> dict[str, list[int]]:
    """Clusters by the name of the class that most of the pixels looked at have; labelled pixels only."""
    random = np.random.default_rng(seed)
    found: dict[str, list[int]] = {}
    for cluster in np.unique(clusters[clusters >= 0]).tolist():
        seen = truth[(clusters == cluster) & (truth != IGNORE)]
        if looks < len(seen):
            seen = random.choice(seen, looks, replace=False)
        if len(seen):
            found.setdefault(legend.names[int(np.bincount(seen).argmax())], []).append(cluster)
    return found


def _overlaps(clusters: Labels, truth: NDArray[np.uint8], count: int, classes: int) -> Labels:
    counted = (truth != IGNORE) & (clusters >= 0)
    pairs = clusters[counted] * classes + truth[counted]
    return np.bincount(pairs, minlength=count * classes).reshape(count, classes)


def _confusion(path: Path, named: Legend, truth: NDArray[np.uint8], legend: Legend) -> Labels:
    """Of an exported map; its classes are found again by their names, whatever their order."""
    table = _overlaps(_read(path), truth, len(named.classes), len(legend.classes))
    mapping = np.array([legend.names.index(name) if name in legend.names else 0 for name in named.names])
    return apply_mapping(table, mapping)


def _scores(confusion: Labels) -> dict[str, float]:
    matrix = ConfusionMatrix(confusion)
    return {name: float(getattr(matrix, name)) for name in SCORES}


def _read(path: Path) -> Labels:
    """Indices of a map; -1 where there is no data."""
    with Raster(path) as raster:
        values, valid = raster.read_indices()
    return np.where(valid, values.astype(np.int64), -1)


@contextmanager
def _served(run: Run, scene: Path, out: Path) -> Iterator[tuple[str, Path]]:
    """The page of one scene: its address, and its cluster map."""
    ready = make_ready(run, [scene])
    page = app.Page(run, ready, [out], TOKEN)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        host, port = listener.getsockname()
        server = make_server(Guard(page.app, host, port, TOKEN))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://{host}:{port}/", ready[0].clusters
        finally:
            server.should_exit = True
            thread.join()
            page.close()


def _wait_for(page: Page, text: str) -> None:
    expect(page.get_by_test_id("status")).to_contain_text(re.compile(re.escape(text)), timeout=120_000)


def _copied(run: Path, target: Path) -> Path:
    """A copy of a run, its legend that of a run that nobody has named."""
    shutil.copytree(run, target, dirs_exist_ok=True)
    Legend.of_clusters(Run(target).recipe.clusters).save(target / "legend.yaml")
    return target


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        sys.exit("needs Chromium, which the system installs")
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a trained run; it is copied")
    parser.add_argument("--data", type=Path, required=True, help="folder with images/, masks/ and classes.yaml")
    parser.add_argument("--tile", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="draws the pixels that are looked at")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder for the scene, the run's copy and maps")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
