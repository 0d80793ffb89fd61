"""Superpixels are made once, whoever asks, and nothing that happens to the cache breaks a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from terrasift import InputError, Recipe, Run, Scaling, superpixels, train
from terrasift.data import regions as module
from terrasift.data.patches import PatchReader, index_patches
from terrasift.data.regions import RegionCache, prepare_regions
from terrasift.data.scenes import describe_scenes
from terrasift.files import locked
from terrasift.progress import listening
from terrasift.raster import write_image
from terrasift.recipe import Refinement

REFINEMENT = Refinement(area=64)
SCALING = Scaling(dtype="uint8", low=(0,) * 3, high=(255,) * 3, fill=(0.5,) * 3)


def image_of(seed: int, side: int = 40) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    return np.random.default_rng(seed).random((side, side, 3), np.float32), np.ones((side, side), bool)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one whenever superpixels are made rather than read."""
    calls: list[None] = []

    def spy(*arguments: Any, **settings: Any) -> Any:
        calls.append(None)
        return superpixels(*arguments, **settings)

    monkeypatch.setattr(module, "superpixels", spy)
    return calls


def files(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def test_the_second_call_reads_what_the_first_made(tmp_path: Path, made: list[None]) -> None:
    image, valid = image_of(0)
    first = RegionCache(tmp_path, REFINEMENT).regions(image, valid)
    second = RegionCache(tmp_path, REFINEMENT).regions(image, valid)
    assert len(made) == 1
    assert second.dtype == np.int32
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, superpixels(image, area=64))


def test_other_content_or_settings_are_another_entry(tmp_path: Path, made: list[None]) -> None:
    image, valid = image_of(0)
    other_image, other_valid = image.copy(), valid.copy()
    other_image[0, 0, 0] += 0.001
    other_valid[0, 0] = False
    RegionCache(tmp_path, REFINEMENT).regions(image, valid)
    RegionCache(tmp_path, REFINEMENT).regions(other_image, valid)
    RegionCache(tmp_path, REFINEMENT).regions(image, other_valid)
    RegionCache(tmp_path, REFINEMENT).regions(image.reshape(20, 80, 3), valid.reshape(20, 80))
    RegionCache(tmp_path, Refinement(area=65)).regions(image, valid)
    RegionCache(tmp_path, Refinement(area=64, compactness=11)).regions(image, valid)
    RegionCache(tmp_path, Refinement(area=64, method="opencv_slic")).regions(image, valid)
    assert len(made) == len(files(tmp_path)) == 7


def test_single_pixels_are_not_worth_a_file(tmp_path: Path) -> None:
    found = RegionCache(tmp_path, Refinement(method="none")).regions(*image_of(0))
    assert len(np.unique(found)) == found.size
    assert not files(tmp_path)


