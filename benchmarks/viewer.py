"""How fast the local page's tiles come, on a generated scene of 20,000 x 20,000 pixels with its maps.

The scene, its cluster map of 100 clusters and its confidence map are written window by window into a folder, which is
kept for the next run if it is named. The server is a process of its own, as `terrasift view` starts it; tiles are asked
for over HTTP by as many connections as a browser opens to one host. A new server, the system's own cache as it is:

- the first tile, and the first of each kind
- what a browser asks for while somebody zooms from the whole scene to the pixels, then pans: image, labels and
  confidence of every tile in a window of 1280 x 800

    python benchmarks/viewer.py --folder /tmp/viewer --json benchmarks/results/viewer.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window as RasterioWindow
from rich.console import Console
from rich.table import Table

from terrasift import Legend, Recipe, Run
from terrasift.data.display import Display
from terrasift.data.synthetic import synthetic_scene
from terrasift.progress import track
from terrasift.raster import ClassMapWriter, Raster, Window, confidence_path, preview_base, write_preview
from terrasift.recipe import Scaling
from terrasift.run import RunFolder
from terrasift.viewer.app import Page
from terrasift.viewer.scenes import Scene
from terrasift.viewer.security import Guard
from terrasift.viewer.serving import make_server
from terrasift.viewer.sockets import LOOPBACK, bound_socket

CLUSTERS = 100
SIDE = 2500  # of the windows written
FIRST, MOST = 300, 150  # milliseconds: of the first tile, and of 95 % of them
KINDS = ("image", "labels", "confidence")
BROWSER = 6  # connections to one host
SCREEN = (4, 6)  # rows and columns of tiles that a window of 1280 x 800 touches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help="keep the scene here")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        made = prepare(folder, options.side)
        measured = measure(folder, options.side)
    rows = summarise(measured)
    show(rows, options.side, made)
    if options.json:
        content = {"side": options.side, "machine": platform.platform(), "cores": os.cpu_count(), **made, "tiles": rows}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def prepare(folder: Path, side: int) -> dict[str, float]:
    """Write what is not there yet; seconds that the preview took."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = folder / "scene.tif"
    pattern = synthetic_scene(SIDE, SIDE, seed=1)
    if not scene.exists():
        write_scene(scene, side, pattern.image)
    if not (folder / "clusters.tif").exists():
        write_maps(folder, side, pattern.labels)
    run = RunFolder(folder / "run")
    scaling = Scaling(dtype="uint8", low=(0.0,) * 3, high=(255.0,) * 3, fill=(0.5,) * 3)
    run.path.mkdir(exist_ok=True)
    Recipe.load("default").model_copy(update={"scaling": scaling, "clusters": CLUSTERS}).save(run.recipe_file)
    start = time.monotonic()
    opened = open_scene(folder)
    assert opened.preview is not None
    opened.preview.unlink(missing_ok=True)
    write_preview(scene, opened.preview, opened.shown_bands, opened.display, opened.base)
    return {"preview_seconds": round(time.monotonic() - start, 1)}


