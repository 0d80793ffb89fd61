"""Try bad inputs by the thousand, and print how each kind was answered: `python -m tests.fuzz --minutes 60`."""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import resource
import sys
import tempfile
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.trials import KINDS, make_world, outcome_of

__all__ = ["Failure", "fuzz", "main"]

PATIENCE = 30.0
"""Seconds that one input may take."""


class Failure(NamedTuple):
    """An input that was not answered: ``python -m tests.fuzz --only KIND --seed SEED --count 1`` tries it again."""

    kind: str
    seed: int
    what: str


def fuzz(
    kinds: list[str], seed: int, *, minutes: float = float("inf"), count: int = sys.maxsize
) -> tuple[collections.Counter[tuple[str, str]], list[Failure], int]:
    """Try inputs of all kinds in turn, each seed once, in a process that may hang or die.

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
        for number in range(count):
            if time.monotonic() > end:
                break
            kind, trial = kinds[number % len(kinds)], seed + number // len(kinds)
            ours.send((kind, trial))
            sort, what = _answer(ours)
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


def _answer(ours: Connection) -> tuple[str, str]:
    try:
        if not ours.poll(PATIENCE):
            return "hang", f"no answer in {PATIENCE:g} s"
        sort, what = ours.recv()
    except (EOFError, ConnectionError):
        return "crash", "the process died"
    return str(sort), str(what)


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
    print(f"peak memory: {peak} MB; seeds {given.seed} to {given.seed + max(0, counts.total() - 1) // len(kinds)}")
    sys.exit(bool(failures))
