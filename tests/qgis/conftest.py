"""The plugin's modules that need nothing of QGIS, a stand-in for the command, and QGIS where it is installed."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import terrasift

PLUGIN = Path(__file__).parents[2] / "qgis" / "terrasift"
FAKE = Path(__file__).with_name("fake_terrasift.py")


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


def executable(path: Path, arguments: str) -> Path:
    """A shell script that runs this Python with arguments, and with its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Qgis:
    """QGIS without a screen, with a profile of its own in which nothing but the plugin is switched on.

    Attributes
    ----------
    environment
        Of everything that is run; ``PATH`` begins with a folder in which `terrasift` is this checkout's command.
    """

    def __init__(self, folder: Path) -> None:
        # Debian's qgis_process hands its program an option that it does not know
        self._program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
        self._python = "/usr/bin/python3"
        source = Path(terrasift.__file__).parents[1]
        command = executable(folder / "bin" / "terrasift", "-m terrasift")
        command.write_text(command.read_text().replace("exec", f'PYTHONPATH="{source}" exec'))
        (folder / "runtime").mkdir(mode=0o700)
        self.environment = {
            **os.environ,
            "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
            "HOME": str(folder),
            "QT_QPA_PLATFORM": "offscreen",
            "QGIS_CUSTOM_CONFIG_PATH": str(folder / "profile"),
            "QGIS_PLUGINPATH": str(PLUGIN.parent),
            "XDG_RUNTIME_DIR": str(folder / "runtime"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    @property
    def why_not(self) -> str:
        """Why it cannot be used; empty where it can."""
        if self._program is None:
            return "needs QGIS: apt-get install qgis python3-qgis"
        found = subprocess.run([self._python, "-c", "import qgis.core"], capture_output=True, check=False)
        return "" if found.returncode == 0 else f"needs QGIS for {self._python}: apt-get install python3-qgis"

    def process(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`qgis_process WORDS...`."""
        return subprocess.run(
            [str(self._program), *words],
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=500,
        )

    def start(self, algorithm: str, **parameters: object) -> subprocess.Popen[str]:
        """`qgis_process run ALGORITHM`, in a session of its own, as it runs."""
        words = [f"{name}={value}" for name, value in parameters.items()]
        return subprocess.Popen(
            [str(self._program), "run", algorithm, "--", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, algorithm: str, **parameters: object) -> dict[str, Any]:
        """The results of `qgis_process run ALGORITHM`."""
        words = [f"{name}={each}" for name, value in parameters.items() for each in _each(value)]
        done = self.process("run", "--json", algorithm, "--", *words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["results"]

    def failure(self, algorithm: str, environment: dict[str, str] | None = None, **parameters: object) -> str:
        """The line with which `qgis_process run ALGORITHM` fails."""
        words = [f"{name}={each}" for name, value in parameters.items() for each in _each(value)]
        done = self.process("run", algorithm, "--", *words, **(environment or {}))
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        return done.stderr.strip().splitlines()[-1].removeprefix("ERROR:").strip()

    def script(self, name: str, *arguments: object) -> Any:
        """What a function of session.py returns, called in the Python of QGIS."""
        words = [self._python, str(Path(__file__).with_name("session.py")), name, *map(str, arguments)]
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=500, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="session")
def qgis(tmp_path_factory: pytest.TempPathFactory) -> Qgis:
    """QGIS with the plugin; skips where there is none, but in `make test-qgis`, which fails then."""
    found = Qgis(tmp_path_factory.mktemp("qgis"))
    if found.why_not and "TEST_QGIS" not in os.environ:
        pytest.skip(found.why_not)
    assert not found.why_not
    assert found.process("plugins", "enable", "terrasift").returncode == 0
    return found
