"""Time of the external algorithm, step by step, on one core.

Default settings: 20 restarts, the knee sought over 2 to 30 clusters with 10 runs each. The images are generated towns.
After one run to warm up, prints medians over several runs. The steps are in processor time, which on one core is the
time of a machine with nothing else to do; the whole is in both.

    python benchmarks/external.py --sides 200 1000 --repeats 5
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from terrasift.blocks.external import external_segmentation
from terrasift.blocks.external.cluster_count import knee, objective_curve
from terrasift.blocks.external.components import leading_components, normalise
from terrasift.blocks.external.features import superpixel_features
from terrasift.blocks.external.merging import merge_centres
from terrasift.blocks.external.partition import best_partition
from terrasift.blocks.external.preprocessing import smooth
from terrasift.blocks.external.superpixels import lab_superpixels
from terrasift.data.synthetic import synthetic_scene

LIMITS = {200: 0.5, 1000: 10.0}  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=list(LIMITS), help="sides of the square images")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        show({side: measure(side, options.repeats) for side in options.sides})


def measure(side: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of each step and of the whole, one value a repeat."""
    image = synthetic_scene(side, side, seed=1).image
    seconds: dict[str, list[float]] = {}
    for _ in range(repeats + 1):
        for step, took in time_steps(image).items():
            seconds.setdefault(step, []).append(took)
    return {step: values[1:] for step, values in seconds.items()}


def time_steps(image: np.ndarray) -> dict[str, float]:
    seconds: dict[str, float] = {}

    def timed(step: str, function: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
        start = time.process_time()
        result = function(*arguments, **settings)
        seconds[step] = time.process_time() - start
        return result

    valid = np.ones(image.shape[:2], bool)
    random = np.random.default_rng(0)
    rgb = image / np.float32(255)
    smoothed, _ = timed("2 bilateral filter", smooth, rgb, valid)
    superpixels = timed("3 superpixels", lab_superpixels, smoothed, valid)
    features = timed("4 features", superpixel_features, smoothed, superpixels)
    points = timed("5 principal components", lambda: leading_components(normalise(features)))
    counts = range(2, min(31, len(points)))
    curve = timed("6 number of clusters", objective_curve, points, counts, random)
    clusters = counts[knee(curve)]
    partition = timed("7 fuzzy c-means", best_partition, points, clusters, random, restarts=20)
    timed("8 merging", merge_centres, partition.centres)
    start = time.perf_counter()
    timed("whole", external_segmentation, image)
    seconds["whole, wall clock"] = time.perf_counter() - start
    return seconds


def show(measured: dict[int, dict[str, list[float]]]) -> None:
    table = Table(title="External algorithm, ms on one core", caption=f"{platform.platform()}, numpy {np.__version__}")
    table.add_column("step")
    for side in measured:
        table.add_column(f"{side} x {side}", justify="right")
    for step in next(iter(measured.values())):
        table.add_row(step, *(f"{1000 * median(seconds[step]):.1f}" for seconds in measured.values()))
    for name, extreme in (("fastest", min), ("slowest", max)):
        table.add_row(f"whole, {name}", *(f"{1000 * extreme(seconds['whole']):.1f}" for seconds in measured.values()))
    table.add_row("limit", *(f"{1000 * LIMITS[side]:.0f}" if side in LIMITS else "" for side in measured))
    Console().print(table)


if __name__ == "__main__":
    main()
