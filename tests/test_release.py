"""What a release is made of agrees with itself: versions, dependencies, extras, the container."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
OF_CONDA = {"matplotlib": "matplotlib-base", "opencv-contrib-python-headless": "py-opencv", "torch": "pytorch"}


def test_every_file_states_the_version_of_pyproject() -> None:
    spec = importlib.util.spec_from_file_location("versions", ROOT / "release" / "versions.py")
    assert spec is not None
    assert spec.loader is not None
    versions = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(versions)
    assert versions.stated() == dict.fromkeys(versions.PLACES, PROJECT["version"])


def test_the_recipe_of_conda_has_the_bounds_of_pyproject() -> None:
    recipe = yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    requirements = recipe["requirements"]
    needed = {*_conda(PROJECT["dependencies"]), *_conda(EXTRAS["viewer"])}
    assert set(requirements["run"]) == {"python >=${{ python_min }}", *needed}
    others = [extra for extra in EXTRAS if extra not in ("dev", "docs", "viewer")]
    assert set(requirements["run_constraints"]) == {line for extra in others for line in _conda(EXTRAS[extra])}
    assert f">={recipe['context']['python_min']}" == PROJECT["requires-python"]
    (entry,) = recipe["build"]["python"]["entry_points"]
    assert entry == f"terrasift = {PROJECT['scripts']['terrasift']}"


def _conda(lines: list[str]) -> set[str]:
    found = [Requirement(line) for line in lines]
    return {f"{OF_CONDA.get(each.name, each.name)} {each.specifier}" for each in found}


def test_extras_that_are_named_exist() -> None:
    """In messages, docs and the container: what is printed to be installed can be."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    texts = [ROOT / name for name in listed.splitlines() if name.endswith((".py", ".md", ".toml", "Dockerfile"))]
    named = {
        extra
        for text in texts
        for group in re.findall(r"(?:terrasift|\.|whl\)\")\[([a-z]+(?:,[a-z]+)*)\]", text.read_text(encoding="utf-8"))
        for extra in group.split(",")
    }
    assert {"dask", "export", "pandas", "vector", "viewer"} <= named
    assert named - {"extra", "cluster"} <= set(EXTRAS)  # a placeholder; what dask was called before


def test_the_container_is_as_its_linter_wants_it() -> None:
    linter = shutil.which("hadolint", path=f"{Path(sys.executable).parent}")
    if linter is None:
        pytest.skip("needs hadolint, in the extra dev")
    done = subprocess.run(
        [linter, "--format", "json", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout) == []


def test_the_container_is_given_the_files_that_it_copies() -> None:
    """`.dockerignore` keeps everything out that is not named in it."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    given = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {name for line in re.findall(r"(?m)^COPY (?!--)(.*) \S+$", text) for name in line.split()}
    for name in copied:
        assert (ROOT / name).exists()
        inside = name.rstrip("/")
        assert inside in given or any(each.startswith(f"{inside}/") for each in given)
