"""The command is found where people install it, and an old one is refused with the mend."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="starts a shell script")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without anything, and a PATH without the command; returns the home."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return home


def test_none_is_said_with_where_to_look(plugin: ModuleType) -> None:
    with pytest.raises(plugin.child.CommandError, match="not installed here; Settings > Options > terrasift"):
        plugin.executable.find_executable()


@pytest.mark.parametrize(
    "place", ["terrasift", ".venvs/terrasift", ".local", "miniforge3/envs/maps", "miniconda3", ".conda/envs/a b"]
)
def test_usual_places_are_searched(plugin: ModuleType, fake: Path, bare: Path, place: str) -> None:
    target = bare / place / "bin" / "terrasift"
    target.parent.mkdir(parents=True)
    shutil.copy(fake, target)
    assert plugin.executable.find_executable() == target


def test_what_was_chosen_comes_before_path_and_path_before_places(
    plugin: ModuleType, fake: Path, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (bare / "terrasift" / "bin", tmp_path / "on path"):
        folder.mkdir(parents=True)
        shutil.copy(fake, folder / "terrasift")
    monkeypatch.setenv("PATH", f"{tmp_path / 'on path'}:/bin")
    assert plugin.executable.find_executable() == tmp_path / "on path" / "terrasift"
    assert plugin.executable.find_executable(str(fake)) == fake
    assert plugin.executable.find_executable(str(fake.parents[1])) == fake


def test_no_other_is_taken_for_the_one_that_was_chosen(plugin: ModuleType, fake: Path, bare: Path) -> None:
    (bare / "terrasift" / "bin").mkdir(parents=True)
    shutil.copy(fake, bare / "terrasift" / "bin")
    with pytest.raises(plugin.child.CommandError, match="nowhere: no such executable"):
        plugin.executable.find_executable("nowhere")


def test_the_version_is_asked_for_once(plugin: ModuleType, fake: Path) -> None:
    assert plugin.executable.check_version(fake) == "99.1.0"
    fake.chmod(0o644)  # now it could not be asked again
    assert plugin.executable.check_version(fake) == "99.1.0"


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("terrasift 0.0.9", "is terrasift 0.0.9, and this plugin needs"),
        ("Usage: terrasift", "does not tell its version"),
    ],
)
def test_an_old_one_is_refused_with_the_line_that_upgrades_it(
    plugin: ModuleType, fake: Path, monkeypatch: pytest.MonkeyPatch, answer: str, line: str
) -> None:
    monkeypatch.setenv("FAKE_VERSION", answer)
    with pytest.raises(plugin.child.CommandError, match=f"{line}.*pip install --upgrade terrasift"):
        plugin.executable.check_version(fake)


def test_what_cannot_be_started_is_said(plugin: ModuleType, fake: Path) -> None:
    fake.write_text("#!/nowhere/python\n")
    with pytest.raises(plugin.child.CommandError, match="cannot be started"):
        plugin.executable.check_version(fake)
