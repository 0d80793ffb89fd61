"""What a training took in time and memory, and which versions made it."""

from __future__ import annotations

import numpy as np

from terrasift.machine import machine_facts
from terrasift.recipe import Recipe
from terrasift.report.words import duration
from terrasift.run import RunFolder, TrainingLog

__all__ = ["cost_facts", "version_facts"]

_VERSIONS = (("terrasift", "terrasift"), ("Python", "python"), ("PyTorch", "torch"), ("GDAL", "gdal"))


def cost_facts(run: RunFolder, recipe: Recipe, log: TrainingLog) -> list[tuple[str, str]]:
    """Time, speed and memory in words: (name, value)."""
    seconds = log.seconds
    patches = recipe.batch_size * recipe.compute.devices
    facts = [
        ("Steps", f"{len(seconds):,} of up to {patches} patches of {recipe.patch} × {recipe.patch} px"),
        ("Time in these steps", duration(float(seconds.sum()))),
        ("A step", f"{np.median(seconds):.3g} s in the median"),
        ("Speed", f"{patches / max(float(np.median(seconds)), 1e-9):.3g} patches a second"),
    ]
    machine = run.machine
    facts.append(("Peak memory of the process", _memory(machine.get("peak_memory"))))
    if machine.get("peak_gpu_memory"):
        facts.append(("Peak memory on the GPU", _memory(machine["peak_gpu_memory"])))
    size = sum(file.stat().st_size for file in (run.weights_file,) if file.exists())
    facts.append(("Weights", f"{size / 1e6:.2g} MB"))
    return facts


def version_facts(run: RunFolder) -> tuple[str, list[tuple[str, str]]]:
    """What made the run, in words, or, where it has not been written down, what makes the report."""
    machine = run.machine
    title = "Trained with" if machine else "Report written with (the run does not say what it was trained with)"
    machine = machine or machine_facts("cpu")
    facts = [(title, str(machine[key])) for title, key in _VERSIONS if machine.get(key)]
    facts += [("System", str(machine.get("platform", "–"))), ("Device", str(machine.get("device", "–")))]
    return title, facts


def _memory(count: int | None) -> str:
    return "not recorded" if not count else f"{count / 1e9:.2f} GB"
