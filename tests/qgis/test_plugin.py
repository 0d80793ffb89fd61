"""The plugin as QGIS's own repository checks it, and as a file."""

from __future__ import annotations

import ast
import configparser
import runpy
import sys
import zipfile
from pathlib import Path

import pytest

from tests.qgis.running_qgis import PLUGIN

build = runpy.run_path(str(PLUGIN.with_name("build.py")))["build"]
SOURCES = sorted(PLUGIN.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_is_imported_but_the_standard_library_and_qgis(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    absolute = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    absolute += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert {name.partition(".")[0] for name in absolute} <= {*sys.stdlib_module_names, "qgis"}


def test_metadata_has_all_that_is_asked_for() -> None:
    parser = configparser.ConfigParser()
    parser.read(PLUGIN / "metadata.txt", encoding="utf-8")
    general = parser["general"]
    for key in ("name", "qgisMinimumVersion", "description", "about", "version", "author", "email", "repository",
                "tracker", "homepage", "license", "icon", "tags", "category", "changelog"):  # fmt: skip
        assert general[key].strip(), key
    assert general["hasProcessingProvider"] == "yes"
    assert general["license"] == "GPL-2.0-or-later"
    assert (PLUGIN / general["icon"]).is_file()
    assert (PLUGIN / "LICENSE").read_text().lstrip().startswith("GNU GENERAL PUBLIC LICENSE")
    assert not {"<", ">"} & set(general["about"])
    assert "plugin" not in general["name"].lower()


def test_the_zip_is_small_and_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = build(tmp_path / "a"), build(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 300_000
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names} == {"terrasift"}
    assert {"terrasift/metadata.txt", "terrasift/LICENSE", "terrasift/__init__.py", "terrasift/icon.svg"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or "/." in name]
