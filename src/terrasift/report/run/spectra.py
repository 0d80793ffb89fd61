"""Mean spectra of clusters as small drawings of lines, in the colours of the page."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from terrasift.clusters import ClusterFacts

__all__ = ["Spectrum", "SpectrumAxes", "spectrum_axes", "spectrum_of"]

WIDTH, HEIGHT = 260, 116
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 250, 8, 92
_MOST_NAMES = 6
_LETTER = 5.5  # pixels of one, about


class Tick(NamedTuple):
    """A place on an axis, and what stands there."""

    at: float
    text: str


class SpectrumAxes(NamedTuple):
    """Axes that all clusters share, so that their spectra can be compared."""

    low: float
    high: float
    places: list[float]
    """Of the bands."""
    names: list[Tick]
    values: list[Tick]
    overall: str
    """The spectrum of all pixels, as points of a line."""


class Spectrum(NamedTuple):
    """One cluster."""

    line: str
    """Points."""
    band: str
    """Points around one standard deviation either way."""
    dots: list[tuple[float, float]]
    alt: str


def spectrum_axes(facts: ClusterFacts) -> SpectrumAxes:
    """Axes that hold every cluster's mean and one standard deviation either way."""
    seen = facts.pixels > 0
    means, deviations = facts.means[seen], facts.deviations[seen]
    low, high = float((means - deviations).min()), float((means + deviations).max())
    if means.min() >= 0:
        low = max(low, 0.0)  # there are no values below
    if high <= low:
        low, high = low - 0.5, high + 0.5
    ticks = np.asarray(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high), np.float64)
    count = len(facts.bands)
    places = np.linspace(_LEFT + 14, _RIGHT - 14, count) if count > 1 else np.array([(_LEFT + _RIGHT) / 2])
    shown = np.unique(np.linspace(0, count - 1, min(count, _MOST_NAMES)).round().astype(int)).tolist()
    axes = SpectrumAxes(float(ticks[0]), float(ticks[-1]), places.tolist(), [], [], "")
    return axes._replace(
        names=[Tick(float(places[index]), _short(facts.bands[index], len(shown))) for index in shown],
        values=[Tick(_height(axes, value), f"{value:g}") for value in ticks.tolist()],
        overall=_points(axes, np.average(means, axis=0, weights=facts.pixels[seen])),
    )


def spectrum_of(facts: ClusterFacts, cluster: int, axes: SpectrumAxes) -> Spectrum:
    """The spectrum of a cluster that has pixels."""
    mean, deviation = facts.means[cluster], facts.deviations[cluster]
    upper = _points(axes, mean + deviation)
    lower = _points(axes, mean - deviation).split(" ")
    span = axes.high - axes.low
    named = ", ".join(
        f"{name} {_number(value, span)} ± {_number(spread, span)}"
        for name, value, spread in zip(facts.bands, mean.tolist(), deviation.tolist(), strict=True)
    )
    dots = [(x, _height(axes, value)) for x, value in zip(axes.places, mean.tolist(), strict=True)]
    return Spectrum(_points(axes, mean), " ".join([upper, *reversed(lower)]), dots, f"Mean spectrum: {named}")


def _points(axes: SpectrumAxes, values: NDArray[np.float64]) -> str:
    pairs = zip(axes.places, values.tolist(), strict=True)
    return " ".join(f"{x:.1f},{_height(axes, value):.1f}" for x, value in pairs)


def _height(axes: SpectrumAxes, value: float) -> float:
    share = min(max((value - axes.low) / (axes.high - axes.low), 0.0), 1.0)
    return round(_BOTTOM + (_TOP - _BOTTOM) * share, 1)


def _number(value: float, span: float) -> str:
    """As many digits as the span of the values asks for."""
    decimals = max(0, 2 - int(np.floor(np.log10(span))))
    return f"{value:.{decimals}f}" if decimals < 6 else f"{value:.3g}"


def _short(name: str, shown: int) -> str:
    """As much of a name as has room beside others."""
    longest = min(12, int((_RIGHT - _LEFT) / (_LETTER * shown)))
    return name if len(name) <= longest else name[: longest - 1] + "…"
