"""Time and peak memory of the nine metrics, on label maps of a photograph's and of an aerial tile's size.

Every row is measured in a process of its own, which reads both maps from disk, runs once to warm up and then
several times: the median, the fastest and the slowest, and the median of processor time, which tells a slow machine
from a busy one. Peak memory is that process's: interpreter, libraries and maps (144 MB at 6000 x 6000) included;
read on Linux only.

- distance transforms: the two exact Euclidean ones that BDE needs, by OpenCV's precise mask, and nothing else
- nine metrics: Acc, mIoU, wIoU, F1, VoI, PRI, GCE, SC, BDE from one count, and how often the time of the two distance
  transforms they take: the median of ratios of neighbours in time, less dependent on what else the machine does
- all scores: `segmentation_scores`, which has LCE, ARI, NMI, AMI and the other covering too, but no classes
- VoI alone: ours, scikit-image's, and a plain loop over the regions

    python benchmarks/metrics.py --sizes 481x321 6000x6000 --regions 20 500 --repeats 5
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Column, Table

from terrasift.metrics import (
    ConfusionMatrix,
    boundary_displacement_error,
    contingency,
    segmentation_scores,
    variation_of_information,
)
from terrasift.metrics.boundaries import boundary
from terrasift.metrics.consistency import compute_global_consistency_error
from terrasift.metrics.covering import compute_segmentation_covering
from terrasift.metrics.information import compute_variation_of_information
from terrasift.metrics.pairs import compute_rand_index

LabelMap = NDArray[np.uint16]
COLUMNS = ("seconds", "fastest", "slowest", "processor", "peak GB", "x transforms")
COMPARED = ("nine metrics", "all scores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["481x321", "6000x6000"])
    parser.add_argument("--regions", type=int, nargs="+", default=[20, 500])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--measure", nargs=2, metavar=("ROW", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure[0], Path(options.measure[1]), options.repeats)))
        return
    console = Console(width=100)
    console.print(machine())
    for size in options.sizes:
        for regions in options.regions:
            console.print(compare(size, regions, options.repeats))


def compare(size: str, regions: int, repeats: int) -> Table:
    """A table with a row for each way to score one pair of maps."""
    table = Table(Column(no_wrap=True), *COLUMNS, title=f"{size}, {regions} regions")
    with tempfile.TemporaryDirectory() as folder:
        for seed, name in enumerate(("predicted", "truth")):
            np.save(Path(folder, name), label_map(size, regions, seed))
        for row in ROWS:
            command = [sys.executable, __file__, "--measure", row, folder, "--repeats", str(repeats)]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            values = (found[column] for column in COLUMNS)
            table.add_row(row, *("" if value is None else f"{value:.3f}" for value in values))
    return table


def measure(row: str, folder: Path, repeats: int) -> dict[str, float | None]:
    """The columns of the table, of this process."""
    predicted, truth = (np.load(folder / f"{name}.npy") for name in ("predicted", "truth"))
    run = ROWS[row](predicted, truth)
    transforms = distance_transforms(predicted, truth) if row in COMPARED else None
    seconds, processor_seconds, ratios = [], [], []
    for _ in range(repeats + 1):
        wall, processor = timed(run)
        seconds.append(wall)
        processor_seconds.append(processor)
        if transforms:
            ratios.append(wall / timed(transforms)[0])
    return {
        "seconds": median(seconds[1:]),
        "fastest": min(seconds[1:]),
        "slowest": max(seconds[1:]),
        "processor": median(processor_seconds[1:]),
        "peak GB": peak_gigabytes(),
        "x transforms": median(ratios[1:]) if ratios else None,
    }


def peak_gigabytes() -> float:
    """Of this process, read from /proc: `getrusage` counts the parent's memory, which a new process starts with."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e9 for line in lines if line.startswith("VmHWM"))


def timed(run: Callable[[], object]) -> tuple[float, float]:
    wall, processor = perf_counter(), process_time()
    run()
    return perf_counter() - wall, process_time() - processor


def distance_transforms(predicted: LabelMap, truth: LabelMap) -> Callable[[], object]:
    everywhere = np.ones(truth.shape, np.bool_)
    elsewhere = [(~boundary(labels, everywhere)).view(np.uint8) for labels in (predicted, truth)]
    return lambda: [cv2.distanceTransform(sites, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).shape for sites in elsewhere]


def nine_metrics(predicted: LabelMap, truth: LabelMap) -> Callable[[], object]:
    classes = int(max(predicted.max(), truth.max())) + 1

    def run() -> list[float]:
        table = contingency(predicted, truth)
        matrix = ConfusionMatrix.from_contingency(table, classes)
        return [
            *(matrix.accuracy, matrix.mean_iou, matrix.weighted_iou, matrix.mean_f1),
            compute_variation_of_information(table),
            compute_rand_index(table),
            compute_global_consistency_error(table),
            compute_segmentation_covering(table),
            boundary_displacement_error(predicted, truth),
        ]

    return run


def voi_of_scikit_image(predicted: LabelMap, truth: LabelMap) -> Callable[[], object]:
    from skimage.metrics import variation_of_information  # only this row pays for its memory

    return lambda: sum(variation_of_information(truth, predicted))


def voi_by_loop(predicted: LabelMap, truth: LabelMap) -> Callable[[], object]:
    def run() -> float:
        areas = dict(zip(*np.unique(predicted, return_counts=True), strict=True))
        variation = 0.0
        for region in np.unique(truth):
            inside = predicted[truth == region]
            for other, shared in zip(*np.unique(inside, return_counts=True), strict=True):
                variation += shared * (np.log2(inside.size / shared) + np.log2(areas[other] / shared))
        return variation / truth.size

    return run


ROWS: dict[str, Callable[[LabelMap, LabelMap], Callable[[], object]]] = {
    "distance transforms": distance_transforms,
    "nine metrics": nine_metrics,
    "all scores": lambda predicted, truth: lambda: segmentation_scores(predicted, truth),
    "VoI, ours": lambda predicted, truth: lambda: variation_of_information(predicted, truth),
    "VoI, scikit-image": voi_of_scikit_image,
    "VoI, plain loop": voi_by_loop,
}


def label_map(size: str, regions: int, seed: int) -> LabelMap:
    """Voronoi cells of random points, with borders as ragged as those of a classified image."""
    width, height = map(int, size.split("x"))
    generator = np.random.default_rng(seed)
    not_site = np.ones((height, width), np.uint8)
    not_site.flat[generator.choice(height * width, regions, replace=False)] = 0
    _, cells = cv2.distanceTransformWithLabels(not_site, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.indices((height, width), dtype=np.int32, sparse=True)
    shift = generator.integers(0, 3, (2, height, width), dtype=np.int8)
    ragged = cells[np.minimum(rows + shift[0], height - 1), np.minimum(columns + shift[1], width - 1)]
    return (ragged - 1).astype(np.uint16)


def machine() -> str:
    cores = f"{platform.system()} {platform.machine()}, {processor()}, {os.cpu_count()} cores"
    opencv = f"OpenCV {cv2.__version__} with {cv2.getNumThreads()} threads"
    python = f"Python {platform.python_version()}, NumPy {np.__version__}"
    return f"{cores}, {python}, {opencv}, scikit-image {version('scikit-image')}"


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    main()
