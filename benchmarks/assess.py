"""Whether 95 % intervals hold the truth 95 times in 100: many samples of a map whose every pixel is known.

The map is made here: smooth regions of four classes, one of them rare, and a map of them that errs in patches. It
lies in a projected CRS or in degrees, where pixels differ in size; its strata are its classes, or an older map's.

    python benchmarks/assess.py --json benchmarks/results/assess.json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter

from terrasift import LandClass, Legend
from terrasift.assessment import Assessment, Estimate, Sample, SampleDesign, assess, draw_sample
from terrasift.assessment.drawing import draw_pixels
from terrasift.assessment.sample import points_of
from terrasift.assessment.strata import count_map
from terrasift.progress import quiet
from terrasift.raster import ClassMap, ClassMapWriter, RasterInfo, Window, row_areas

NAMES = ("water", "wood", "field", "road")
LEGEND = Legend(tuple(LandClass(name, f"#0000{index:02X}") for index, name in enumerate(NAMES)))
GRIDS = {
    "projected": ("EPSG:32633", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0)),
    "degrees": ("EPSG:4326", (0.05, 0.0, 0.0, 0.0, -0.05, 75.0)),
}


def main() -> None:
    options = _options()
    rows = []
    with tempfile.TemporaryDirectory() as folder, quiet():
        for grid in GRIDS:
            site = Site(Path(folder), grid, options.size)
            for design in ("equal", "proportional", "another map"):
                rows += coverage(site, design, options.points, options.samples)
    _show(rows, options)
    if options.json:
        facts = {"samples": options.samples, "points": options.points, "size": options.size}
        machine = {"python": platform.python_version(), "numpy": np.__version__}
        options.json.write_text(json.dumps({**facts, **machine, "rows": rows}, indent=1) + "\n", encoding="utf-8")


class Site:
    """A map, an older one, and the truth."""

    def __init__(self, folder: Path, grid: str, size: int) -> None:
        self.grid = grid
        self.truth = _regions(size)
        self.map = self._write(folder / f"{grid}.tif", _erring(self.truth, 0.10, seed=1))
        self.older = self._write(folder / f"{grid}-older.tif", _erring(self.truth, 0.25, seed=2))
        with ClassMap(self.map) as opened:
            self.mapped = opened.read()
            ground = row_areas(opened.info)
        assert ground is not None
        self.ground = np.broadcast_to(ground[:, None] / 10_000, self.truth.shape)

    def _write(self, path: Path, labels: NDArray[np.uint8]) -> Path:
        crs, transform = GRIDS[self.grid]
        height, width = labels.shape
        info = RasterInfo("", height, width, 1, "uint8", False, False, (), crs, transform, None, "GTiff")
        with ClassMapWriter(path, info, LEGEND) as writer:
            writer.write(labels, Window(0, 0, *labels.shape))
        return path

    def figures(self) -> Iterator[tuple[str, float]]:
        """What is true, in the order of `figures_of`."""
        right = self.truth == self.mapped
        yield "overall accuracy", self._share(right, np.ones_like(right))
        for index, name in enumerate(NAMES):
            yield f"area of {name}", float(self.ground[self.truth == index].sum())
            yield f"user's accuracy of {name}", self._share(right, self.mapped == index)
            yield f"producer's accuracy of {name}", self._share(right, self.truth == index)

    def _share(self, what: NDArray[np.bool_], of: NDArray[np.bool_]) -> float:
        return float(self.ground[what & of].sum() / self.ground[of].sum())


def coverage(site: Site, design: str, points: int, samples: int) -> list[dict[str, Any]]:
    """How often the interval of each figure held the truth, and how wide it was."""
    truth = dict(site.figures())
    inside, symmetric, widths, values = (np.zeros(len(truth)) for _ in range(4))
    for sample in _samples(site, design, points, samples):
        labels = {point.id: NAMES[site.truth[point.row, point.column]] for point in sample.points}
        found = _figures_of(assess(sample, labels, site.map if design == "another map" else None))
        intervals = np.array([figure.interval for figure in found])
        real = np.array(list(truth.values()))
        inside += (intervals[:, 0] <= real) & (real <= intervals[:, 1])
        halves = np.array([figure.half_width for figure in found])
        symmetric += np.abs([figure.value for figure in found] - real) <= halves
        widths += intervals[:, 1] - intervals[:, 0]
        values += [figure.value for figure in found]
    return [
        {
            "grid": site.grid,
            "design": design,
            "figure": name,
            "truth": real,
            "mean_estimate": values[place] / samples,
            "mean_width": widths[place] / samples,
            "coverage": inside[place] / samples,
            "coverage_of_1.96_standard_errors": symmetric[place] / samples,
        }
        for place, (name, real) in enumerate(truth.items())
    ]


def _samples(site: Site, design: str, points: int, samples: int) -> Iterator[Sample]:
    path = site.older if design == "another map" else site.map
    allocation = "proportional" if design == "proportional" else "equal"
    first = draw_sample(path, SampleDesign(total=points, allocation=allocation))
    first = dataclasses.replace(first, map="")  # else every report would look whether the map has changed
    with ClassMap(path) as opened:
        counted = count_map(opened)
        for seed in range(samples):
            drawn = draw_pixels(opened, counted, first.strata, first.points_of_strata, seed)
            yield dataclasses.replace(first, points=points_of(opened, counted, drawn))


def _figures_of(found: Assessment) -> list[Estimate]:
    assert found.overall is not None
    figures = [found.overall]
    for entry in found.classes:
        assert entry.users is not None
        assert entry.producers is not None
        figures += [entry.area, entry.users, entry.producers]
    return figures


def _regions(size: int) -> NDArray[np.uint8]:
    generator = np.random.default_rng(0)
    smooth = np.stack([gaussian_filter(generator.normal(size=(size, size)), size / 40) for _ in NAMES])
    smooth /= smooth.std(axis=(1, 2), keepdims=True)
    return (smooth + np.array([0.0, 0.6, 0.8, -0.7])[:, None, None]).argmax(0).astype(np.uint8)


def _erring(truth: NDArray[np.uint8], share: float, seed: int) -> NDArray[np.uint8]:
    generator = np.random.default_rng(seed)
    wrong = gaussian_filter(generator.normal(size=truth.shape), 1.5)
    wrong = wrong > np.quantile(wrong, 1 - share)
    return np.where(wrong, generator.integers(0, len(NAMES), truth.shape), truth).astype(np.uint8)


def _show(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    table = Table(
        title=f"{options.samples:,} samples of {options.points} points: intervals that held the truth, per cent"
    )
    for column in ("grid", "strata", "areas", "overall", "user's", "producer's", "the two ± 1.96 s.e.", "bias, widths"):
        table.add_column(column, justify="left" if column in ("grid", "strata") else "right")
    for grid, design in dict.fromkeys((row["grid"], row["design"]) for row in rows):
        own = [row for row in rows if (row["grid"], row["design"]) == (grid, design)]
        cells = []
        for kind in ("area", "overall", "user", "producer"):
            found = [100 * row["coverage"] for row in own if row["figure"].startswith(kind)]
            cells.append(f"{min(found):.1f}" if len(found) == 1 else f"{min(found):.1f} to {max(found):.1f}")
        plain = [
            100 * row["coverage_of_1.96_standard_errors"] for row in own if row["figure"].startswith(("user", "prod"))
        ]
        cells.append(f"{min(plain):.1f} to {max(plain):.1f}")
        bias = max(abs(row["mean_estimate"] - row["truth"]) / row["mean_width"] for row in own)
        table.add_row(grid, design, *cells, f"{bias:.3f}")
    Console().print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--points", type=int, default=1200)
    parser.add_argument("--size", type=int, default=500, help="Rows and columns of the map.")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
