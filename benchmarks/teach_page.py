"""The pace of Teach mode: thirty clicks in a headless Chromium, and what is left of them after a reload and a kill.

Labelled images are laid side by side into one scene of 3,000 x 3,000 pixels, which `terrasift view` serves, a process
of its own. A script clicks places of each class in turn. What counts is the time from a click to the first frame after
the last tile of the new map; the next click comes half a second later, while the server is busy with what to expect.
Then the page is reloaded, the server killed (SIGKILL) and started again: all labels must still be there.

    python benchmarks/teach_page.py --run runs/dubai --images 'dubai/images/*.jpg' --masks dubai/masks \\
        --classes dubai.yaml --json benchmarks/results/teach-page.json
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, sync_playwright
from scipy.ndimage import minimum_filter

from terrasift import Legend
from terrasift.api import labelled_images
from terrasift.machine import describe_machine
from terrasift.raster import Raster, read_labels, write_image

WITHIN = 2.0  # seconds from a click to its map
PAUSE = 500  # milliseconds between a map and the next click
PADDING = (24, 24, 48, 24)  # above, right, below and left of a scene that the page shows whole (page/src/map.js)
VIEWPORT = {"width": 1440, "height": 900}

FOLLOWED = """(since) => new Promise((resolve) => {
  let seen = 0, last = 0;
  const look = () => {
    const tiles = performance.getEntriesByType("resource").filter(
      ({ name, startTime }) => startTime >= since && /api.lesson.scenes.*tiles/.test(name));
    if (tiles.length > seen) [seen, last] = [tiles.length, performance.now()];
    if (seen && performance.now() - last > 300) resolve(last - since);
    else requestAnimationFrame(look);
  };
  look();
})"""


def main() -> None:
    options = _options()
    legend = Legend.load(options.classes)
    with tempfile.TemporaryDirectory(prefix="teach-page-") as temporary, sync_playwright() as tools:
        folder = Path(temporary)
        run = Path(shutil.copytree(options.run, folder / "run"))
        (run / "labels.geojson").unlink(missing_ok=True)
        truth = mosaic(options.images, options.masks, legend, options.side, folder / "scene.tif")
        chromium = tools.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport=VIEWPORT)
        with served(run, folder / "scene.tif") as address:
            ready = begin(page, address)
            seconds = click_all(page, truth, legend, options.clicks)
            kept = [labels_of(run)]
            page.reload()
            begin(page)
            kept.append(labels_shown(page))
        with served(run, folder / "scene.tif") as address:  # the one before was killed
            again = begin(page, address)
            kept.append(labels_shown(page))
        chromium.close()
    found = {"scene": [options.side, options.side], "ready_seconds": ready, "ready_after_kill_seconds": again}
    found |= {"clicks": len(seconds), "seconds": seconds, "median": float(np.median(seconds)), "most": max(seconds)}
    found |= dict(zip(("labels", "labels_after_reload", "labels_after_kill"), kept, strict=True))
    print(json.dumps({key: value for key, value in found.items() if key != "seconds"}, indent=1))
    if options.json:
        content = {"machine": describe_machine("cpu"), "run": options.run.name} | found
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    if max(seconds) > WITHIN or set(kept) != {options.clicks}:
        sys.exit(1)


def mosaic(images: list[str], masks: Path, legend: Legend, side: int, out: Path) -> NDArray[np.uint8]:
    """Write as many images as fill a square; returns the classes of its pixels."""
    scene, truth = np.zeros((side, side, 3), np.uint8), np.full((side, side), 255, np.uint8)
    row = column = height = 0
    for pair in labelled_images(images, masks):
        if column >= side:
            row, column, height = row + height, 0, 0
        if row >= side:
            break
        with Raster(pair.scene) as raster:
            values = raster.read()[0][: side - row, : side - column, :3]
        place = np.s_[row : row + values.shape[0], column : column + values.shape[1]]
        scene[place], truth[place] = values, read_labels(pair.mask, legend)[: values.shape[0], : values.shape[1]]
        height = max(height, values.shape[0]) if height else values.shape[0]
        column += values.shape[1]
    write_image(out, scene)
    return truth


@contextmanager
def served(run: Path, scene: Path) -> Iterator[str]:
    """Its address; afterwards the server is killed."""
    command = [sys.executable, "-m", "terrasift", "view", run, scene, "--no-browser"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        assert server.stderr is not None
        said = ""
        while not (found := re.search(r"http://\S+", said)):
            said = server.stderr.readline()
            if not said:
                raise SystemExit("the server has ended")
        yield found.group()
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


def begin(page: Page, address: str | None = None) -> float:
    """Begin to teach; seconds until the scene is ready."""
    if address is not None:
        page.goto(address)
    page.evaluate("performance.setResourceTimingBufferSize(100000)")
    page.get_by_test_id("cluster-item").first.wait_for()
    start = time.monotonic()
    if page.get_by_test_id("teach").get_attribute("aria-pressed") != "true":
        page.get_by_test_id("teach").click()
    page.get_by_test_id("teach-progress").wait_for(state="hidden", timeout=600_000)
    return time.monotonic() - start


def click_all(page: Page, truth: NDArray[np.uint8], legend: Legend, count: int) -> list[float]:
    """Label places in the middle of areas of each class in turn; seconds from each click to its map."""
    present = [index for index in range(len(legend.classes)) if (truth == index).any()]
    for index in present:
        page.get_by_test_id("teach-name").fill(legend.names[index])
        page.get_by_test_id("teach-name").press("Enter")
    page.wait_for_timeout(1000)
    generator, seconds = np.random.default_rng(0), []
    for number in range(count):
        place = number % len(present)
        inside = minimum_filter(truth == present[place], 9)  # a pixel of the screen holds several of the scene
        rows, columns = np.nonzero(inside if inside.any() else truth == present[place])
        chosen = int(generator.integers(len(rows)))
        page.get_by_test_id(f"teach-class-{place}").click()
        x, y = on_screen(page, len(truth), int(rows[chosen]), int(columns[chosen]))
        since = page.evaluate("performance.now()")
        page.mouse.click(x, y)
        seconds.append(page.evaluate(FOLLOWED, since) / 1000)
        page.wait_for_timeout(PAUSE)
    return seconds


def on_screen(page: Page, side: int, row: int, column: int) -> tuple[float, float]:
    """Where the middle of a pixel lies while the whole scene is shown."""
    box: Any = page.get_by_test_id("map").bounding_box()
    above, right, below, left = PADDING
    width, height = box["width"] - left - right, box["height"] - above - below
    resolution = max(side / width, side / height)
    x = box["x"] + left + width / 2 + (column + 0.5 - side / 2) / resolution
    y = box["y"] + above + height / 2 + (row + 0.5 - side / 2) / resolution
    return x, y


def labels_of(run: Path) -> int:
    return len(json.loads((run / "labels.geojson").read_text())["features"])


def labels_shown(page: Page) -> int:
    counts = page.locator(".teach-count").all_text_contents()
    return sum(int(text.split()[0].replace(",", "")) for text in counts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="a trained run")
    parser.add_argument("--images", nargs="+", required=True, help="images whose masks are known")
    parser.add_argument("--masks", type=Path, required=True, help="folder of the masks")
    parser.add_argument("--classes", type=Path, required=True, help="names and colours of the classes")
    parser.add_argument("--side", type=int, default=3000, help="of the scene, pixels")
    parser.add_argument("--clicks", type=int, default=30)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
