"""Scenes computed by a Dask cluster: the same bytes as by one process, also when a worker is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from terrasift import InputError, MapOptions, Run
from terrasift.prediction import DaskPredictor, Wanted, predict_scene
from terrasift.progress import Stage, listening
from terrasift.raster import ClassMapWriter, Raster
from terrasift.workers import open_client

pytest.importorskip("distributed", reason="needs the extra `dask`")
SMALL = ("predict.window=64", "predict.context=scene")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with open_client(2) as running:
        yield running


@pytest.mark.slow
def test_the_command_gives_the_same_bytes_with_workers(
    command: Callable[..., Any], tiny_run: Run, scenes: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.tif").write_bytes(b"nothing")
    outcome = command(
        "predict", tiny_run.path, scenes / "images", tmp_path / "bad.tif", "--out", tmp_path / "maps", "--workers", 2,
        "--confidence", *(part for change in SMALL for part in ("--set", change)),
    )  # fmt: skip
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1] == "terrasift: 1 of 3 scenes failed"
    assert "bad.tif" in outcome.err
    alone = Run.open(tiny_run.path, SMALL)
    for here in alone.predict_all([scenes / "images"], tmp_path / "alone", MapOptions(confidence=True)).maps:
        for path in (here, here.with_suffix(".confidence.tif")):
            assert (tmp_path / "maps" / path.name).read_bytes() == path.read_bytes()


def test_the_command_finds_a_scheduler_by_its_address(
    command: Callable[..., Any], client: Any, tiny_run: Run, scenes: Path, tmp_path: Path
) -> None:
    scene, address = scenes / "images" / "north.tif", client.scheduler.address
    changes = [part for change in SMALL for part in ("--set", change)]
    outcome = command("predict", tiny_run.path, scene, "--out", tmp_path / "map.tif", "--scheduler", address, *changes)
    assert outcome.code == 0, outcome.err
    whole = Run.open(tiny_run.path, SMALL).predict(scene, tmp_path / "whole.tif")
    assert (tmp_path / "map.tif").read_bytes() == whole.read_bytes()
    outcome = command(
        "predict", tiny_run.path, scene, "--out", tmp_path / "other.tif", "--scheduler", "tcp://127.0.0.1:1"
    )
    assert outcome.code == 2
    assert "--scheduler: no Dask scheduler answers at tcp://127.0.0.1:1" in outcome.err


@pytest.mark.slow
def test_a_worker_that_is_killed_changes_nothing(client: Any, tiny_run: Run, scenes: Path, tmp_path: Path) -> None:
    run, scene = Run.open(tiny_run.path, SMALL), scenes / "images" / "north.tif"
    whole = run.predict(scene, tmp_path / "whole.tif").read_bytes()
    cluster = DaskPredictor(client, run.load_network(), run.prediction_recipe)
    workers = {worker["pid"] for worker in client.run(lambda: {"pid": os.getpid()}).values()}
    killed: list[int] = []

    def kill_one_after_some_windows(stage: Stage) -> None:
        if stage.done > 0 and not killed:
            killed.append(min(workers))
            os.kill(killed[0], signal.SIGKILL)

    out = tmp_path / "map.tif"
    with listening(kill_one_after_some_windows), Raster(scene) as raster:
        predict_scene(cluster, run.legend, raster, out)
    assert killed
    assert out.read_bytes() == whole


def test_windows_that_are_done_are_not_asked_for(client: Any, tiny_run: Run, scenes: Path) -> None:
    run = Run.open(tiny_run.path, SMALL)
    cluster = DaskPredictor(client, run.load_network(), run.prediction_recipe)
    with Raster(scenes / "images" / "north.tif") as raster:
        first = list(cluster.segment(raster))
        done = {part.window for part in first[:-1]}
        again = [part.window for part in cluster.segment(raster, Wanted(done=done))]
        assert first[-1].window in again
        assert len(again) < len(first)
        assert list(cluster.segment(raster, Wanted(done={part.window for part in first}))) == []


def test_what_a_worker_finds_wrong_is_said_as_ever(client: Any, tiny_run: Run, scenes: Path, tmp_path: Path) -> None:
    run = Run.open(tiny_run.path, SMALL)
    whole = (scenes / "images" / "north.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole)
    cluster = DaskPredictor(client, run.load_network(), run.prediction_recipe)
    with Raster(tmp_path / "cut.tif") as raster:
        (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match=r"cut\.tif: "):
            list(cluster.segment(raster))


def test_interrupting_leaves_the_cluster_free(client: Any, tiny_run: Run, scenes: Path) -> None:
    run = Run.open(tiny_run.path, SMALL)
    cluster = DaskPredictor(client, run.load_network(), run.prediction_recipe)
    with Raster(scenes / "images" / "north.tif") as raster:
        parts: Any = cluster.segment(raster)
        next(parts)
        parts.close()
    for _ in range(100):
        if not any(client.processing().values()):
            break
        time.sleep(0.05)
    assert not any(client.processing().values())


@pytest.mark.slow
def test_interrupting_many_scenes_ends_soon_and_can_be_resumed(
    tiny_run: Run, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.open(tiny_run.path, SMALL)
    write, written = ClassMapWriter.write, iter(range(1000))

    def slowly(*arguments: Any) -> None:
        write(*arguments)
        if next(written) == 3:
            interrupted.append(time.monotonic())
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(1)  # and some seventy windows are left

    monkeypatch.setattr(ClassMapWriter, "write", slowly)
    interrupted: list[float] = []
    with pytest.raises(KeyboardInterrupt):
        run.predict_all([scenes / "images"], tmp_path / "maps", workers=2)
    assert time.monotonic() - interrupted[0] < 30
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("scene")]
    monkeypatch.setattr(ClassMapWriter, "write", write)
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == [".north.tif.partial", ".south.tif.partial"]
    done = run.predict_all([scenes / "images"], tmp_path / "maps", MapOptions(resume=True))
    whole = run.predict_all([scenes / "images"], tmp_path / "whole")
    for path, other in zip(done.maps, whole.maps, strict=True):
        assert path.read_bytes() == other.read_bytes()
