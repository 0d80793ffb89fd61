"""The page's own tests, of what it computes without a browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "page"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_pages_own_tests_pass() -> None:
    files = sorted(map(str, (PAGE / "test").glob("*.test.js")))
    assert files
    ended = subprocess.run(["node", "--test", *files], cwd=PAGE, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
