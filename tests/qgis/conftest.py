"""The plugin's modules that need nothing of QGIS, a stand-in for the command, and QGIS where it is installed."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.qgis.running_qgis import FAKE, PLUGIN, Qgis, executable


@pytest.fixture(scope="session")
def plugin() -> ModuleType:
    """The plugin's package under a name of its own, for `terrasift` is the command's here."""
    package = ModuleType("plugin")
    package.__path__ = [str(PLUGIN)]
    sys.modules["plugin"] = package
    for name in ("child", "executable"):
        importlib.import_module(f"plugin.{name}")
    return package


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """An executable `terrasift` that is none, in a folder with a space and an umlaut."""
    return executable(tmp_path / "Meine Umgebüng" / "bin" / "terrasift", f'"{FAKE}"')


@pytest.fixture(scope="session")
def qgis(tmp_path_factory: pytest.TempPathFactory) -> Qgis:
    """QGIS with the plugin, in `make test-qgis`, which fails where there is none."""
    if "TEST_QGIS" not in os.environ:
        pytest.skip("QGIS itself takes minutes: make test-qgis")
    found = Qgis(tmp_path_factory.mktemp("qgis"))
    assert not found.why_not
    assert found.process("plugins", "enable", "terrasift").returncode == 0
    return found
