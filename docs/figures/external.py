"""Draw what the steps of the external algorithm make of one image, for docs/external.md:

python docs/figures/external.py docs/images/external.jpg docs/images/external.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.cluster.hierarchy import dendrogram, linkage
from skimage.segmentation import mark_boundaries

from terrasift import external_steps
from terrasift.blocks.external.cluster_count import knee
from terrasift.blocks.external.clustering import Clustering
from terrasift.blocks.external.preprocessing import equalise_lightness
from terrasift.raster import Raster

# Okabe and Ito, "Color Universal Design", 2008: colour-blind eyes tell these apart too. Grey stands for their black.
COLORS = to_rgba_array(["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#bbbbbb"])[:, :3]
INK = "#14506e"


def main(image_file: Path, out: Path) -> None:
    """Draw the picture."""
    with Raster(image_file) as raster:
        image = raster.read()[0]
    steps = external_steps(image)
    evened = equalise_lightness(image / np.float32(255), np.ones(image.shape[:2], np.bool_))
    outlined = mark_boundaries(steps.smoothed, steps.superpixels, color=COLORS[3], mode="inner")
    found = steps.clustering
    figure = Figure(figsize=(7.4, 8), layout="compressed")
    first, second, third = figure.subplots(3, 3)
    show(first[0], "the image", image)
    show(first[1], "1  contrast evened, if asked for", evened)
    show(first[2], "2  the image smoothed", steps.smoothed)
    show(second[0], f"3  {len(steps.features)} superpixels", outlined)
    show(second[1], "4, 5  their components", colors_of(found.components[:, :3])[steps.superpixels])
    draw_curve(second[2], found)
    show(third[0], "7  their clusters", COLORS[found.partition.clusters][steps.superpixels])
    draw_tree(third[1], found)
    show(third[2], f"{found.classes.max() + 1} classes", class_colors(found)[steps.labels])
    figure.savefig(out, dpi=105)


def show(axes: Axes, title: str, picture: NDArray[np.generic]) -> None:
    """A picture without a frame."""
    axes.imshow(picture, interpolation="nearest")
    axes.set_title(title, fontsize=9)
    axes.axis("off")


def colors_of(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """Three numbers for each superpixel as red, green and blue: the same scale for all, cut off at two deviations."""
    scale = 2 * components[:, 0].std()
    return np.clip(0.5 + components / (2 * scale), 0, 1)


def draw_curve(axes: Axes, found: Clustering) -> None:
    """The objective for each number of clusters, its knee, and the two lines that meet there."""
    counts, curve, corner = np.array(found.counts), found.objectives, knee(found.objectives)
    for part in (slice(None, corner + 1), slice(corner, None)):
        line = np.polynomial.Polynomial.fit(counts[part], curve[part], 1)
        axes.plot(counts[part], line(counts[part]), color=COLORS[0], linewidth=1.5)
    axes.plot(counts, curve, ".", color=INK, markersize=4)
    axes.plot(counts[corner], curve[corner], "o", color=COLORS[5], markersize=7)
    axes.annotate(
        f"knee: {counts[corner]}", (counts[corner], curve[corner]), (5, 9), textcoords="offset points", fontsize=8
    )
    axes.set_box_aspect(1)
    axes.set_title("6  how many clusters", fontsize=9)
    axes.set_xlabel("clusters", fontsize=8)
    axes.set_ylabel("objective", fontsize=8)
    axes.set_yticks([])
    axes.tick_params(labelsize=8)


def draw_tree(axes: Axes, found: Clustering) -> None:
    """The tree over the clusters, and the height below which they become one class."""
    merging = found.merging
    tree = linkage(found.partition.centres, merging.linkage, merging.distance)
    dendrogram(tree, ax=axes, link_color_func=lambda _: INK)
    axes.axhline(0.33 * tree[:, 2].max(), color=COLORS[5], linestyle="--", linewidth=1)
    axes.set_box_aspect(1)
    axes.set_title("8  joined below the line", fontsize=9)
    axes.set_ylabel(f"{merging.distance} distance", fontsize=8)
    axes.set_yticks([])
    for label in axes.get_xticklabels():  # the numbers of the clusters
        label.set(fontsize=8, bbox={"facecolor": COLORS[int(label.get_text())], "edgecolor": "none", "pad": 2.5})


def class_colors(found: Clustering) -> NDArray[np.float64]:
    """Each class in the colour of its cluster with the most superpixels."""
    members = [found.partition.clusters[found.classes == number] for number in range(found.classes.max() + 1)]
    return COLORS[[np.bincount(clusters).argmax() for clusters in members]]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
