"""Try bad inputs by the thousand, and print how each kind was answered: `python -m tests.fuzz --minutes 60`."""

from __future__ import annotations

import argparse
import collections
import itertools
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.trials import KINDS, outcome_of
from tests.fuzz.world import make_world

__all__ = ["Failure", "fuzz", "main"]

PATIENCE = 30.0
"""Seconds that one input may take: of the processor's time, and ten times as many on the clock."""

_RARE = {"claims": 8, "checkpoint": 8, "study": 8, "run": 2, "labels": 2}
"""Kinds that take half a second and more: tried once in so many rounds."""


class Failure(NamedTuple):
    """An input that was not answered: ``python -m tests.fuzz --only KIND --seed SEED --count 1`` tries it again."""

    kind: str
    seed: int
    what: str


def fuzz(
    kinds: list[str], seed: int, *, minutes: float = float("inf"), count: int = sys.maxsize
) -> tuple[collections.Counter[tuple[str, str]], list[Failure], int]:
    """Try inputs of all kinds in turn, the slow ones more rarely, in a process that may hang or die.

    Returns
    -------
    counts
        By kind, and by ``answered``, ``traceback``, ``hang`` or ``crash``.
    failures
        All that were not answered.
    peak
        Largest memory of the process, in MB.
    """
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    failures: list[Failure] = []
    peak, end = 0, time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory(prefix="terrasift-fuzz-") as folder:
        world = Path(folder) / "world"
        make_world(world)
        process, ours = _start(world)
        for kind, trial in itertools.islice(_in_turn(kinds, seed), count):
            if time.monotonic() > end:
                break
            ours.send((kind, trial))
            sort, what = _answer(ours, process.pid or 0)
            if sort in ("hang", "crash"):
                process.kill()
                process.join()
                process, ours = _start(world)
            elif sort == "answered":
                peak, what = max(peak, int(what)), ""
            counts[kind, sort] += 1
            if what:
                failures.append(Failure(kind, trial, what))
                print(f"{kind} {trial}: {sort}: {what}", file=sys.stderr, flush=True)
        ours.send(None)
        process.join()
    return counts, failures, peak


def _in_turn(kinds: list[str], seed: int) -> Iterator[tuple[str, int]]:
    for number in itertools.count():
        for kind in kinds:
            turn, rest = divmod(number, _RARE.get(kind, 1))
            if not rest:
                yield kind, seed + turn


def _answer(ours: Connection, process: int) -> tuple[str, str]:
    begun, clock = _seconds_of(process), time.monotonic()
    try:
        while not ours.poll(1.0):
            used, waited = _seconds_of(process) - begun, time.monotonic() - clock
            if used > PATIENCE or waited > 10 * PATIENCE:
                return "hang", f"no answer in {waited:.0f} s, {used:.0f} s at work"
        sort, what = ours.recv()
    except (EOFError, ConnectionError):
        return "crash", "the process died"
    return str(sort), str(what)


def _seconds_of(process: int) -> float:
    """Of the processor, that a process has had; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _start(world: Path) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, world), daemon=True)
    process.start()
    theirs.close()
    ours.send(("recipe", -1))  # importing PyTorch is not the input's fault
    ours.recv()
    return process, ours


def _work(theirs: Connection, world: Path) -> None:
    number = 0
    while (asked := theirs.recv()) is not None:
        number += 1
        try:
            outcome = outcome_of(*asked, world, world.parent / f"trial-{number}")
        except BaseException:
            theirs.send(("traceback", traceback.format_exc()[-1500:]))
            continue
        if outcome == "answered":
            theirs.send(("answered", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
        else:
            theirs.send(("traceback", outcome))


def main() -> None:
    """Print a table; exit code 1 if an input was not answered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first input of each kind; counts up from there")
    parser.add_argument("--count", type=int, default=sys.maxsize, help="of inputs")
    parser.add_argument("--only", choices=list(KINDS), action="append", help="this kind; repeatable")
    given = parser.parse_args()
    kinds = given.only or list(KINDS)
    counts, failures, peak = fuzz(kinds, given.seed, minutes=given.minutes, count=given.count)
    sorts = ("answered", "traceback", "hang", "crash")
    print(f"{'kind':12}{'tried':>9}" + "".join(f"{sort:>11}" for sort in sorts))
    for kind in [*kinds, "all"]:
        row = [sum(n for (k, s), n in counts.items() if kind in (k, "all") and s == sort) for sort in sorts]
        print(f"{kind:12}{sum(row):9}" + "".join(f"{number:11}" for number in row))
    print(f"peak memory: {peak} MB; seeds from {given.seed}")
    sys.exit(bool(failures))