def damages(content: bytes) -> dict[str, bytes]:
    generator = np.random.default_rng(0)
    flipped = {}
    for position in generator.integers(0, len(content), 30).tolist():
        wrong = bytes([content[position] ^ 0xFF])
        flipped[f"byte {position}"] = content[:position] + wrong + content[position + 1 :]
    return {"empty": b"", "half": content[: len(content) // 2], "text": b"no archive at all", **flipped}


def test_a_damaged_file_is_made_again(tmp_path: Path, made: list[None]) -> None:
    cache = RegionCache(tmp_path, REFINEMENT)
    expected = cache.regions(*image_of(0))
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    for what, content in damages(whole).items():
        path.write_bytes(content)
        np.testing.assert_array_equal(cache.regions(*image_of(0)), expected, err_msg=what)
    assert len(made) > 20
    made.clear()
    path.write_bytes(b"")
    cache.regions(*image_of(0))
    cache.regions(*image_of(0))
    assert len(made) == 1  # what was made again is whole


MANY = """
import sys
import numpy as np
from terrasift.data.regions import RegionCache
from terrasift.recipe import Refinement

cache = RegionCache(sys.argv[1], Refinement(area=64))
print("ready", flush=True)
sys.stdin.readline()
for seed in range(20):
    cache.regions(np.random.default_rng(seed).random((40, 40, 3), np.float32), np.ones((40, 40), bool))
"""


def start(script: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_can_share_a_folder(tmp_path: Path, made: list[None]) -> None:
    processes = [start(MANY, tmp_path) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        _, errors = process.communicate("go\n")
        assert process.returncode == 0, errors
    assert len(files(tmp_path)) == len(files(tmp_path, "*.npz")) == 20
    cache = RegionCache(tmp_path, REFINEMENT)
    for seed in range(20):
        np.testing.assert_array_equal(cache.regions(*image_of(seed)), superpixels(image_of(seed)[0], area=64))
    assert not made


DIES_HALF_WAY = """
import os, signal, sys
import numpy as np
from terrasift.data import regions
from terrasift.recipe import Refinement

def half_a_file(path, **arrays):
    path.write_bytes(b"PK" * 100)
    os.kill(os.getpid(), signal.SIGKILL)

regions.np.savez_compressed = half_a_file
cache = regions.RegionCache(sys.argv[1], Refinement(area=64))
cache.regions(np.random.default_rng(0).random((40, 40, 3), np.float32), np.ones((40, 40), bool))
"""


def test_a_kill_while_writing_breaks_nothing(tmp_path: Path, made: list[None]) -> None:
    process = start(DIES_HALF_WAY, tmp_path)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob("*/.*")
    cache = RegionCache(tmp_path, REFINEMENT)
    with locked(left):  # another process at work
        assert cache.trim(0) == 0
    assert left.exists()
    assert cache.trim(0) == 0
    assert not left.exists()
    start(DIES_HALF_WAY, tmp_path).communicate()
    for _ in range(2):
        np.testing.assert_array_equal(cache.regions(*image_of(0)), superpixels(image_of(0)[0], area=64))
    assert len(made) == 1
    assert len(files(tmp_path)) == len(files(tmp_path, "*.npz")) == 1


def test_trim_deletes_what_was_longest_unused(tmp_path: Path, made: list[None]) -> None:
    cache = RegionCache(tmp_path, REFINEMENT)
    paths = []
    for seed in range(4):
        cache.regions(*image_of(seed))
        (path,) = set(files(tmp_path)) - set(paths)
        paths.append(path)
        os.utime(path, (1_000_000_000 + seed,) * 2)
    cache.regions(*image_of(0))  # used now
    sizes = [path.stat().st_size for path in paths]
    limit = sizes[0] + sizes[3]
    assert cache.trim(sum(sizes)) == 0
    assert cache.trim(limit) == 2
    assert files(tmp_path) == sorted([paths[0], paths[3]])
    assert sum(path.stat().st_size for path in files(tmp_path)) <= limit
    assert RegionCache(tmp_path / "none", REFINEMENT).trim(0) == 0


def test_trim_leaves_what_is_not_the_caches(tmp_path: Path) -> None:
    foreign = [tmp_path / name for name in ("ab/photo.tif", "ab/mine.npz", "ab/cd/x.npz", "year/map.npz", "top.npz")]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)
        os.utime(path, (1_000_000_000,) * 2)
    cache = RegionCache(tmp_path, REFINEMENT)
    cache.regions(*image_of(0))
    assert cache.trim(0) == 1
    assert files(tmp_path) == sorted(foreign)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file: cannot be written \(.+\); choose another folder: `cache`"):
        RegionCache(tmp_path / "file", REFINEMENT).regions(*image_of(0))


def test_training_again_makes_no_superpixels(
    tiny_run: Run, tiny_recipe: Recipe, scenes: Path, tmp_path: Path, made: list[None]
) -> None:
    train([scenes / "images"], tmp_path / "run", tiny_recipe, cache=tiny_run.path.parent / "cache")
    assert not made


def test_without_a_cache_nothing_is_left_behind(
    tiny_recipe: Recipe, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("terrasift.api.trainer.default_cache_folder", lambda: tmp_path / "cache")
    train([scenes / "images"], tmp_path / "run", tiny_recipe, use_cache=False)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert names == [
        "run",
        "run/images.txt",
        "run/legend.yaml",
        "run/log.csv",
        "run/machine.json",
        "run/recipe.yaml",
        "run/weights.safetensors",
    ]


@pytest.mark.slow
def test_many_patches_are_prepared_in_worker_processes(tmp_path: Path, made: list[None]) -> None:
    write_image(tmp_path / "a.tif", np.random.default_rng(0).integers(0, 255, (160, 160, 3)).astype(np.uint8))
    patches = index_patches(describe_scenes([str(tmp_path / "a.tif")]), 20, 0.5)
    assert len(patches) == 64
    cache, told = RegionCache(tmp_path / "cache", REFINEMENT), []
    reader = PatchReader(scaling=SCALING)
    with listening(lambda stage: told.append((stage.name, stage.done))):
        prepare_regions(cache, reader, patches, 20)
    assert told == [("superpixels", done) for done in [*range(65), 64]]
    assert len(files(tmp_path / "cache", "*.npz")) == 64
    for patch in patches:
        cache.regions(*reader.read(patch, 20))
    assert not made  # in this process
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a\.tif: cannot be read: the file is damaged"):
        prepare_regions(cache, PatchReader(scaling=SCALING), patches, 20)
