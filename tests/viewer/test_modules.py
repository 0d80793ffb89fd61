"""The page's own tests, of what it computes without a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from terrasift import LandClass, Legend

PAGE = Path(__file__).parents[2] / "page"

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")


def test_the_pages_own_tests_pass() -> None:
    files = sorted(map(str, (PAGE / "test").glob("*.test.js")))
    assert files
    ended = subprocess.run(["node", "--test", *files], cwd=PAGE, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_legend_that_the_page_hands_over_is_a_legend_file(tmp_path: Path) -> None:
    names = ["water", 'a "b": {c}, [d] # e', "yes", "12", "Straße 道 🌲", "\\n"]
    classes = tuple(LandClass(name, f"#0000{k:02X}", (k, k + 20)) for k, name in enumerate(names))
    legend = Legend((*classes, LandClass("none", "#ABCDEF")), ignore=("#FFFFFF", "#123456"), classifier=2)
    content = [{"name": entry.name, "color": entry.color, "clusters": entry.clusters} for entry in legend.classes]
    code = (
        'import { toYaml } from "./src/legend.js";'
        f"const rest = {{ classifier: 2, ignore: {json.dumps(legend.ignore)} }};"
        f"process.stdout.write(toYaml({json.dumps(content)}, rest));"
    )
    arguments = ["node", "--input-type=module", "-e", code]
    ended = subprocess.run(arguments, cwd=PAGE, capture_output=True, check=True)
    (tmp_path / "legend.yaml").write_bytes(ended.stdout)
    assert Legend.load(tmp_path / "legend.yaml", 40, 2) == legend
