"""Every benchmark that needs no trained run, at a size that fits half an hour in all, and one page of what was found.

    python benchmarks/all.py                                            # or: make bench-all
    python benchmarks/all.py --data ../shared/data --only superpixels startup
    python benchmarks/all.py --only                                     # the page again, of what --results holds

With --data, the folder of the Dubai and drone images, those that need labelled images see them; else generated towns.
One that fails is said, and stops no other. Each leaves its figures as JSON in --results, where those of the benchmarks
that take hours or a trained run lie too: the page has them all, with the commit they were measured at.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent


class Finding(NamedTuple):
    what: str
    value: float
    goal: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        return self.value >= self.goal if self.at_least else self.value <= self.goal


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


def training(found: dict[str, Any]) -> Iterator[Finding]:
    yield Finding(f"`{found['recipe']}`, all of Dubai, from nothing: seconds", found["total"], 180.0, at_least=False)
    yield Finding("most memory of a process, GiB", found["peak_mib"] / 1024, 4.0, at_least=False)


def quality(found: dict[str, Any]) -> Iterator[Finding]:
    goals = {"dubai": (6.0, 10.0), "drone": (5.0, 5.0), "dubai-tile5": (0.0, 0.0)}
    for split, (accuracy, mean_iou) in goals.items():
        for name, goal in (("accuracy", accuracy), ("mean_iou", mean_iou)):
            ours, *others = (_mean(found["rows"], split, method, name) for method in ("default", *_KMEANS))
            yield Finding(
                f"{split}: {name} of `default` less that of the better k-means, points", ours - max(others), goal
            )
    of_default = {(row["split"], row["seed"]): row for row in found["rows"] if row["method"] == "default"}
    for split in ("dubai", "drone"):
        on_one_split = (split, 0), (f"{split}-fixed", 1), (f"{split}-fixed", 2)
        ious = [100 * float(of_default[key]["mean_iou"]) for key in on_one_split]
        yield Finding(
            f"{split}: mean IoU of `default` on one split, spread of three seeds",
            max(ious) - min(ious),
            2.0,
            at_least=False,
        )


_KMEANS = ("k-means on pixels", "k-means on superpixels")


def _mean(rows: list[dict[str, Any]], split: str, method: str, score: str) -> float:
    """Over the seeds, in per cent."""
    return 100 * statistics.mean(float(row[score]) for row in rows if (row["split"], row["method"]) == (split, method))


def cube(found: dict[str, Any]) -> Iterator[Finding]:
    yield Finding("pixels of a lazy map that are the file's, %", 100 * found["equal_share"], 100.0)
    for row in found["memory"]:
        yield Finding(f"{row['side']} px a side: peak memory, GiB", row["peak_mib"] / 1024, 2.0, at_least=False)


def assess(found: dict[str, Any]) -> Iterator[Finding]:
    held = [row["coverage"] for row in found["rows"]]
    yield Finding("95 % intervals that hold the truth, the least of them, %", 100 * min(held), 93.0)
    yield Finding("the most of them, %", 100 * max(held), 97.0, at_least=False)


class Benchmark(NamedTuple):
    name: str
    arguments: list[str] | None = None
    """Of `make bench-all`; None: it takes hours, or a trained run."""
    findings: Callable[[dict[str, Any]], Iterator[Finding]] | None = None
    """None: it prints a table, and has no goal."""


def benchmarks(data: Path | None) -> list[Benchmark]:
    labelled = [] if data is None else [f"dubai={data / 'dubai'}", f"drone={data / 'dronedeploy'}"]
    return [
        Benchmark("quality", None, quality),
        Benchmark("training", None, training),
        Benchmark("startup", ["--starts", "3"], startup),
        Benchmark("superpixels", [*labelled, "--patches", "30"], superpixels),
        Benchmark("step", ["--repeats", "2", "--scores"], step),
        Benchmark("per_image", ["--seeds", "2"], per_image),
        Benchmark("growth", ["--megapixels", "1", "4", "25"], growth),
        Benchmark("growth-discover", None, growth),
        Benchmark("streaming", ["--sides", "5000", "--full", "2000"], streaming),
        Benchmark("cube", None, cube),
        Benchmark("assess", None, assess),
        Benchmark("viewer", ["--side", "5000"]),
        Benchmark("metrics", ["--sizes", "481x321", "--repeats", "3"]),
        Benchmark("external", ["--sides", "200", "--repeats", "3"]),
    ]


def main() -> None:
    options = _options()
    known = benchmarks(options.data)
    failed = []
    for benchmark in known:
        asked = options.only is None or benchmark.name in options.only
        if asked and benchmark.arguments is not None and not run(benchmark, options.results):
            failed.append(f"- `{benchmark.name}` failed when it was last run.")
    page = [
        "# What was measured",
        "",
        "Each ratio is of rows measured side by side in one run. `benchmarks/README.md` says what each benchmark does,",
        "the JSON beside this page on which machine, and the commit is the one that the JSON is of. `make bench-all`",
        "measures again all that needs no trained run.",
        "",
        "| benchmark | what | found | goal | met | commit |",
        "|---|---|---|---|---|---|",
    ]
    for benchmark in known:
        page += rows_of(benchmark, options.results / f"{benchmark.name}.json")
    options.summary.write_text("\n".join([*page, "", *failed]).strip() + "\n", encoding="utf-8")
    print(f"{options.summary} says what was found")


def run(benchmark: Benchmark, results: Path) -> bool:
    writes = ["--json", str(results / f"{benchmark.name}.json")] if benchmark.findings else []
    command = [sys.executable, str(HERE / f"{benchmark.name}.py"), *(benchmark.arguments or []), *writes]
    print(" ".join(command), flush=True)
    return subprocess.run(command, check=False).returncode == 0


def rows_of(benchmark: Benchmark, path: Path) -> Iterator[str]:
    if benchmark.findings is None or not path.exists():
        return
    commit = _commit_of(path)
    for finding in benchmark.findings(json.loads(path.read_text())):
        goal, met = f"{'≥' if finding.at_least else '≤'} {finding.goal:g}", "yes" if finding.met else "**no**"
        yield f"| `{benchmark.name}` | {finding.what} | {finding.value:.2f} | {goal} | {met} | {commit} |"


def _commit_of(path: Path) -> str:
    """The commit that a file is of; with a + if it has changed since, and so is of the code at hand."""
    git = ["git", "-C", str(path.parent)]
    asked = subprocess.run([*git, "log", "-1", "--format=%h", "--", path.name], capture_output=True, text=True)
    changed = subprocess.run([*git, "status", "--porcelain", "--", path.name], capture_output=True, text=True).stdout
    if changed.strip():
        asked = subprocess.run([*git, "log", "-1", "--format=%h"], capture_output=True, text=True)
        return f"{asked.stdout.strip()}+"
    return asked.stdout.strip() or "unknown"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with dubai/ and dronedeploy/")
    parser.add_argument("--only", nargs="*", help="names of benchmarks; none: only the page is written")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder of JSON")
    parser.add_argument("--summary", type=Path, default=HERE / "results" / "summary.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
