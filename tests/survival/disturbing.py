"""What is done to commands, and whether they end, or go on, as if nothing had been."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.survival.child import Child, Ended, Moment, import_all
from tests.survival.commands import Command, contents, lay_out

__all__ = [
    "Finding",
    "Undisturbed",
    "beside_itself",
    "killed",
    "on_a_full_disk",
    "small_disk",
    "undisturbed",
    "with_a_clock_that_jumps",
    "without_a_home",
    "without_leave_to_write",
]


class Undisturbed(NamedTuple):
    """What a command leaves when nothing happens."""

    before: dict[str, str]
    after: dict[str, str]
    ended: Ended
    peak: int
    """Bytes that it needs on the disk while it works."""


class Finding(NamedTuple):
    """What became of one trial: `problem` is "" where all is well."""

    happened: bool
    """Whether the disturbance came before the end."""
    problem: str


def undisturbed(command: Command, world: Path, disk: Path) -> Undisturbed:
    """Give a command alone."""
    place = _fresh(world, disk)
    before, used = contents(place), _used(disk)
    peak = 0

    def look() -> None:
        nonlocal peak
        peak = max(peak, _used(disk) - used)

    ended = Child(command, place, temporary=disk / "tmp").wait(look)
    if ended.code != 0:
        raise RuntimeError(f"{command.name}: {ended.said}")
    import_all(ended.modules)
    return Undisturbed(before, contents(place), ended, peak)


def killed(command: Command, world: Path, disk: Path, moment: Moment, calm: Undisturbed) -> Finding:
    """Kill it at a moment, give it again, and look whether all is as if it had not been killed."""
    place = _fresh(world, disk)
    ended = Child(command, place, moment).wait()
    found = contents(place)
    half = [name for name in found if not _is_on_its_way(name) and not _is_whole(name, found, calm)]
    if half:
        return Finding(True, f"half-written when killed: {half}")
    return Finding(ended.code == -9, ended.answer or _given_again(command, place, calm))


def on_a_full_disk(command: Command, world: Path, disk: Path, free: int, calm: Undisturbed) -> Finding:
    """Let the disk have so many bytes left."""
    place = _fresh(world, disk)
    filler = disk / "filler"
    _fill(disk, filler, free)
    ended = Child(command, place, temporary=disk / "tmp").wait()
    found = contents(place)
    half = [name for name in found if not _is_on_its_way(name) and not _is_whole(name, found, calm)]
    left = [name for name in found if name.endswith(".writing")] + [path.name for path in (disk / "tmp").iterdir()]
    filler.unlink()
    if ended.answer or half or left:
        return Finding(
            True, "; ".join(filter(None, [ended.answer, f"half: {half}" * bool(half), f"left: {left}" * bool(left)]))
        )
    return Finding(ended.code == 2, _given_again(command, place, calm))


def without_leave_to_write(command: Command, world: Path, disk: Path, calm: Undisturbed) -> Finding:
    """Let nothing on the disk be changed."""
    place = _fresh(world, disk)
    _mount(disk, "remount,ro")
    try:
        ended = Child(command, place).wait()
        changed = contents(place) != calm.before
    finally:
        _mount(disk, "remount,rw")
    return Finding(ended.code == 2, ended.answer or "wrote" * changed)


def beside_itself(command: Command, world: Path, disk: Path, calm: Undisturbed) -> Finding:
    """Give it twice at once."""
    place = _fresh(world, disk)
    both = [Child(command, place, again=again) for again in (False, True)]
    ended = [child.wait() for child in both]
    problem = "; ".join(each.answer for each in ended if each.answer)
    if not problem and all(each.code for each in ended):
        problem = f"neither ended well: {ended[0].said} {ended[1].said}"
    return Finding(
        any(each.code for each in ended), problem or (_compared(place, calm) and _given_again(command, place, calm))
    )


def with_a_clock_that_jumps(command: Command, world: Path, disk: Path, calm: Undisturbed) -> Finding:
    """Let the time of day be another each time it is asked for."""
    place = _fresh(world, disk)
    ended = Child(command, place, clock_jumps=True).wait()
    return Finding(True, ended.answer or (ended.said if ended.code else "") or _compared(place, calm))


def without_a_home(command: Command, world: Path, disk: Path, calm: Undisturbed) -> Finding:
    """Give it in a folder that has been deleted: once with absolute paths, once with relative ones."""
    ended = [Child(command, _fresh(world, disk), home=home).wait() for home in ("absolute", "relative")]
    return Finding(any(each.code for each in ended), "; ".join(each.answer for each in ended if each.answer))


@contextlib.contextmanager
def small_disk(folder: Path, size: int = 96 << 20) -> Iterator[Path]:
    """A disk in memory that can be full; OSError where none may be made."""
    folder.mkdir()
    _mount(folder, f"size={size}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def moments(command: Command, stage: str, count: int, calm: Undisturbed, draws: random.Random) -> list[Moment]:
    """Half of them at a time, the others at a change of a file, at random."""
    seconds, changes = calm.ended.stages[stage]
    timed = [Moment(stage, seconds=draws.uniform(0, seconds)) for _ in range(count // 2 if changes else count)]
    return timed + [Moment(stage, change=draws.randint(1, int(changes))) for _ in range(count - len(timed))]


def _mount(folder: Path, options: str) -> None:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        raise OSError(done.stderr.decode().strip())


def _fresh(world: Path, disk: Path) -> Path:
    for name in ("place", "tmp", "filler"):
        path = disk / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    lay_out(world, disk / "place")
    return disk / "place"


def _used(disk: Path) -> int:
    status = os.statvfs(disk)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def _fill(disk: Path, filler: Path, free: int) -> None:
    status = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, status.f_bfree * status.f_frsize - free))


def _given_again(command: Command, place: Path, calm: Undisturbed) -> str:
    ended = Child(command, place, again=True).wait()
    return ended.answer or _compared(place, calm, ended.said if ended.code else "")


def _compared(place: Path, calm: Undisturbed, said: str = "") -> str:
    found = contents(place)
    left, lost = sorted(set(found) - set(calm.after)), sorted(set(calm.after) - set(found))
    other = sorted(name for name in set(found) & set(calm.after) if found[name] != calm.after[name])
    wrong = {"left behind": left, "missing": lost, "other": other}
    found_wrong = "; ".join(f"{what}: {names}" for what, names in wrong.items() if names)
    return f"{found_wrong} {said}" if found_wrong else ""


def _is_on_its_way(name: str) -> bool:
    """What grows while a command works, or is its own affair until it has ended."""
    hidden = any(part.startswith(".") for part in Path(name).parts)
    grows = name.startswith("study/report.")  # a whole one after each cell, with those that failed
    return hidden or grows or name.endswith("log.csv") or "checkpoints" in name or "/superpixels" in name


def _is_whole(name: str, found: dict[str, str], calm: Undisturbed) -> bool:
    return found[name] in ("", calm.before.get(name), calm.after.get(name)) or name not in calm.after
