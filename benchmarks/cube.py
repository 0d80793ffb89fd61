"""A cube of Dask mapped to a class map of Dask: memory by its size, and whether the map is the file's.

The cube is generated when its chunks are asked for, as one of remote scenes would be fetched; nobody holds it whole.
Its map is computed into a GeoTIFF, in a process of its own, whose memory at its highest is shown (goal: under 2 GB for
400 million pixels). Of a smaller one the map is compared with that of the same pixels in a file.

    python benchmarks/cube.py --sides 5000 20000 --json benchmarks/results/cube.json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from streaming import NARROW, fresh_run

from terrasift.machine import machine_facts

CHUNK = 2048


def main() -> None:
    options = _options()
    if options.child:
        map_cube(options.sides[0], options.folder)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        run = fresh_run(Path(folder) / "narrow", "paper", NARROW)
        same = share_equal(options.compared, Path(folder))
        rows = [measure(side, run.parent, options.threads) for side in options.sides]
    facts = {**machine_facts("cpu"), "threads": options.threads}
    content = {"machine": facts, "compared_side": options.compared, "equal_share": same, "memory": rows}
    if options.json:
        options.json.write_text(json.dumps(content, indent=2) + "\n")
    table = Table(
        "cube", "chunks", "peak memory, MiB", "seconds", title=", ".join(f"{k}: {v}" for k, v in facts.items())
    )
    for row in rows:
        size = f"{row['side']} x {row['side']} x 3"
        table.add_row(size, str(row["chunks"]), f"{row['peak_mib']:.0f}", f"{row['seconds']:.0f}")
    console = Console(width=150, file=sys.stdout)
    console.print(table)
    console.print(
        f"{options.compared} x {options.compared}: {same:.6%} of the pixels are those of the file's map (goal: all)"
    )


def measure(side: int, folder: Path, threads: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", "--sides", str(side), "--folder", folder]
    start = time.monotonic()
    child = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"mapping a cube of {side} x {side} failed")
    chunks = (-(-side // CHUNK)) ** 2
    return {"side": side, "chunks": chunks, "peak_mib": usage.ru_maxrss / 1024, "seconds": time.monotonic() - start}


def map_cube(side: int, folder: Path) -> None:
    import dask

    from terrasift import Run

    dask.config.set(scheduler="threads", num_workers=2)
    classes = Run.open(folder / "narrow").predict(cube_of(side))
    classes.rio.to_raster(folder / "map.tif", tiled=True, compress="deflate", lock=threading.Lock())


def share_equal(side: int, folder: Path) -> float:
    """Of the pixels of two maps: of the cube, and of its pixels in a file."""
    import rioxarray

    from terrasift import Run

    run, cube = Run.open(folder / "narrow"), cube_of(side)
    cube.rio.to_raster(folder / "scene.tif", tiled=True)
    with rioxarray.open_rasterio(run.predict(folder / "scene.tif", folder / "map.tif")) as expected:
        found = run.predict(cube)
        assert found.rio.crs == expected.rio.crs
        return float((found.values == expected.values[0]).mean())


def cube_of(side: int) -> Any:
    """Fields of some hundred pixels with noise, (band, y, x), three bands of uint8, chunk by chunk."""
    import dask.array
    import rioxarray  # noqa: F401
    from xarray import DataArray

    count = -(-side // 128)
    fields = np.random.default_rng(0).integers(30, 220, (3, count, count), np.uint8)

    def chunk(block_info: dict[Any, Any]) -> np.ndarray[Any, Any]:
        (_, _), (top, bottom), (left, right) = block_info[None]["array-location"]
        rows, columns = np.arange(top, bottom) // 128, np.arange(left, right) // 128
        noise = np.random.default_rng([top, left]).integers(0, 30, (3, bottom - top, right - left), np.uint8)
        return fields[:, rows][:, :, columns] + noise

    lengths = tuple(min(CHUNK, side - start) for start in range(0, side, CHUNK))
    values = dask.array.map_blocks(
        chunk, chunks=((3,), lengths, lengths), dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8)
    )
    middles = 0.2 * (np.arange(side) + 0.5)
    places = {"y": 5e6 - middles, "x": 5e5 + middles}
    return DataArray(values, places, ("band", "y", "x")).rio.write_crs("EPSG:32633")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="*", default=[5000, 20000], help="of the cubes, pixels")
    parser.add_argument("--compared", type=int, default=2500, help="side of the cube that is a file, too")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="for the maps")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
