"""Every benchmark that needs no trained run, at a size that fits half an hour in all, and one page of what they found.

    python benchmarks/all.py                                            # or: make bench-all
    python benchmarks/all.py --data ../shared/data --only superpixels startup

With --data, the folder of the Dubai and drone images, those that need labelled images see them; else generated towns.
One that fails is said on the page and stops no other. What was measured stays as JSON in --work.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from terrasift.machine import describe_machine

HERE = Path(__file__).resolve().parent


class Finding(NamedTuple):
    what: str
    value: float
    goal: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        return self.value >= self.goal if self.at_least else self.value <= self.goal


class Benchmark(NamedTuple):
    name: str
    arguments: list[str]
    findings: Callable[[dict[str, Any]], Iterator[Finding]]


def superpixels(found: dict[str, Any]) -> Iterator[Finding]:
    for row in found["rows"]:
        if row["method"] == "OpenCV":
            yield Finding(f"{row['patches']}: times as fast as scikit-image, one process", row["ratio"], 3.5)
            yield Finding(f"{row['patches']}: two processes", row["ratio_two"], 3.5)


def step(found: dict[str, Any]) -> Iterator[Finding]:
    for size, rows in found["sizes"].items():
        yield Finding(f"{size}: times as fast as before", rows["today"]["times_as_fast_as_before"], 2.0)
        yield Finding(f"{size}: of a bare step", rows["today"]["of_bare"], 1.1, at_least=False)


def startup(found: dict[str, Any]) -> Iterator[Finding]:
    goals = {"--help": 0.3, "info recipe": 1.0, "info run": 1.0, "legend": 1.0, "view": 3.0}
    for name, seconds in found["seconds"].items():
        yield Finding(f"{name}: seconds", seconds, goals[name], at_least=False)


def per_image(found: dict[str, Any]) -> Iterator[Finding]:
    yield Finding("times as fast as a plain loop", found["ratio"], 3.0)
    plain, ours = ([row["accuracy"] for row in rows] for rows in found["rows"].values())
    yield Finding("accuracy less that of the plain loop, %", (sum(ours) - sum(plain)) / len(ours), -2.0)


def growth(found: dict[str, Any]) -> Iterator[Finding]:
    for stage in dict.fromkeys(row["stage"] for row in found["rows"]):
        *_, before, last = [row for row in found["rows"] if row["stage"] == stage]
        each = last["seconds"] / last["megapixels"] / (before["seconds"] / before["megapixels"])
        sizes = f"{last['megapixels']:g} Mpx over {before['megapixels']:g}"
        yield Finding(f"{stage}: seconds a megapixel, {sizes}", each, 1.1, at_least=False)


def streaming(found: dict[str, Any]) -> Iterator[Finding]:
    yield Finding("bare forward pass over prediction", found["throughput"]["ratio"], 0.95)
    for row in found["memory"]:
        yield Finding(f"{row['side']} px a side: peak memory, GiB", row["peak_mib"] / 1024, 1.0, at_least=False)


def nothing(_: dict[str, Any]) -> Iterator[Finding]:
    yield from ()


def benchmarks(data: Path | None) -> list[Benchmark]:
    labelled = [] if data is None else [f"dubai={data / 'dubai'}", f"drone={data / 'dronedeploy'}"]
    return [
        Benchmark("startup", ["--starts", "3"], startup),
        Benchmark("superpixels", [*labelled, "--patches", "30"], superpixels),
        Benchmark("step", ["--repeats", "2", "--scores"], step),
        Benchmark("per_image", ["--seeds", "2"], per_image),
        Benchmark("growth", ["--megapixels", "1", "4", "25"], growth),
        Benchmark("streaming", ["--sides", "5000", "--full", "2000"], streaming),
        Benchmark("viewer", ["--side", "5000"], nothing),
        Benchmark("metrics", ["--sizes", "481x321", "--repeats", "3"], nothing),
        Benchmark("external", ["--sides", "200", "--repeats", "3"], nothing),
    ]


def main() -> None:
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    page = [
        "# What was measured",
        "",
        f"By `make bench-all` at commit {_commit()}, on {describe_machine('cpu')}.",
        "Each ratio is of rows measured side by side in one run; `benchmarks/README.md` says what each benchmark does.",
        "",
        "| benchmark | what | found | goal | met |",
        "|---|---|---|---|---|",
    ]
    for benchmark in benchmarks(options.data):
        if not options.only or benchmark.name in options.only:
            page += rows_of(benchmark, options.work)
            options.summary.write_text("\n".join(page) + "\n", encoding="utf-8")
    print(f"{options.summary} says what was found")


def rows_of(benchmark: Benchmark, work: Path) -> list[str]:
    path = work / f"{benchmark.name}.json"
    writes = benchmark.findings is not nothing
    command = [sys.executable, str(HERE / f"{benchmark.name}.py"), *benchmark.arguments]
    print(" ".join(command), flush=True)
    start = time.monotonic()
    ended = subprocess.run([*command, *(["--json", str(path)] if writes else [])], check=False)
    seconds = f"{time.monotonic() - start:.0f} s in all"
    if ended.returncode:
        return [f"| `{benchmark.name}` | failed with exit code {ended.returncode}, {seconds} | | | **no** |"]
    found = json.loads(path.read_text()) if writes else {}
    return [
        *(
            f"| `{benchmark.name}` | {finding.what} | {finding.value:.2f} |"
            f" {'≥' if finding.at_least else '≤'} {finding.goal:g} | {'yes' if finding.met else '**no**'} |"
            for finding in benchmark.findings(found)
        ),
        f"| `{benchmark.name}` | {seconds} | | | |",
    ]


def _commit() -> str:
    asked = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return asked.stdout.strip() or "unknown"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with dubai/ and dronedeploy/")
    parser.add_argument("--only", nargs="+", help="names of benchmarks")
    parser.add_argument("--work", type=Path, default=HERE / "results" / "work")
    parser.add_argument("--summary", type=Path, default=HERE / "results" / "summary.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
