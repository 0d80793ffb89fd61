"""Draw docs/images/demo.png from what `terrasift demo` left: python docs/figures/demo.py demo docs/images/demo.png"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from terrasift.legend import Legend
from terrasift.raster import Raster, read_labels
from terrasift.report.drawing import paint

SIDE = 600  # pixels of the scene shown


def main(demo: Path, out: Path) -> None:
    """Draw the picture."""
    legend = Legend.load(demo / "classes.yaml")
    with Raster(demo / "images" / "second.tif") as raster:
        pictures: dict[str, np.ndarray] = {"image": raster.read()[0]}
    for title, path in {
        "terrasift": demo / "map.tif",
        "ground truth": demo / "masks" / "second.tif",
        "k-means on pixels": demo / "kmeans.tif",
    }.items():
        pictures[title] = paint(read_labels(path, legend), legend)
    figure = Figure(figsize=(16, 4.5), layout="tight")
    for axes, (title, picture) in zip(figure.subplots(1, 4), pictures.items(), strict=True):
        axes.imshow(picture[:SIDE, :SIDE])
        axes.set_title(title)
        axes.axis("off")
    figure.savefig(out, dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
