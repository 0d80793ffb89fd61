"""Maps as they stream: read ahead, computed in batches, resumed where they were stopped, cloud optimized."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from terrasift import InputError, LandClass, Legend, MapOptions, Run
from terrasift.data.ahead import ahead
from terrasift.prediction import predictor
from terrasift.raster import ClassMapWriter, Raster, RasterInfo, Window

SMALL = ("predict.context=patch", "predict.window=48", "predict.margin=8")
LEGEND = Legend((LandClass("road", "#808080"), LandClass("tree", "#00FF00"), LandClass("water", "#0000FF")))


@pytest.fixture
def grid(scenes: Path) -> RasterInfo:
    with Raster(scenes / "images" / "north.tif") as raster:
        return raster.info


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ahead")]


# Cloud optimized


def test_a_map_is_cloud_optimized_and_its_overviews_show_what_most_pixels_are(tmp_path: Path, scenes: Path) -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 3, (300, 350))
    labels = coarse.repeat(2, 0).repeat(2, 1)
    rows, columns = np.indices(coarse.shape)
    odd_one_out = (2 * rows + rng.integers(0, 2, coarse.shape), 2 * columns + rng.integers(0, 2, coarse.shape))
    labels[odd_one_out] = (coarse + 1) % 3  # one of each four pixels
    profile = {"driver": "GTiff", "height": 600, "width": 700, "count": 1, "dtype": "uint8"}
    with rasterio.open(
        tmp_path / "scene.tif", "w", crs="EPSG:32633", transform=rasterio.Affine(2, 0, 9, 0, -2, 9), **profile
    ):
        pass
    with Raster(tmp_path / "scene.tif") as raster, ClassMapWriter(tmp_path / "map.tif", raster.info, LEGEND) as writer:
        for column in range(0, 700, 100):
            writer.write(labels[:, column : column + 100], Window(0, column, 600, 100))
    with rasterio.open(tmp_path / "map.tif") as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.overviews(1) == [2, 4]
        assert dataset.descriptions == ("class",)
        np.testing.assert_array_equal(dataset.read(1), labels)
    with rasterio.open(tmp_path / "map.tif", overview_level=0) as dataset:
        np.testing.assert_array_equal(dataset.read(1), coarse)


# Ahead


def test_ahead_keeps_the_order_and_its_distance() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return item * item

    for position, result in enumerate(ahead(work, range(50), most=3)):
        assert result == position**2
        assert len(begun) <= position + 4
    assert not threads()


def test_what_fails_in_the_thread_comes_out_unchanged() -> None:
    error = InputError("file", "is damaged")

    def work(item: int) -> int:
        if item == 2:
            raise error
        return item

    found = []
    with pytest.raises(InputError) as raised:
        found += list(ahead(work, range(9)))
    assert raised.value is error
    assert not threads()


def test_a_segmenter_closed_early_leaves_no_thread(tiny_run: Run, scenes: Path) -> None:
    run = Run.open(tiny_run.path, SMALL)
    with Raster(scenes / "images" / "north.tif") as raster:
        parts: Any = run.predictor.segment(raster)
        next(parts)
        assert threads()
        parts.close()
        assert not threads()


def test_a_damaged_scene_is_said_as_ever(
    tiny_run: Run, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, counted = Raster.read, iter(range(100))

    def damaged(raster: Raster, *arguments: Any) -> Any:
        if next(counted) == 20:
            raise InputError(raster.path, "cannot be read: the file is damaged")
        return read(raster, *arguments)

    monkeypatch.setattr(Raster, "read", damaged)
    with pytest.raises(InputError, match="damaged"):
        Run.open(tiny_run.path, SMALL).predict(scenes / "images" / "north.tif", tmp_path / "map.tif")
    assert not list(tmp_path.iterdir())


# Batches


@pytest.mark.parametrize("context", ["patch", "scene"])
def test_batches_give_what_single_windows_give(
    context: str, tiny_run: Run, scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.open(tiny_run.path, [*SMALL, f"predict.context={context}"])
    sizes: list[int] = []
    decide = predictor.decide
    monkeypatch.setattr(
        predictor, "decide", lambda *args, **options: sizes.append(len(args[1].views)) or decide(*args, **options)
    )
    found = []
    with Raster(scenes / "images" / "north.tif") as raster:
        for pixels in (1, 1 << 18):
            monkeypatch.setitem(predictor._BATCH_PIXELS, "cpu", pixels)
            sizes.clear()
            found.append(list(run.predictor.segment(raster)))
            assert (max(sizes) > 1) == (pixels > 1)
    for single, batched in zip(*found, strict=True):
        assert single.window == batched.window
        assert (single.valid == batched.valid).all()
        for one, other in zip(single.clusters, batched.clusters, strict=True):
            assert (one == other).mean() > 0.999  # sums in another order can turn a near-tie


# Resume


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """From now on the first few windows are written, and then somebody presses Ctrl-C."""
    write = ClassMapWriter.write

    def arrange(windows: int) -> None:
        counted = iter(range(10_000))

        def stop(writer: ClassMapWriter, labels: Any, window: Window, confidence: Any = None) -> None:
            if next(counted) >= windows:
                raise KeyboardInterrupt
            write(writer, labels, window, confidence)

        monkeypatch.setattr(ClassMapWriter, "write", stop)

    return arrange


def test_an_interrupted_map_goes_on_to_the_same_bytes(
    tiny_run: Run, scenes: Path, tmp_path: Path, interrupted: Callable[[int], None]
) -> None:
    run, scene = Run.open(tiny_run.path, SMALL), scenes / "images" / "north.tif"
    whole = run.predict(scene, tmp_path / "whole.tif").read_bytes()
    out = tmp_path / "maps" / "map.tif"
    log = out.parent / ".map.tif.partial" / "windows"
    sizes = [0]
    for windows in (20, 13):
        interrupted(windows)
        with pytest.raises(KeyboardInterrupt):
            run.predict(scene, out, MapOptions(resume=True))
        assert [path.name for path in out.parent.iterdir()] == [".map.tif.partial"]
        sizes.append(log.stat().st_size)
    assert sizes == sorted(set(sizes))
    with log.open("ab") as file:
        file.write(b"\1" * 50)  # a window of which a kill left a part
    other = Run.open(shutil.copytree(tiny_run.path, tmp_path / "other"), [*SMALL, "predict.margin=4"])
    with pytest.raises(InputError, match=r"map.tif: was begun with another run.* leave out `resume=True`"):
        other.predict(scene, out, MapOptions(resume=True))
    interrupted(64 - 33)  # no more than are left
    assert run.predict(scene, out, MapOptions(resume=True)).read_bytes() == whole
    assert sorted(path.name for path in out.parent.iterdir()) == ["map.qml", "map.tif", "map.tif.aux.xml"]
    interrupted(0)
    assert run.predict(scene, out, MapOptions(resume=True)).read_bytes() == whole  # it was whole already
    with pytest.raises(KeyboardInterrupt):
        other.predict(scene, out, MapOptions(resume=True))  # but not another's
    assert out.read_bytes() == whole


def test_the_command_says_how_to_go_on_and_goes_on(
    command: Callable[..., Any], tiny_run: Run, scenes: Path, tmp_path: Path, interrupted: Callable[[int], None]
) -> None:
    arguments = ("predict", tiny_run.path, scenes / "images" / "north.tif", "--out", tmp_path / "map.tif")
    interrupted(2)
    outcome = command(*arguments)
    assert (outcome.code, outcome.out) == (130, "")
    assert "interrupted; go on with the same command and --resume" in outcome.err
    interrupted(1000)
    outcome = command(*arguments, "--resume")
    assert (outcome.code, outcome.out.splitlines()[0]) == (0, f"wrote {tmp_path / 'map.tif'}")


def test_without_resume_a_map_is_begun_anew(tmp_path: Path, grid: RasterInfo) -> None:
    def write(value: int, rows: range, *, resume: bool = False) -> Iterator[frozenset[Window]]:
        with ClassMapWriter(tmp_path / "map.tif", grid, LEGEND, "job", resume=resume) as writer:
            for row in rows:
                writer.write(np.full((32, 256), value), Window(32 * row, 0, 32, 256))
            yield writer.done
            if len(rows) < 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(write(1, range(0, 4)))
    first = [Window(32 * row, 0, 32, 256) for row in range(4)]
    with pytest.raises(KeyboardInterrupt):
        assert list(write(1, range(4, 5), resume=True)) == [frozenset(first)]
    assert list(write(2, range(5))) == [frozenset()]
    with rasterio.open(tmp_path / "map.tif") as dataset:
        rows = dataset.read(1)[::32, 0]
    assert rows[:5].tolist() == [2] * 5


_SLOW_JOB = """
import sys, time
from terrasift import MapOptions, Run
from terrasift.raster import ClassMapWriter
write = ClassMapWriter.write
def slowly(*arguments):
    write(*arguments)
    time.sleep(0.1)
