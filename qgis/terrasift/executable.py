# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the command `terrasift` is, and whether it is one that this plugin understands.

Needs nothing of QGIS.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .child import CommandError, clean_environment

__all__ = ["INSTALL", "OLDEST", "PAGE", "check_version", "find_executable"]

OLDEST = "0.1.0"
"""The first version that the plugin can talk to."""

INSTALL = (
    (
        "py -m venv %USERPROFILE%\\terrasift",
        "%USERPROFILE%\\terrasift\\Scripts\\pip install terrasift[vector,viewer]",
    )
    if os.name == "nt"
    else (
        "python3 -m venv ~/terrasift",
        "~/terrasift/bin/pip install 'terrasift[vector,viewer]'",
    )
)
"""Lines for a terminal, after which the plugin finds the command."""


def find_executable(chosen: str = "") -> Path:
    """The executable that was chosen; else that of PATH; else the first in the places where people install it.

    Parameters
    ----------
    chosen
        The executable, or the folder of the environment it is in. If it is not there, no other is taken.

    Raises
    ------
    CommandError
        If there is none.
    """
    if chosen:
        place = Path(chosen).expanduser()
        found = next((path for path in (place, *_inside(place)) if path.is_file()), None)
        if found is None:
            raise CommandError(f"{chosen}: no such executable; choose another in {PAGE}, or leave it empty to search")
        return found
    on_path = shutil.which("terrasift", path=clean_environment(os.environ).get("PATH"))
    if on_path:
        return Path(on_path)
    found = next((path for path in _usual_places() if path.is_file()), None)
    if found is None:
        raise CommandError(f"the command terrasift is not installed here; {PAGE} has the lines that install it")
    return found


PAGE = "Settings > Options > terrasift"


def check_version(executable: Path) -> str:
    """The version of an executable, if this plugin can talk to it; asked once for each executable and its date.

    Raises
    ------
    CommandError
        If it cannot be run, is something else, or is too old.
    """
    try:
        changed = executable.stat().st_mtime_ns
    except OSError as error:
        raise CommandError(f"{executable}: cannot be read ({error.strerror})") from error
    version = _version(executable, changed)
    if version is None or _numbers(version) < _numbers(OLDEST):
        is_old = f"is terrasift {version}" if version else "does not tell its version"
        pip = executable.with_name("pip")
        raise CommandError(
            f"{executable}: {is_old}, and this plugin needs {OLDEST} or newer; {pip} install --upgrade terrasift"
        )
    return version


@functools.lru_cache(maxsize=8)
def _version(executable: Path, changed: int) -> str | None:
    try:
        done = subprocess.run(
            [str(executable), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=clean_environment(os.environ),
            timeout=60,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{executable}: does not answer") from error
    except OSError as error:
        raise CommandError(f"{executable}: cannot be started ({error.strerror})") from error
    match = re.fullmatch(r"terrasift (\d+\.\d+\S*)", done.stdout.strip())
    return match[1] if match else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _usual_places() -> Iterator[Path]:
    """Executables of virtual environments, pipx, uv and conda, in the order in which they are tried."""
    home = Path.home()
    yield from _inside(home / "terrasift")
    yield from _inside(home / ".venvs" / "terrasift")
    yield from _inside(home / ".virtualenvs" / "terrasift")
    yield from _inside(home / ".local")  # pip install --user, pipx, uv tool install
    for conda in ("miniforge3", "mambaforge", "miniconda3", "anaconda3", "micromamba", ".conda", "opt/miniconda3"):
        yield from _inside(home / conda)
        for environment in sorted((home / conda / "envs").glob("*")):
            yield from _inside(environment)


def _inside(environment: Path) -> Iterator[Path]:
    name = "terrasift.exe" if os.name == "nt" else "terrasift"
    for folder in ("Scripts", "bin") if os.name == "nt" else ("bin",):
        yield environment / folder / name
