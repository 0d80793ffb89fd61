"""How long a command takes to say its first word, with warm files: the best of a few starts, and its modules.

    python benchmarks/startup.py --json startup.json
    python benchmarks/startup.py --run runs/city --scene scene.tif     # `view` too, until it answers

Goals: `--help` 0.3 s, `info` and `legend` 1 s, `view` 3 s.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from terrasift.data.synthetic import synthetic_scene
from terrasift.machine import machine_facts
from terrasift.raster import write_image

GOALS = {"--help": 0.3, "info recipe": 1.0, "info run": 1.0, "legend": 1.0, "view": 3.0}
SMALL = ("patch=64", "batch_size=2", "steps=2", "width=4", "clusters=8", "crop=32", "compute.device=cpu")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        run, scene = options.run, options.scene
        if run is None or scene is None:
            run, scene = trained(Path(folder))
        commands = {
            "--help": ["--help"],
            "info recipe": ["info", "default"],
            "info run": ["info", run],
            "legend": ["legend", run],
        }
        rows = {name: min(seconds_of(command) for _ in range(options.starts)) for name, command in commands.items()}
        if not options.no_view:
            rows["view"] = min(seconds_to_answer(["view", run, scene, "--no-browser"]) for _ in range(options.starts))
    table = Table("command", "seconds", "goal", title=machine_facts("cpu")["device"])
    for name, seconds in rows.items():
        table.add_row(name, f"{seconds:.2f}", f"{GOALS[name]:.1f}")
    Console(width=80).print(table)
    if options.json:
        found: dict[str, Any] = {"machine": machine_facts("cpu"), "seconds": rows}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def trained(folder: Path) -> tuple[str, str]:
    scene = folder / "scene.tif"
    write_image(scene, synthetic_scene(256, 256).image)
    changes = [part for change in SMALL for part in ("--set", change)]
    start(["train", scene, "--out", folder / "run", "--no-cache", *changes], check=True)
    return str(folder / "run"), str(scene)


def start(arguments: list[Any], *, check: bool) -> None:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([sys.executable, "-m", "terrasift", *map(str, arguments)], check=check, **quiet)


def seconds_of(arguments: list[Any]) -> float:
    begun = time.perf_counter()
    start(arguments, check=True)
    return time.perf_counter() - begun


def seconds_to_answer(arguments: list[Any]) -> float:
    """Until the page has been served once."""
    begun = time.perf_counter()
    command = [sys.executable, "-u", "-m", "terrasift", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "COLUMNS": "500"}
    ) as server:
        assert server.stdout is not None
        try:
            for line in server.stdout:
                if address := re.search(r"http://\S+", line):
                    with urllib.request.urlopen(address[0], timeout=10) as answer:
                        answer.read()
                    return time.perf_counter() - begun
        finally:
            server.terminate()
    raise SystemExit("`view` ended before it said its address")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", help="a finished run; else a small one is trained first")
    parser.add_argument("--scene")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--no-view", action="store_true", help="its page needs to have been built: make page")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
