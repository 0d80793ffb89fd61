"""Try the packages in dist/ as somebody who installs them does: `make wheel` does it, in some minutes.

What the wheel and the sdist hold; a fresh environment without extras, in which everything imports, the demo runs and
missing extras are named with the line that installs them; then the extra `viewer`, and the page in a browser.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
PAGE = ("index.html", "page.css", "page.js", "licenses.txt")
LARGEST = 2_000_000  # bytes of the wheel


def main() -> None:
    """Check it all; an exception where something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    dist = parser.parse_args().dist
    (wheel,), (sdist,) = dist.glob("terrasift-*.whl"), dist.glob("terrasift-*.tar.gz")
    check_contents(wheel, sdist)
    with tempfile.TemporaryDirectory() as folder:
        fresh = Environment(Path(folder))
        fresh.install(str(wheel))
        fresh.check_imports()
        extras = fresh.extras
        fresh.run("terrasift", "demo", "--out", "demo")
        say("`terrasift demo` has run")
        fresh.check_missing_extras(extras)
        fresh.install(f"{wheel}[viewer]")
        fresh.check_page(dist / "page.png")
        fresh.check_resolves(f"{wheel}[{','.join(extras)}]")


def check_contents(wheel: Path, sdist: Path) -> None:
    """Both hold what the source does, and the built page; nothing else is in the wheel."""
    source = ROOT / "src" / "terrasift"
    listed = subprocess.run(["git", "ls-files", "."], cwd=source, check=True, capture_output=True, text=True)
    wanted = {*listed.stdout.splitlines(), *(f"viewer/static/{name}" for name in PAGE)}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == {f"terrasift/{name}" for name in wanted}, names ^ {f"terrasift/{name}" for name in wanted}
        (licence,) = (name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE"))
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()
    assert wheel.stat().st_size < LARGEST, wheel.stat().st_size
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    missing = {f"src/terrasift/{name}" for name in wanted} - held
    assert not missing, missing
    assert not {name for name in held if "node_modules" in name or name.startswith((".venv", "docs/_build"))}
    for path in (wheel, sdist):
        say(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, the built page inside")


class Environment:
    """A virtual environment of its own, and commands in it, away from the source."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "venv" / "bin"
        venv.create(folder / "venv", with_pip=True)

    def run(self, program: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run it in the folder; it has to end with the code."""
        command = [str(self.bin / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == code, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def install(self, what: str) -> None:
        """Install it by pip, in tested versions, and let pip look for clashes."""
        self.run("pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), what)
        say(f"pip install {Path(what).name}; pip check: {self.run('pip', 'check').stdout.strip()}")

    def check_imports(self) -> None:
        """Every public name is there without extras, and not from the source."""
        code = (
            "import terrasift, pathlib; [getattr(terrasift, name) for name in terrasift.__all__]\n"
            "print(pathlib.Path(terrasift.__file__).parent, terrasift.__version__, len(terrasift.__all__))"
        )
        where, version, count = self.run("python", "-c", code).stdout.split()
        assert Path(where).is_relative_to(self.folder.resolve()), where
        assert version == self.run("terrasift", "--version").stdout.split()[-1]
        say(f"terrasift {version}: {count} public names import without extras")

    @property
    def extras(self) -> list[str]:
        """Those for users, as the installed package names them."""
        code = "import importlib.metadata as m; print(*m.metadata('terrasift').get_all('Provides-Extra'))"
        return [name for name in self.run("python", "-c", code).stdout.split() if name not in ("dev", "docs")]

    def check_missing_extras(self, extras: list[str]) -> None:
        """What needs an extra says how to install it."""
        scene = "demo/images/first.tif"
        predict = ("terrasift", "predict", "demo/run", scene, "--out", "map.tif")
        uses = {
            "export": ("terrasift", "export", "demo/run", "--out", "run.onnx", "--scene", scene),
            "viewer": ("terrasift", "view", "demo/run", scene, "--no-browser"),
            "vector": (*predict, "--vector", "map.gpkg"),
            "dask": (*predict, "--workers", "2"),
            "tensorboard": ("terrasift", "train", scene, "--out", "run", "--set", "compute.tensorboard=true"),
        }
        for extra, use in uses.items():
            said = self.run(*use, code=2).stderr.strip().splitlines()[-1]
            assert said.endswith(f"pip install 'terrasift[{extra}]'"), said
            assert extra in extras
        code = (
            "import terrasift\ntry:\n    terrasift.Legend.of_clusters(2).to_frame()\n"
            "except terrasift.SettingError as error:\n    print(error)"
        )
        assert self.run("python", "-c", code).stdout.strip().endswith("pip install 'terrasift[pandas]'")
        say(f"named where they are missing: {', '.join([*uses, 'pandas'])}")

    def check_page(self, picture: Path) -> None:
        """The page of the demo's run, in a browser: it draws the scene, lists the classes, and complains of nothing."""
        with self._served() as address, sync_playwright() as tools:
            found = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = tools.chromium.launch(executable_path=found, args=["--no-sandbox"])
            page = browser.new_page()
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.goto(address)
            page.get_by_text("low vegetation").first.wait_for(timeout=60_000)
            page.locator("canvas").first.wait_for(timeout=60_000)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=picture)
            browser.close()
        assert not complaints, complaints
        say(f"`terrasift view` shows the page: {picture}")

    @contextmanager
    def _served(self) -> Iterator[str]:
        command = [str(self.bin / "terrasift"), "view", "demo/run", "demo/images/second.tif", "--no-browser"]
        with subprocess.Popen(command, cwd=self.folder, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            try:
                lines = (re.search(r"serving (http\S+)", line) for line in server.stderr)
                yield next(found[1] for found in lines if found)
            finally:
                server.terminate()

    def check_resolves(self, what: str) -> None:
        """All extras together bring neither torchvision nor another PyTorch."""
        constraints = str(ROOT / "constraints.txt")
        done = self.run("pip", "install", "--dry-run", "--quiet", "--report", "-", "-c", constraints, what)
        brought = {entry["metadata"]["name"].lower() for entry in json.loads(done.stdout)["install"]}
        assert not brought & {"torch", "torchvision"}, brought
        say(f"all extras together bring {len(brought)} more packages, and neither torchvision nor another PyTorch")


def say(line: str) -> None:
    """On standard output, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
