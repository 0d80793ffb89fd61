"""What a raster, a recipe or a run is, in a few lines of text."""

from __future__ import annotations

from pathlib import Path

from terrasift.files import read_yaml
from terrasift.legend import Legend
from terrasift.raster import Raster, ground_sampling
from terrasift.recipe import Recipe, recipe_names
from terrasift.run import RunFolder

__all__ = ["describe"]


def describe(path: str) -> str:
    """Lines about a raster, a recipe's name or file, a legend, or a run's folder; InputError for anything else."""
    if _is_legend(path):
        return _legend(Legend.load(path))
    if path in recipe_names() or Path(path).suffix.lower() in (".yaml", ".yml"):
        return Recipe.load(path).to_yaml().rstrip()
    if Path(path).is_dir():
        return _run(RunFolder(path))
    return _raster(path)


def _is_legend(path: str) -> bool:
    if Path(path).suffix.lower() not in (".yaml", ".yml") or not Path(path).is_file():
        return False
    content = read_yaml(path).content
    return isinstance(content, dict) and "classes" in content


def _legend(legend: Legend) -> str:
    lines = [f"legend of {len(legend.classes)} classes, for classifier {legend.classifier}"]
    for index, entry in enumerate(legend.classes):
        held = f", {len(entry.clusters)} clusters" if entry.clusters else ""
        lines.append(f"{index} {entry.color} {entry.name}{held}")
    return "\n".join(lines)


def _run(run: RunFolder) -> str:
    recipe = run.recipe
    lines = [f"run {run.path}: {'finished' if run.is_finished else 'not finished'}"]
    log = run.log
    if log and log.steps:
        lines.append(f"{log.steps} steps in {log.seconds.sum():.0f} s")
        lines.append(f"loss {log.loss[0]:.3f} at the first step, {log.loss[-1]:.3f} at the last")
    legend = run.legend
    held = sum(len(entry.clusters) for entry in legend.classes)
    how = "taught by labels" if legend.taught else f"that hold {held} clusters of classifier {legend.classifier}"
    lines.append(f"legend: {len(legend.classes)} classes {how}")
    return "\n".join([*lines, "", recipe.to_yaml().rstrip()])


def _raster(path: str) -> str:
    with Raster(path) as raster:
        info, palette = raster.info, raster.has_palette
        valid = raster.valid_share() if info.is_small else None
    lines = [
        f"raster {path}: {info.driver}",
        f"{info.width} x {info.height} pixels, {info.bands} band{'s' * (info.bands > 1)} of {info.dtype}",
        f"bands: {', '.join(f'{n} {name}'.strip() for n, name in enumerate(info.descriptions, 1))}",
        f"CRS: {info.crs or 'none, a plain image'}",
        f"transform: {', '.join(f'{value:.12g}' for value in info.transform)}",
        *([f"ground sampling: {sampling:.3g} m"] if (sampling := ground_sampling(info)) else []),
        f"nodata: {'none' if info.nodata is None else f'{info.nodata:g}'}",
    ]
    if info.gcps:
        lines.append(f"ground control points: {len(info.gcps)}, in {info.gcps_crs or 'no CRS'}")
    if palette:
        lines.append("palette: one band of indices into a colour table, read as its colours")
    if info.alpha:
        lines.append(f"alpha: band {info.bands + 1} says which pixels are valid")
    if valid is not None:
        lines.append(f"valid pixels: {valid:.1%}")
    return "\n".join(lines)
