"""scikit-image's SLIC beside OpenCV's: how fast, and how well superpixels follow the edges of labelled images.

Patches are cut out of images with masks. Both methods cut each patch in turn, so that what slows one down slows both;
with one process, times are processor times: those of a machine with nothing else to do. With two, patches are shared.

    python benchmarks/superpixels.py dubai=../shared/data/dubai drone=../shared/data/dronedeploy --json superpixels.json

Achievable segmentation accuracy: the share of pixels that are right if every superpixel gets the class that most of its
pixels have. Undersegmentation error (Neubert and Protzel, 2012): the pixels of superpixels that lie in two classes or
more, for each class the smaller of those inside and outside it, over all pixels; less is better.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import joblib
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from terrasift import superpixels
from terrasift.data.synthetic import synthetic_scene
from terrasift.legend import Legend
from terrasift.machine import machine_facts
from terrasift.raster import Raster, Window, read_labels

IGNORE = 255
BANDS = (1, 2, 4, 10)


class Labelled(NamedTuple):
    image: NDArray[Any]
    truth: NDArray[np.uint8]


Method = Callable[[NDArray[Any]], NDArray[np.int32]]


def by_scikit_image(image: NDArray[Any]) -> NDArray[np.int32]:
    return superpixels(image, "slic")


def by_opencv(image: NDArray[Any]) -> NDArray[np.int32]:
    return superpixels(image, "opencv_slic")


def by_opencv_on_components(image: NDArray[Any]) -> NDArray[np.int32]:
    """Of many bands, the three principal components: what `opencv_slic` could do instead of comparing all of them."""
    pixels = (image / np.iinfo(image.dtype).max).reshape(-1, image.shape[2])
    _, directions = np.linalg.eigh(np.cov(pixels, rowvar=False))
    components = pixels @ directions[:, :-4:-1]
    four = np.concatenate([components, np.zeros((len(pixels), 1))], axis=1)  # three would be taken for colours
    return superpixels(four.reshape(*image.shape[:2], 4).astype(np.float32), "opencv_slic")


METHODS: dict[str, Method] = {"scikit-image": by_scikit_image, "OpenCV": by_opencv}


def main() -> None:
    options = _options()
    rows = []
    for name, _, folder in (text.partition("=") for text in options.data):
        for side in options.sides:
            patches = list(patches_of(Path(folder), side, options.patches))
            rows += compare(f"{name}, {side} px", patches, METHODS, options.repeats)
    for bands in BANDS:
        towns = [town(bands, seed) for seed in range(options.towns)]
        methods = METHODS | ({"OpenCV, 3 components": by_opencv_on_components} if bands > 3 else {})
        rows += compare(f"towns, {bands} bands", towns, methods, options.repeats)
    show(rows)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine_facts("cpu"), "rows": rows}, indent=1) + "\n")


def patches_of(folder: Path, side: int, most: int) -> Iterator[Labelled]:
    """One from the middle of each image, of at most `most` images evenly chosen."""
    legend = Legend.load(folder / "classes.yaml")
    masks = {path.stem: path for path in (folder / "masks").iterdir()}
    images = sorted(path for path in (folder / "images").iterdir() if path.stem in masks)
    for path in images[:: max(1, len(images) // most)][:most]:
        truth = read_labels(masks[path.stem], legend)
        row, column = (max(0, (length - side) // 2) for length in truth.shape)
        with Raster(path) as raster:
            image, _ = raster.read(Window(row, column, min(side, truth.shape[0]), min(side, truth.shape[1])))
        yield Labelled(image, truth[row : row + side, column : column + side])


def town(bands: int, seed: int) -> Labelled:
    """A generated town whose bands are mixtures of red, green, blue and near infrared, each with its own noise."""
    scene = synthetic_scene(224, 224, bands=4, seed=seed)
    mixtures = np.random.default_rng(0).dirichlet(np.full(4, 0.3), bands)
    noise = np.random.default_rng(seed).normal(0, 4, (*scene.labels.shape, bands))
    return Labelled(np.clip(scene.image @ mixtures.T + noise, 0, 255).astype(np.uint8), scene.labels)


def compare(name: str, patches: list[Labelled], methods: dict[str, Method], repeats: int) -> list[dict[str, Any]]:
    images = [patch.image for patch in patches]
    megapixels = sum(patch.truth.size for patch in patches) / 1e6
    found: dict[str, list[NDArray[np.int32]]] = {method: [] for method in methods}
    one: dict[str, float] = dict.fromkeys(methods, 0.0)
    for method in methods.values():
        method(images[0])
    for repeat in range(repeats):
        for image in images:
            for label, method in methods.items():
                start = time.process_time()
                regions = method(image)
                one[label] += time.process_time() - start
                if repeat == 0:
                    found[label].append(regions)
    two = {label: in_two_processes(method, images * repeats) for label, method in methods.items()}
    rows = []
    for label in methods:
        scores = [quality(regions, patch.truth) for regions, patch in zip(found[label], patches, strict=True)]
        accuracy, error = np.mean(scores, axis=0)
        speed = {"Mpx_per_s": megapixels * repeats / one[label], "Mpx_per_s_two": megapixels * repeats / two[label]}
        ratios = {"ratio": one["scikit-image"] / one[label], "ratio_two": two["scikit-image"] / two[label]}
        regions = float(np.mean([regions.max() + 1 for regions in found[label]]))
        rows.append({"patches": name, "method": label, **speed, **ratios, "accuracy": 100 * accuracy,
                     "undersegmentation": 100 * error, "regions": regions})  # fmt: skip
    return rows


def in_two_processes(method: Method, images: list[NDArray[Any]]) -> float:
    """Seconds of the slower of two processes at work at once, each on half of the images, which it holds as in use."""
    halves = images[::2], images[1::2]
    with joblib.Parallel(2) as parallel:
        parallel(joblib.delayed(seconds_of)(method, half[:4]) for half in halves)
        return max(parallel(joblib.delayed(seconds_of)(method, half) for half in halves))


def seconds_of(method: Method, images: list[NDArray[Any]]) -> float:
    start = time.perf_counter()
    for image in images:
        method(image)
    return time.perf_counter() - start


def quality(regions: NDArray[np.int32], truth: NDArray[np.uint8]) -> tuple[float, float]:
    """Achievable segmentation accuracy and undersegmentation error of the pixels with a class."""
    known = truth != IGNORE
    table = np.zeros((regions.max() + 1, int(truth[known].max()) + 1), np.int64)
    np.add.at(table, (regions[known], truth[known]), 1)
    sizes = table.sum(axis=1, keepdims=True)
    return table.max(axis=1).sum() / table.sum(), np.minimum(table, sizes - table).sum() / table.sum()


def show(rows: list[dict[str, Any]]) -> None:
    names = {"Mpx_per_s": "Mpx/s", "ratio": "ratio", "Mpx_per_s_two": "Mpx/s, two", "ratio_two": "ratio, two",
             "accuracy": "accuracy, %", "undersegmentation": "undersegm., %", "regions": "regions"}  # fmt: skip
    table = Table(
        "patches", "method", *names.values(), title=f"{machine_facts('cpu')['device']}, OpenCV {cv2.__version__}"
    )
    for row in rows:
        table.add_row(row["patches"], row["method"], *(f"{row[name]:.2f}" for name in names))
    Console(width=140).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", metavar="NAME=FOLDER", help="folders of images, masks and a classes.yaml")
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 224], help="of the patches, pixels")
    parser.add_argument("--patches", type=int, default=60)
    parser.add_argument("--towns", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
