"""The training of a run as one figure: loss, learning rate, clusters in use."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from terrasift.report.pictures import embed_figure
from terrasift.run import TrainingLog

__all__ = ["TrainingFigure", "training_figure"]

_CLASSIFIERS = ("#14506e", "#d55e00")  # told apart by the colour-blind, and by their dashes
_DASHES = ("-", "--")


class TrainingFigure(NamedTuple):
    """A picture, in words what it shows, and a longer caption."""

    uri: str
    alt: str
    caption: str


def training_figure(log: TrainingLog, clusters: int) -> TrainingFigure:
    """Loss (raw and averaged), learning rate and clusters in use over the steps.

    Parameters
    ----------
    log
        Of one step or more.
    clusters
        K of each classifier.
    """
    losses, window = log.loss, log.window
    figure = Figure(figsize=(8.4, 6.6), layout="constrained")
    above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=(2.2, 1, 1.2))
    log.plot(above).set_xlabel("")
    middle.plot(_steps(losses), log.lr, color="#14506e", linewidth=1.4)
    middle.set_yscale("log")
    middle.set_ylabel("learning rate")
    _draw_clusters(below, log.clusters, clusters)
    below.set_xlabel("step")
    for axis in (above, middle, below):
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", color="#dddddd", linewidth=0.6)
    figure.align_ylabels()
    last = " and ".join(f"{values[-1]}" for values in log.clusters)
    alt = (
        f"Loss from {losses[0]:.3f} at the first of {len(losses)} steps to {losses[-1]:.3f} at the last; "
        f"learning rate from {log.lr[0]:.3g} to {log.lr[-1]:.3g}; {last} of {clusters} clusters at the end."
    )
    caption = (
        f"Loss of each step, summed over the classifiers, raw and as the moving average over {window} "
        f"step{'s' * (window != 1)}; learning rate; clusters that each batch was put into, of {clusters}."
    )
    return TrainingFigure(embed_figure(figure, dpi=160), alt, caption)


def _draw_clusters(axis: Axes, used: NDArray[np.int64], clusters: int) -> None:
    for number, values in enumerate(used):
        color, dashes = _CLASSIFIERS[number], _DASHES[number]
        axis.plot(_steps(values), values, dashes, color=color, linewidth=1.2, label=f"classifier {number + 1}")
    axis.axhline(clusters, color="#767676", linewidth=0.8, linestyle=":", label=f"all {clusters}")
    axis.set_ylim(0, clusters * 1.06)
    axis.set_ylabel("clusters in use")
    axis.legend(frameon=False, ncols=3, loc="lower right")


def _steps(values: NDArray[Any]) -> NDArray[np.int64]:
    return np.arange(1, len(values) + 1)
