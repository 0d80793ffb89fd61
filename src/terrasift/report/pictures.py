"""Pictures for pages: label maps in their colours, curves, and PNG bytes inside HTML."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray

from terrasift.legend import Legend

__all__ = ["embed_array", "embed_figure", "loss_curve", "paint"]


def paint(labels: NDArray[np.integer[Any]], legend: Legend) -> NDArray[np.uint8]:
    """(H, W) class indices to (H, W, 3) uint8 in the legend's colours; anything else is white."""
    colors = np.full((max(256, len(legend.classes), int(labels.max()) + 1), 3), 255, np.uint8)
    colors[: len(legend.classes)] = legend.rgb
    painted: NDArray[np.uint8] = colors[labels]
    return painted


def embed_array(rgb: NDArray[np.uint8]) -> str:
    """(H, W, 3) uint8 to a data URI that an <img> can show."""
    buffer = io.BytesIO()
    imsave(buffer, rgb, format="png")
    return _uri(buffer)


def embed_figure(figure: Figure, dpi: int = 110) -> str:
    """A figure to a data URI that an <img> can show."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
    return _uri(buffer)


def loss_curve(losses: NDArray[np.float64], clusters: NDArray[np.int64], window: int = 20) -> Figure:
    """The loss of each step, raw and as a moving average, and the clusters in use below it."""
    figure = Figure(figsize=(7, 4.2))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    steps = np.arange(1, len(losses) + 1)
    above.plot(steps, losses, color="#9db7c9", linewidth=0.8, label="each step")
    if len(losses) >= window:
        smooth = np.convolve(losses, np.ones(window) / window, mode="valid")
        above.plot(steps[window - 1 :], smooth, color="#14506e", linewidth=1.8, label=f"mean of {window} steps")
    above.set_ylabel("loss")
    above.legend(frameon=False)
    for number, counts in enumerate(clusters, 1):
        below.plot(steps, counts, linewidth=1, label=f"classifier {number}")
    below.set_ylabel("clusters in use")
    below.set_ylim(bottom=0)
    below.set_xlabel("step")
    if len(clusters) > 1:
        below.legend(frameon=False)
    return figure


def _uri(buffer: io.BytesIO) -> str:
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
