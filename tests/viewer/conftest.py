"""Servers of the page for tests: a run, three scenes, real HTTP over the loopback."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import rasterio

from terrasift import Run
from terrasift.data.synthetic import synthetic_scene
from terrasift.raster import write_image
from terrasift.viewer.app import Page
from terrasift.viewer.scenes import make_ready
from terrasift.viewer.security import Guard
from terrasift.viewer.serving import make_server
from terrasift.viewer.sockets import LOOPBACK, bound_socket
from tests.viewer.page_server import MARKUP, TOKEN, Served


@pytest.fixture(scope="session")
def viewer_scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A georeferenced scene of odd sides, nodata in a corner; a plain one with markup in its name; a small one."""
    folder = tmp_path_factory.mktemp("viewer")
    image = synthetic_scene(601, 530, seed=3).image
    image[image == 0] = 1
    image[:90, :70] = 0
    town = folder / "town.tif"
    write_image(town, image, crs="EPSG:32633", transform=(0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0))
    with rasterio.open(town, "r+") as dataset:
        dataset.nodata = 0
    plain = folder / f"{MARKUP}.png"
    write_image(plain, synthetic_scene(128, 200, seed=4).image)
    small = folder / "small.tif"
    write_image(small, synthetic_scene(64, 64, seed=5).image)
    return [town, plain, small]


@pytest.fixture(scope="session")
def ready_run(tiny_run: Run, viewer_scenes: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose maps of the scenes are made, and that knows its clusters. Do not change it: copy its folder."""
    run = Run.open(shutil.copytree(tiny_run.path, tmp_path_factory.mktemp("ready") / "run"))
    make_ready(run, viewer_scenes)
    assert run.facts is not None
    return run


@pytest.fixture(scope="session")
def served(ready_run: Run, viewer_scenes: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page of that run, for tests that change nothing."""
    with serving(ready_run, viewer_scenes, tmp_path_factory.mktemp("served") / "maps") as found:
        yield found


@pytest.fixture
def own(ready_run: Run, viewer_scenes: list[Path], tmp_path: Path) -> Iterator[Served]:
    """The page of a copy of that run, for one test alone."""
    run = Run.open(shutil.copytree(ready_run.path, tmp_path / "run"))
    with serving(run, viewer_scenes, tmp_path / "maps") as found:
        yield found


@contextmanager
def serving(run: Run, paths: list[Path], maps: Path) -> Iterator[Served]:
    scenes = make_ready(run, paths)
    page = Page(run, scenes, [maps / f"{index}.tif" for index in range(len(scenes))], TOKEN)
    with bound_socket(LOOPBACK, 0) as listener:
        listener.listen()
        host, port = listener.getsockname()
        server = make_server(Guard(page.app, host, port, TOKEN))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"{host}:{port}"
        try:
            with httpx.Client(base_url=f"http://{address}", headers={"X-Terrasift-Token": TOKEN}, timeout=60) as client:
                yield Served(run, scenes, maps, address, client)
        finally:
            server.should_exit = True
            thread.join()
            page.close()