ClassMapWriter.write = slowly
run, scene, out, *changes = sys.argv[1:]
Run.open(run, changes).predict(scene, out, MapOptions(resume=True))
"""


def test_a_map_killed_as_it_was_put_in_its_place_is_made_again(tiny_run: Run, scenes: Path, tmp_path: Path) -> None:
    run, scene, out = Run.open(tiny_run.path, SMALL), scenes / "images" / "north.tif", tmp_path / "map.tif"
    whole = run.predict(scene, out).read_bytes()
    present = sorted(tmp_path.iterdir())
    half = tmp_path / ".map.tif.partial"
    half.mkdir()
    Path(f"{out}.aux.xml").rename(half / "map.tif.aux.xml")
    with pytest.raises(InputError, match="is there already"):
        run.predict_all(scene, out)
    (path,) = run.predict_all(scene, out, MapOptions(resume=True)).maps
    assert path.read_bytes() == whole
    assert sorted(tmp_path.iterdir()) == present


@pytest.mark.slow
def test_a_killed_map_goes_on_to_the_same_bytes(tiny_run: Run, scenes: Path, tmp_path: Path) -> None:
    run, scene, out = Run.open(tiny_run.path, SMALL), scenes / "images" / "north.tif", tmp_path / "map.tif"
    whole = run.predict(scene, tmp_path / "whole.tif").read_bytes()
    log = tmp_path / ".map.tif.partial" / "windows"
    moments = random.Random(0)
    for _ in range(3):
        size = log.stat().st_size if log.exists() else 100
        job = subprocess.Popen([sys.executable, "-c", _SLOW_JOB, tiny_run.path, scene, out, *SMALL])
        while job.poll() is None and (not log.exists() or log.stat().st_size <= size):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 1))
        job.kill()
        assert job.wait() == -9
        assert log.stat().st_size > size
        assert not out.exists()
    assert run.predict(scene, out, MapOptions(resume=True)).read_bytes() == whole
