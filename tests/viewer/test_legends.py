"""A legend that several windows and processes change: nobody's work is lost, and digests are those of the bytes."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from filelock import FileLock

from terrasift import Legend, Run, RunError
from terrasift.run import RunFolder
from terrasift.viewer.legends import LegendStore

Command = Callable[..., Any]


@pytest.fixture
def folder(tiny_run: Run, tmp_path: Path) -> RunFolder:
    return RunFolder(shutil.copytree(tiny_run.path, tmp_path / "run"))


def classes(name: str) -> list[dict[str, Any]]:
    return [{"name": name, "color": "#0000FF", "clusters": [0, 3]}]


def legend(name: str) -> Legend:
    return Legend.from_content("legend", {"classes": classes(name)})


def test_of_many_who_saw_the_same_one_saves(folder: RunFolder) -> None:
    """Each has a store of its own, as each process has."""
    stores = [LegendStore(RunFolder(folder.path), 1) for _ in range(16)]
    seen = stores[0].read()[1]
    ready, digests = threading.Barrier(len(stores)), {}

    def save(number: int) -> None:
        ready.wait()
        digests[number] = stores[number].write(classes(f"class of {number}"), seen)

    threads = [threading.Thread(target=save, args=[number]) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((number, digest),) = [item for item in digests.items() if item[1] is not None]
    assert folder.legend.names == [f"class of {number}"]
    assert digest == folder.legend_digest == hashlib.sha256(folder.legend_file.read_bytes()).hexdigest()
    assert Legend.load(folder.path / "legend.previous.yaml") == Legend.of_clusters(8)
    assert not list(folder.path.glob("*.partial")) + list(folder.path.glob(".legend.*.yaml"))


def test_what_changes_nothing_keeps_the_legend_before(folder: RunFolder) -> None:
    folder.save_legend(legend("water"))
    before = (folder.path / "legend.previous.yaml").read_bytes()
    assert folder.save_legend(legend("water")) == folder.legend_digest
    assert (folder.path / "legend.previous.yaml").read_bytes() == before


def test_the_lock_holds_the_command_line_off_too(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrasift.run.legend_file._LONGEST_WAIT", 0.1)
    with (
        FileLock(folder.path / ".legend.lock"),
        pytest.raises(RunError, match=r"legend.yaml: is being changed by another process; try again"),
    ):
        folder.save_legend(legend("water"))
    assert folder.legend == Legend.of_clusters(8)


def test_the_command_does_not_replace_what_it_has_not_seen(
    command: Command, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from terrasift.legend import changes

    def slow(*arguments: Any, **settings: Any) -> Legend:
        folder.save_legend(legend("from the page"))
        return made(*arguments, **settings)

    made = changes.change_legend
    monkeypatch.setattr(changes, "change_legend", slow)
    refused = command("legend", folder.path, "--name", "0=water")
    assert refused.code == 2
    assert "legend.yaml: has been changed elsewhere meanwhile; look at it, and try again" in refused.err
    assert folder.legend.names == ["from the page"]


def test_the_digest_is_of_what_was_written(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where an editor, which asks for no lock, writes right after."""
    replace_file = Path.replace

    def edited(self: Path, target: Path) -> Path:
        done = replace_file(self, target)
        if done == folder.legend_file:
            with folder.legend_file.open("a") as file:
                file.write("# mine\n")
        return done

    monkeypatch.setattr(Path, "replace", edited)
    digest = LegendStore(folder, 1).write(classes("water"), folder.legend_digest)
    assert digest != folder.legend_digest
    assert LegendStore(folder, 1).write(classes("sea"), str(digest)) is None


def test_a_page_is_about_the_classifier_of_its_maps(ready_run: Run, viewer_scenes: list[Path], tmp_path: Path) -> None:
    from terrasift.viewer.app import Page
    from terrasift.viewer.scenes import make_ready

    own = Run.open(shutil.copytree(ready_run.path, tmp_path / "run"))
    scenes = make_ready(own, viewer_scenes[2:])
    own.save_legend(replace(Legend.of_clusters(8), classifier=2))  # by an evaluation, say
    page = Page(own, scenes, [tmp_path / "map.tif"], "ab")

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(page.app), base_url="http://a.example") as client:
            return await client.get("/api/legend")

    try:
        answer = asyncio.run(ask())
        assert answer.status_code == 409
        assert "now speaks of classifier 2, but the page shows the clusters of 1" in answer.json()["problem"]
    finally:
        page.close()


def test_a_legend_that_turns_while_scenes_are_mapped_is_said(
    ready_run: Run, viewer_scenes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from terrasift.viewer.scenes import make_ready

    own = Run.open(shutil.copytree(ready_run.path, tmp_path / "run"))
    predict, seen = Run.predict, []

    def turning(self: Run, *arguments: Any, **settings: Any) -> Path:
        seen.append(arguments[0])
        own.save_legend(replace(Legend.of_clusters(8), classifier=2))
        return predict(self, *arguments, **settings)

    monkeypatch.setattr(Run, "predict", turning)
    with pytest.raises(RunError, match="has turned to classifier 2 while scenes were being mapped"):
        make_ready(own, viewer_scenes[2:] + viewer_scenes[1:2])
    assert len(seen) == 1
