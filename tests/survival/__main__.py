"""Disturb every command that takes long, and print what became of it: `python -m tests.survival --moments 20`."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.survival import disturbing
from tests.survival.child import forked
from tests.survival.commands import COMMANDS, Command, make_world
from tests.survival.disturbing import Finding, small_disk, undisturbed

WAYS = ("kills", "full", "others")


def main() -> None:
    """Exit code 1 if anything was not survived, 3 where no small disk may be made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=20, help="of kills, and amounts of space, for each row")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", help="commands whose names begin like this; repeatable")
    parser.add_argument("--ways", choices=WAYS, action="append", help="what is done to them; else everything")
    given = parser.parse_args()
    commands = [entry for entry in COMMANDS if not given.only or entry.name.startswith(tuple(given.only))]
    with tempfile.TemporaryDirectory(prefix="terrasift-survival-") as name:
        folder = Path(name)
        try:
            with small_disk(folder / "disk") as disk:
                forked(lambda: make_world(folder / "world"))
                bad = sum([_row(entry, folder / "world", disk, given) for entry in commands])
        except OSError as error:
            print(f"no small disk can be made here: {error}", file=sys.stderr)
            sys.exit(3)
    sys.exit(bool(bad))


def _row(command: Command, world: Path, disk: Path, given: argparse.Namespace) -> int:
    draws = random.Random(f"{command.name} {given.seed}")
    begun = time.monotonic()
    calm = undisturbed(command, world, disk)
    ways, bad = given.ways or WAYS, 0
    for stage in command.stages or ("",) if "kills" in ways else ():
        found = [
            disturbing.killed(command, world, disk, moment, calm)
            for moment in disturbing.moments(command, stage, given.moments, calm, draws)
        ]
        bad += _print(command, f"killed in {stage}" if stage else "killed", found, "same bytes, nothing left")
    if "full" in ways:
        free = [draws.randrange(0, max(calm.peak, 4096)) for _ in range(given.moments)]
        found = [disturbing.on_a_full_disk(command, world, disk, space, calm) for space in free]
        bad += _print(command, "disk full", found, "a line, nothing left, same bytes with space again")
    if "others" in ways:
        for what, disturb, well in _OTHERS:
            bad += _print(command, what, [disturb(command, world, disk, calm)], well)
    print(f"{'':26}{time.monotonic() - begun:6.0f} s, needs {calm.peak / 1e6:.1f} MB", flush=True)
    return bad


_OTHERS = (
    ("read-only", disturbing.without_leave_to_write, "a line, nothing written"),
    ("twice at once", disturbing.beside_itself, "as once, or a line"),
    ("clock jumps", disturbing.with_a_clock_that_jumps, "same bytes"),
    ("no working folder", disturbing.without_a_home, "as ever, or a line"),
)


def _print(command: Command, what: str, found: list[Finding], well: str) -> int:
    bad = [each.problem for each in found if each.problem]
    happened = sum(each.happened for each in found)
    print(
        f"{command.name:26}{what:24}{happened:3} of {len(found):3}  {well if not bad else f'{len(bad)} NOT: {bad[0]}'}",
        flush=True,
    )
    for problem in bad[1:]:
        print(f"{'':52}{problem}", flush=True)
    return len(bad)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
