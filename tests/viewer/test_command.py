"""`terrasift view` from start to end, and what it makes ready."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from terrasift import Legend, MapOptions, Run
from terrasift.data.synthetic import synthetic_scene
from terrasift.raster import Raster, preview, write_image
from terrasift.viewer import scenes, serving, static
from terrasift.viewer.readers import OpenRasters
from terrasift.viewer.tiles import point

Command = Callable[..., Any]


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page in place of the one that npm builds."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "index.html").write_text('<meta name="terrasift-token" content="">')
    monkeypatch.setattr(static, "_FOLDER", folder)
    return folder


def test_a_page_that_is_not_built_is_said(
    command: Command, ready_run: Run, viewer_scenes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static, "_FOLDER", tmp_path)
    outcome = command("view", ready_run.path, viewer_scenes[0])
    assert outcome.code == 2
    assert "terrasift: view: the page is not built: packages have it inside, a clone has not; run `make" in outcome.err
    installed = tmp_path / "lib" / "python" / "site-packages" / "terrasift" / "viewer" / "static.py"
    monkeypatch.setattr(static, "__file__", str(installed))
    outcome = command("view", ready_run.path, viewer_scenes[0])
    assert (
        "; run `make page` in the clone that you installed from (needs Node.js and npm), then `pip install .`"
        in outcome.err
    )


def test_a_missing_library_is_said(
    command: Command, ready_run: Run, viewer_scenes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "terrasift.viewer.serving")
    outcome = command("view", ready_run.path, viewer_scenes[0])
    assert outcome.code == 2
    assert "view: uvicorn is not installed; pip install 'terrasift[viewer]'" in outcome.err


def test_a_taken_port_is_said(command: Command, ready_run: Run, viewer_scenes: list[Path], built: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = command("view", ready_run.path, viewer_scenes[0], "--port", port, "--no-browser")
    assert outcome.code == 2
    assert f"--port: cannot listen at 127.0.0.1:{port} (Address already in use); choose another" in outcome.err
    outcome = command("view", ready_run.path, viewer_scenes[0], "--host", "no.such.machine.invalid", "--no-browser")
    assert outcome.code == 2
    assert "--host: cannot listen at no.such.machine.invalid:0" in outcome.err


def test_maps_that_would_fall_together_are_refused(
    command: Command, ready_run: Run, viewer_scenes: list[Path], built: Path, tmp_path: Path
) -> None:
    both = [shutil.copy(viewer_scenes[0], tmp_path / name) for name in ("town.tif", "town.tiff")]
    outcome = command("view", ready_run.path, *both, "--no-browser")
    assert outcome.code == 2
    assert "would share the map" in outcome.err


def test_it_serves_until_it_is_interrupted(ready_run: Run, viewer_scenes: list[Path], built: Path) -> None:
    """In a process of its own, ended by what Ctrl+C sends."""
    arguments = ["terrasift", "view", str(ready_run.path), str(viewer_scenes[2]), "--no-browser"]
    code = (
        "import sys, pathlib; from terrasift.cli import main; from terrasift.viewer import static\n"
        f"static._FOLDER = pathlib.Path({str(built)!r}); sys.argv = {arguments}; main()"
    )
    settings = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", code], text=True, stderr=subprocess.PIPE, env=settings) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "serving" in line)
        address = line.split()[1]
        page = httpx.get(address).text
        token = page.removeprefix('<meta name="terrasift-token" content="').removesuffix('">')
        assert len(token) == 64
        assert int(token, 16)
        refused = httpx.post(f"{address}api/exports", json={"scene": 0})
        accepted = httpx.post(f"{address}api/exports", json={"scene": 0}, headers={"X-Terrasift-Token": token})
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert (refused.status_code, accepted.status_code) == (403, 202)
    assert process.returncode == 0
    assert "Traceback" not in rest


def test_the_browser_is_opened_when_the_page_is_there(
    ready_run: Run, viewer_scenes: list[Path], built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    class Server:
        def run(self, sockets: list[socket.socket]) -> None:
            socket.create_connection(sockets[0].getsockname()).close()  # it waits, rather than being refused
            opened.append(sockets[0].getsockname())

    monkeypatch.setattr(serving.webbrowser, "open", lambda address: opened.append(address))
    monkeypatch.setattr(serving, "make_server", lambda app: Server())
    serving.view(ready_run, [viewer_scenes[2]])
    address, (host, port) = opened
    assert address == f"http://{host}:{port}/"
    assert host == "127.0.0.1"


def test_maps_are_made_once(ready_run: Run, viewer_scenes: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in (ready_run.path / "view").glob("*.tif")}
    found = scenes.make_ready(ready_run, viewer_scenes)
    assert before == {path: path.stat().st_mtime_ns for path in (ready_run.path / "view").glob("*.tif")}
    assert {scene.clusters for scene in found} | {scene.confidence for scene in found} == set(before)


def test_sheets_that_touch_are_mapped_without_a_seam(ready_run: Run, tmp_path: Path) -> None:
    run = Run.open(shutil.copytree(ready_run.path, tmp_path / "run"), ["predict.context=scene"])
    image = synthetic_scene(96, 200, seed=3).image
    for name, cut in (("west", np.s_[:, :104]), ("east", np.s_[:, 104:])):
        transform = (0.5, 0.0, 500_000.0 + 0.5 * (cut[1].start or 0), 0.0, -0.5, 5_000_000.0)
        write_image(tmp_path / f"{name}.tif", image[cut], crs="EPSG:32633", transform=transform)
    sheets = [tmp_path / "west.tif", tmp_path / "east.tif"]
    together = scenes.make_ready(run, sheets)
    expected = run.predict_all(sheets, tmp_path / "maps", MapOptions(clusters=True)).maps
    for scene, path in zip(together, expected, strict=True):
        with Raster(scene.clusters) as found, Raster(path) as wanted:
            np.testing.assert_array_equal(found.read_indices()[0], wanted.read_indices()[0])
    made = together[0].clusters.stat().st_mtime_ns
    (alone,) = scenes.make_ready(run, sheets[:1])
    assert alone.clusters.read_bytes() != together[0].clusters.read_bytes(), "what lies beyond its edge is seen"
    again = scenes.make_ready(run, sheets)
    assert [scene.clusters for scene in again] == [scene.clusters for scene in together]
    assert again[0].clusters.stat().st_mtime_ns == made
    os.utime(sheets[1], ns=(0, 0))
    assert scenes.make_ready(run, sheets)[0].clusters != together[0].clusters, "a neighbour that has changed counts"


def test_maps_are_found_again_from_another_folder(
    ready_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.open(shutil.copytree(ready_run.path, tmp_path / "run"))
    write_image(tmp_path / "data" / "town.tif", np.random.default_rng(0).integers(1, 255, (64, 64, 3)).astype(np.uint8))
    monkeypatch.chdir(tmp_path)
    (first,) = scenes.make_ready(run, ["data/town.tif"])
    made = first.clusters.stat().st_mtime_ns
    monkeypatch.chdir(tmp_path / "data")
    (second,) = scenes.make_ready(run, ["town.tif"])
    assert second.clusters == first.clusters
    assert second.clusters.stat().st_mtime_ns == made
    assert scenes._digest("https://a.example/town.tif", 1) == _digest_from(tmp_path, monkeypatch)


def _digest_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folder)
    return scenes._digest("https://a.example/town.tif", 1)


def test_what_another_job_has_left_is_thrown_away(ready_run: Run, viewer_scenes: list[Path], tmp_path: Path) -> None:
    run = Run.open(shutil.copytree(ready_run.path, tmp_path / "run"))
    (first,) = scenes.make_ready(run, [viewer_scenes[2]])
    expected = first.clusters.read_bytes()
    left = first.clusters.with_name(f".{first.clusters.name}.partial")
    left.mkdir()
    (left / "windows").write_bytes(b"another\n")
    for path in first.clusters.parent.glob(f"{first.clusters.stem}*"):
        path.unlink()
    (again,) = scenes.make_ready(run, [viewer_scenes[2]])
    assert again.clusters.read_bytes() == expected
    assert not left.exists()


def test_a_building_sites_own_crs_has_no_degrees(ready_run: Run, tmp_path: Path) -> None:
    run = Run.open(shutil.copytree(ready_run.path, tmp_path / "run"))
    grid: Any = {"crs": 'LOCAL_CS["site",UNIT["metre",1]]', "transform": (0.5, 0.0, 100.0, 0.0, -0.5, 200.0)}
    image = np.random.default_rng(0).integers(1, 255, (64, 64, 3)).astype(np.uint8)
    write_image(tmp_path / "site.tif", image, **grid)
    (scene,) = scenes.make_ready(run, [tmp_path / "site.tif"])
    found = point(OpenRasters(), scene, 10, 20)
    assert (found["easting"], found["northing"], found["longitude"], found["latitude"]) == (110.25, 194.75, None, None)


def test_the_clusters_shown_are_those_of_the_legends_classifier(
    ready_run: Run, viewer_scenes: list[Path], tmp_path: Path
) -> None:
    if ready_run.recipe.classifiers < 2:
        pytest.skip("needs a run with two classifiers")
    run = Run.open(shutil.copytree(ready_run.path, tmp_path / "run"))
    (first,) = scenes.make_ready(run, [viewer_scenes[2]])
    run.save_legend(replace(Legend.of_clusters(8), classifier=2))
    (second,) = scenes.make_ready(run, [viewer_scenes[2]])
    assert first.clusters.read_bytes() != second.clusters.read_bytes()


def test_a_scene_that_is_slow_to_read_gets_a_preview(
    ready_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "_QUICK", 64)
    image = np.random.default_rng(0).integers(1, 255, (80, 90, 3)).astype(np.uint8)
    write_image(tmp_path / "lines.png", image)
    run = Run.open(shutil.copytree(ready_run.path, tmp_path / "run"))
    (scene,) = scenes.make_ready(run, [tmp_path / "lines.png"])
    assert scene.preview is not None
    assert scene.base == 0
    made = scene.preview.stat().st_mtime_ns
    (again,) = scenes.make_ready(run, [tmp_path / "lines.png"])
    assert again.preview == scene.preview
    assert scene.preview.stat().st_mtime_ns == made
    os.utime(tmp_path / "lines.png", ns=(0, 0))
    (changed,) = scenes.make_ready(run, [tmp_path / "lines.png"])
    assert changed.preview != scene.preview
