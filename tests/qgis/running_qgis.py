"""QGIS without a screen, and executables for it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import terrasift

__all__ = ["FAKE", "PLUGIN", "Qgis", "executable"]

PLUGIN = Path(__file__).parents[2] / "qgis" / "terrasift"
FAKE = Path(__file__).with_name("fake_terrasift.py")


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
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
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

    def script(self, name: str, *arguments: object, command: Path | None = None) -> Any:
        """What a function of session.py returns, called in the Python of QGIS; with another `terrasift` than ours."""
        words = [self._python, str(Path(__file__).with_name("session.py")), name, *map(str, arguments)]
        path = self.environment["PATH"] if command is None else f"{command.parent}:/usr/bin:/bin"
        environment = {**self.environment, "PATH": path}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=500, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
