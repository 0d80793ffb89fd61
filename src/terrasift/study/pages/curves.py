"""The loss of every network of an experiment, as the study's figures 4 to 10 show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from terrasift.report.pictures import embed_figure
from terrasift.run import RunFolder, TrainingLog
from terrasift.study.states import CellState

__all__ = ["LossFigure", "loss_figure"]

_RAW = "#9db7c9"
_SEEDS = ("#14506e", "#d55e00", "#009e73", "#cc79a7", "#e69f00")  # told apart by the colour-blind too (Okabe & Ito)


class LossFigure(NamedTuple):
    """A picture and what it shows."""

    uri: str
    caption: str


def loss_figure(states: Sequence[CellState], figure: str) -> LossFigure | None:
    """A panel for each cell that is done, on common axes; None if there is no network among them."""
    panels: dict[str, dict[int, TrainingLog]] = {}
    for found in states:
        if found.state == "done" and found.cell.method == "network" and (log := RunFolder(found.folder).log):
            panels.setdefault(found.cell.variant, {})[found.seed] = log
    if not panels:
        return None
    windows = sorted({log.window for seeds in panels.values() for log in seeds.values()})
    shown = " or ".join(map(str, windows))
    several = max(len(found) for found in panels.values()) > 1
    raw, colors = ("seed 0 raw (light)", "each seed in its colour") if several else ("raw (light)", "dark")
    like = f"; the study's figure{'s' * ('and' in figure)} {figure}" if figure else ""
    caption = (
        f"Loss of each step, summed over the classifiers: {raw} and as the moving average over "
        f"{shown} step{'s' * (windows != [1])} ({colors}){like}."
    )
    return LossFigure(_draw(panels), caption)


def _draw(panels: dict[str, dict[int, TrainingLog]]) -> str:
    columns = 2 if len(panels) == 4 else min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(0.6 + 3.4 * columns, 0.5 + 2.3 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis, (variant, seeds) in zip(axes.flat, panels.items(), strict=False):
        _draw_panel(axis, variant, seeds)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    figure.supxlabel("step", fontsize="medium")
    figure.supylabel("loss", fontsize="medium")
    if max(len(seeds) for seeds in panels.values()) > 1:
        axes.flat[0].legend(frameon=False, fontsize="small")
    return embed_figure(figure)


def _draw_panel(axis: Axes, variant: str, seeds: dict[int, TrainingLog]) -> None:
    axis.set_title(variant, fontsize="medium", parse_math=False)
    axis.spines[["top", "right"]].set_visible(False)
    for seed, log in seeds.items():
        if seed == min(seeds):
            axis.plot(np.arange(1, log.steps + 1), log.loss, color=_RAW, linewidth=0.7)
        axis.plot(*log.averages, color=_SEEDS[seed % len(_SEEDS)], linewidth=1.6, label=f"seed {seed}")