def write_scene(path: Path, side: int, pattern: NDArray[np.uint8]) -> None:
    """A tiled GeoTIFF without overviews: a generated town, turned and with noise of its own in each window."""
    profile = {"driver": "GTiff", "height": side, "width": side, "count": 3, "dtype": "uint8", "crs": "EPSG:32633"}
    profile |= {"transform": rasterio.Affine(0.2, 0, 500_000, 0, -0.2, 5_000_000), "tiled": True}
    profile |= {"blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1, "bigtiff": "if_safer"}
    partial = path.with_suffix(".partial")
    with rasterio.open(partial, "w", **profile) as dataset:
        for window, turns in track(list(parts(side)), len(list(parts(side))), "scene"):
            noise = np.random.default_rng(window.row * side + window.column).integers(0, 9, pattern.shape[:2], np.uint8)
            image = np.rot90(np.minimum(pattern, 240) + noise[:, :, None], turns)[: window.height, : window.width]
            area = RasterioWindow(window.column, window.row, window.width, window.height)
            dataset.write(np.moveaxis(image, 2, 0), window=area)
    partial.replace(path)


def write_maps(folder: Path, side: int, pattern: NDArray[np.uint8]) -> None:
    """Clusters that follow the town's classes, a dozen to each, and a smooth confidence."""
    with Raster(folder / "scene.tif") as raster:
        info = raster.info
    legend = Legend.of_clusters(CLUSTERS)
    with ClassMapWriter(folder / "clusters.tif", info, legend, confidence=True) as writer:
        for window, turns in track(list(parts(side)), len(list(parts(side))), "maps"):
            shift = np.random.default_rng(window.row * side + window.column).integers(0, 12, (SIDE // 20,) * 2)
            clusters = (12 * pattern + np.kron(shift, np.ones((20, 20), int))) % CLUSTERS
            here = np.s_[: window.height, : window.width]
            sure = np.linspace(0.2, 0.9, SIDE)[:, None] * np.ones((1, SIDE))
            writer.write(np.rot90(clusters, turns)[here].astype(np.uint8), window, np.rot90(sure, turns)[here])


def parts(side: int) -> Iterator[tuple[Window, int]]:
    for number, row in enumerate(range(0, side, SIDE)):
        for column in range(0, side, SIDE):
            yield Window(row, column, min(SIDE, side - row), min(SIDE, side - column)), (number + column // SIDE) % 4


def open_scene(folder: Path) -> Scene:
    recipe = RunFolder(folder / "run").recipe
    with Raster(folder / "scene.tif") as raster:
        info, base = raster.info, preview_base(raster)
    display = Display.of(recipe)
    maps = folder / "clusters.tif", confidence_path(folder / "clusters.tif")
    return Scene(info.path, info, (1, 2, 3), display, *maps, folder / "preview.tif", base or 0)


def serve(folder: Path, listener: socket.socket) -> None:
    page = Page(Run(folder / "run"), [open_scene(folder)], [folder / "map.tif"], "ab")
    host, port = listener.getsockname()
    make_server(Guard(page.app, host, port, "ab")).run(sockets=[listener])


def measure(folder: Path, side: int) -> dict[str, list[float]]:
    """Milliseconds of requests by what they are for."""
    with bound_socket(LOOPBACK, 0) as listener:
        listener.listen()
        host, port = listener.getsockname()
        server = multiprocessing.get_context("fork").Process(target=serve, args=(folder, listener))
        server.start()
        try:
            with httpx.Client(base_url=f"http://{host}:{port}", timeout=60) as client:
                return ask(client, side)
        finally:
            server.terminate()
            server.join()


def ask(client: httpx.Client, side: int) -> dict[str, list[float]]:
    def timed(address: str) -> float:
        start = time.perf_counter()
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        return 1000 * (time.perf_counter() - start)

    scene = client.get("/api/session").json()["scenes"][0]  # the page asks for it before any tile
    top = scene["levels"] - 1
    measured = {"first tile": [timed(tile("image", top, 0, 0))]}
    measured |= {f"first {kind}": [timed(tile(kind, top, 0, 0))] for kind in KINDS[1:]}
    with ThreadPoolExecutor(BROWSER) as browser:
        for name, views in (("zooming", zooming(side, top)), ("panning at the pixels", panning(side))):
            for view in views:
                for kind in KINDS:
                    taken = browser.map(timed, [tile(kind, *place) for place in view])
                    measured.setdefault(f"{name}: {kind}", []).extend(taken)
    measured["clusters, counted once"] = [timed("/api/scenes/0/clusters")]
    measured["a cluster's thumbnail"] = [timed(f"/api/scenes/0/clusters/{cluster}.png") for cluster in range(20)]
    measured["a point"] = [timed(f"/api/scenes/0/point?x={37 * k}&y={53 * k}") for k in range(50)]
    return measured


def tile(kind: str, level: int, row: int, column: int) -> str:
    return f"/api/scenes/0/{kind}/{level}/{row}/{column}" + (".png" if kind == "image" else "")


def zooming(side: int, top: int) -> Iterator[list[tuple[int, int, int]]]:
    """From the whole scene to the pixels, to five places, each level as a screen of tiles."""
    for down, across in ((0.5, 0.5), (0.1, 0.2), (0.8, 0.3), (0.3, 0.9), (0.95, 0.95)):
        for level in range(top, -1, -1):
            yield screen(side, level, down, across)


def panning(side: int) -> Iterator[list[tuple[int, int, int]]]:
    """A walk along a diagonal, a screen at a time."""
    for step in range(12):
        yield screen(side, 0, 0.05 + 0.07 * step, 0.9 - 0.07 * step)


def screen(side: int, level: int, down: float, across: float) -> list[tuple[int, int, int]]:
    count = -(-side // (256 << level))
    rows, columns = min(SCREEN[0], count), min(SCREEN[1], count)
    top, left = round(down * (count - rows)), round(across * (count - columns))
    return [(level, top + row, left + column) for row in range(rows) for column in range(columns)]


def summarise(measured: dict[str, list[float]]) -> list[dict[str, Any]]:
    tiles = [each for name, taken in measured.items() if ": " in name for each in taken]
    rows = []
    for name, taken in {**measured, "all tiles": tiles}.items():
        quantiles = {"median": np.median(taken), "p95": np.percentile(taken, 95), "worst": max(taken)}
        rows.append({"what": name, "requests": len(taken)} | {key: round(float(q), 1) for key, q in quantiles.items()})
    return rows


def show(rows: list[dict[str, Any]], side: int, made: dict[str, float]) -> None:
    caption = f"goals: first tile {FIRST} ms, 95 % of tiles {MOST} ms; preview made in {made['preview_seconds']} s; "
    table = Table(title=f"Tiles of {side} x {side} px over HTTP, ms", caption=caption + platform.platform())
    for column in ("what", "requests", "median", "p95", "worst"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
