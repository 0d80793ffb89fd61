"""What `terrasift train` spends its time on, from nothing: seconds of each stage, and the most memory of a process.

    python benchmarks/training.py '../shared/data/dubai/images/*.jpg' --json benchmarks/results/training.json

A stage lasts from its first sign of progress to that of the next one: what is between two stages counts to the first.
Superpixels, responses and descriptors are one stage, whitening is at its end and k-means at that of the contrast. No
cache is used. Goals for the 26 megapixels of Dubai on two cores: 180 seconds, 4 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from terrasift.machine import machine_facts

FIRST, LAST = "start, index, filters", "legend, report"


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.images, options.recipe, Path(folder) / "run")
    table = Table("stage", "seconds", title=f"{options.recipe}, {found['machine']['device']}")
    for name, seconds in found["seconds"].items():
        table.add_row(name, f"{seconds:.1f}")
    table.add_row("all", f"{found['total']:.1f}")
    table.caption = f"{found['peak_mib']:.0f} MiB at most"
    Console(width=80).print(table)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def measure(images: list[str], recipe: str, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "terrasift", "train", *images, "--recipe", recipe, "--out", str(out)]
    stages: list[tuple[str, float]] = [(FIRST, time.monotonic())]
    child = subprocess.Popen(
        [*command, "--no-cache", "--progress", "json"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    said, done = [], time.monotonic()
    for line in child.stderr:
        said.append(line)
        event = json.loads(line) if line.startswith("{") else {}
        if event.get("event") == "progress":
            done = time.monotonic()
            if event["stage"] != stages[-1][0]:
                stages.append((event["stage"], done))
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit("".join(said[-5:]))
    ends = [begun for _, begun in stages[1:]] + [done]
    seconds: dict[str, float] = {}
    for (name, begun), end in zip(stages, ends, strict=True):
        seconds[name] = seconds.get(name, 0.0) + end - begun
    over = time.monotonic()
    seconds[LAST] = over - done
    found = {"machine": machine_facts("cpu"), "recipe": recipe, "seconds": seconds}
    return found | {"total": over - stages[0][1], "peak_mib": usage.ru_maxrss / 1024}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
