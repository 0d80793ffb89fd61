"""A file or a folder is there whole, or not at all, and nothing is left beside it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from terrasift import RunError
from terrasift.files import claimed, locked, tidy, whole, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "new" / "scores.json"
    with whole(path) as partial:
        assert (partial.name, partial.exists(), path.exists()) == ("scores.json", False, False)
        partial.write_text("{}")
        (partial.parent / "scores.json.aux.xml").touch()
        assert not path.exists()
    assert path.read_text() == "{}"
    assert names(path.parent) == ["scores.json"]


def test_a_folder_too(tmp_path: Path) -> None:
    with whole(tmp_path / "sample") as partial:
        partial.mkdir()
        (partial / "points.csv").write_text("1\n")
    assert names(tmp_path) == ["sample"]
    assert names(tmp_path / "sample") == ["points.csv"]
    with pytest.raises(OSError, match="not empty") as caught, whole(tmp_path / "sample") as partial:
        partial.mkdir()
    assert caught.value.filename == str(tmp_path / "sample")
    assert names(tmp_path / "sample") == ["points.csv"]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_a_failed_block_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    path = write_text(tmp_path / "legend.yaml", "before\n")

    def fail() -> None:
        with whole(path) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(type(error)) as caught:
        fail()
    assert caught.value is error
    assert path.read_text() == "before\n"
    assert names(tmp_path) == ["legend.yaml"]
    if isinstance(error, OSError):
        assert error.filename == str(path)


def test_errors_of_other_files_keep_their_names(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, whole(tmp_path / "map.tif"):
        (tmp_path / "scene.tif").read_bytes()
    assert caught.value.filename == str(tmp_path / "scene.tif")
    with pytest.raises(RunError, match="a run: is torn; mend it"), whole(tmp_path / "map.tif"):
        raise RunError("a run", "is torn", "mend it")


@pytest.mark.parametrize("place", ["file/below", "folder"])
def test_what_cannot_be_written_is_named_as_the_caller_named_it(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder").mkdir()
    with pytest.raises(OSError, match=r".") as caught:
        write_text(place, "text")
    assert caught.value.filename == place
    assert names(tmp_path) == ["file", "folder"]


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is a device; name a file"):
        write_text(tmp_path / "pipe", "text")
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link.yaml").symlink_to(tmp_path / "there" / "legend.yaml")
    write_text(tmp_path / "link.yaml", "text")
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "there" / "legend.yaml").read_text() == "text"


WRITER = """
import sys, time
from terrasift.files import whole
with whole(sys.argv[1]) as partial:
    partial.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "city.onnx"
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with (
            pytest.raises(OSError, match="is being written by another process"),
            claimed(tmp_path / ".city.onnx.writing", 0.2),
        ):
            pass
        process.send_signal(signal.SIGKILL)
    assert names(tmp_path) == [".city.onnx.writing"]
    write_text(path, "whole")
    assert names(tmp_path) == ["city.onnx"]


def test_what_was_left_beside_a_file_that_is_kept_goes_unless_it_is_held(tmp_path: Path) -> None:
    path, left = tmp_path / "a.txt", tmp_path / ".a.txt.writing"
    path.write_text("kept")
    left.mkdir()
    (left / "half").touch()
    with locked(left):
        tidy(path)
        assert (left / "half").exists()
    tidy(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_many_writers_of_one_file_never_spoil_it(tmp_path: Path) -> None:
    path, texts = tmp_path / "legend.yaml", [str(number) * 100_000 for number in range(4)]
    seen: set[str] = set()
    errors: list[BaseException] = []
    end = time.monotonic() + 1.0

    def write(text: str) -> None:
        try:
            while time.monotonic() < end:
                write_text(path, text)
        except BaseException as error:
            errors.append(error)

    write_text(path, texts[0])
    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen.add(path.read_text())
    assert not errors
    assert seen <= set(texts)
    assert names(tmp_path) == ["legend.yaml"]
