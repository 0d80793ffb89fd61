"""A few moments of commands that no other test kills or takes the disk from; `make kills` tries every one at twenty."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and mounts a disk in memory")
def test_commands_survive_kills_and_a_full_disk() -> None:
    commands = ("predict all", "legend", "assess")
    only = [part for name in commands for part in ("--only", name)]
    tried = [sys.executable, "-m", "tests.survival", "--moments", "2", "--ways", "kills", "--ways", "full", *only]
    done = subprocess.run(tried, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("same bytes, nothing left") == 4
