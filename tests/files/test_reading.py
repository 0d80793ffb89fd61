"""Files are read within bounds; what is wrong with one is said with its line, and nothing is ever waited for."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from terrasift import InputError, RunError
from terrasift.files import parse_yaml, read_csv, read_json, read_text, read_yaml
from terrasift.files.arrays import read_npz
from terrasift.files.tensors import read_checkpoint, read_tensors

LAUGHS = "a: &a [1]\n" + "".join(
    f"{n}: &{n} [{', '.join([f'*{m}'] * 10)}]\n" for m, n in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_what_is_no_file_is_said_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    for name, words in {
        "pipe": "is a pipe or a device",
        "": "is a folder",
        "none": "No such file",
        "large": "is too large: 1,099,511,627,776 bytes",
        "nu\0l": "null",
    }.items():
        with pytest.raises(RunError, match=words):
            read_text(tmp_path / name, RunError)
    with pytest.raises(InputError, match="is a pipe or a device"):
        read_yaml("/dev/zero")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb:\n  c: 2\n  c: 3\n", 4, r"b\.c is written twice"),
        ("a:\n- b: 1\n  'b': 2\n", 3, r"a\[0\]\.b is written twice"),
        ("[" * 1_000_000, 1, "is nested too deep; allowed are 32 levels"),
        (LAUGHS, 7, "has more than 1,000,000 parts"),
        ("&a [*a]", 1, "holds itself by an alias"),
        ("a: 1\n--- \nb: 2", 2, "another document"),
        ("a: !!python/object/apply:os.system [exit]", 1, "could not determine a constructor"),
        ("a:\n\t- b", 2, "is not YAML"),
        ("a: !!bool maybe", None, "is not YAML that can be read"),
        ("a: !!timestamp soon", None, "is not YAML that can be read"),
        ("a: 2020-99-99", None, "month must be in"),
        ("a: " + "9" * 5000, None, "is not YAML that can be read"),
        ("a: \0", None, "is not YAML"),
    ],
)
def test_odd_yaml_is_refused_with_its_line(text: str, line: int | None, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        parse_yaml(text, "a.yaml")
    assert str(error.value).startswith(f"a.yaml:{line}: " if line else "a.yaml: ")


def test_yaml_has_lines_and_merges() -> None:
    text = parse_yaml("a: &a\n  b: 1\nc:\n  <<: *a\n  d: [2,\n 3]\n", "a.yaml")
    assert text.content == {"a": {"b": 1}, "c": {"b": 1, "d": [2, 3]}}
    assert [text.line(place) for place in ((), ("a", "b"), ("c", "d", 1), ("c", "e"))] == [1, 2, 6, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1,\n}', r"a\.json:2: is not JSON"),
        ("[" * 1_000_000, "is not JSON that can be read"),
        ("9" * 5000, "is not JSON that can be read"),
        ("", r"a\.json:1: is not JSON"),
    ],
)
def test_odd_json_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(RunError, match=words):
        read_json(tmp_path / "a.json", RunError)


def test_csv_gives_whole_rows_and_names_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n1,0.5\n2,0.25\n3,")
    assert read_csv(path, ("step", "loss")) == [{"step": "1", "loss": "0.5"}, {"step": "2", "loss": "0.25"}]
    with pytest.raises(InputError, match=r"log\.csv:1: has no column 'seconds'"):
        read_csv(path, ("seconds",))
    path.write_text('step,loss\n1,"a"b\n')
    with pytest.raises(InputError, match=r"log\.csv:2: is not CSV"):
        read_csv(path, ("step",))


def archive(path: Path, array: np.ndarray, claimed: str = "") -> Path:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    content = file.getvalue()
    if claimed:
        shape = str(array.shape).encode()
        content = content.replace(shape + b", }" + b" " * len(claimed), claimed.encode() + b", }" + b" " * len(shape))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stored:
        stored.writestr("labels.npy", content)
    return path


def test_archives_give_what_was_asked_for_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    labels = np.arange(6, dtype=np.int32).reshape(2, 3)
    np.testing.assert_array_equal(read_npz(archive(path, labels), {"labels": ("iu", 2)})["labels"], labels)
    for array, claimed, words in [
        (labels.astype(object), "", "is of another kind: object, 2 x 3"),
        (labels.astype(np.float32), "", "is of another kind: float32"),
        (labels[0], "", "is of another kind: int32, 3"),
        (labels, "(200000, 300000)", "says that it has 240,000,000,000 bytes"),
    ]:
        with pytest.raises(InputError, match=words):
            read_npz(archive(path, array, claimed), {"labels": ("iu", 2)})
    with pytest.raises(InputError, match="lacks counts"):
        read_npz(archive(path, labels), {"counts": ("iu", 1)})
    path.write_bytes(archive(path, labels).read_bytes()[:-10])
    with pytest.raises(InputError, match="is damaged"):
        read_npz(path, {"labels": ("iu", 2)})


def test_weights_must_fit_and_be_numbers(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    like = {"a": torch.zeros(2, 3), "b": torch.zeros((), dtype=torch.int64)}
    save_file({"a": torch.ones(2, 3), "b": torch.tensor(4)}, path, {"recipe": "x"})
    found, texts = read_tensors(path, like)
    assert (float(found["a"].sum()), int(found["b"]), texts) == (6.0, 4, {"recipe": "x"})
    for wrong, words in [
        ({"a": torch.ones(2, 3)}, "lacks b"),
        ({"a": torch.ones(3, 2), "b": torch.tensor(4)}, "a is 3 x 2, where 2 x 3 is needed"),
        ({"a": torch.ones(2, 3).double(), "b": torch.tensor(4)}, "a is torch.float64"),
        ({"a": torch.full((2, 3), torch.nan), "b": torch.tensor(4)}, "a holds values that are no numbers"),
        ({"a": torch.ones(2, 3), "b": torch.tensor(4), "c": torch.tensor(4)}, "holds c"),
    ]:
        save_file(wrong, path)
        with pytest.raises(RunError, match=words):
            read_tensors(path, like)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(RunError, match="is damaged"):
        read_tensors(path, like)


class Code:
    """What a checkpoint must never hold."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("made-by-code",)


def test_checkpoints_hold_numbers_and_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "last.ckpt"
    torch.save({"step": 3, "a": torch.ones(2)}, path)
    assert read_checkpoint(path)["step"] == 3
    content = path.read_bytes()
    path.write_bytes(content[:-40])
    with pytest.raises(RunError, match=r"last\.ckpt: is damaged .*; delete it"):
        read_checkpoint(path, mend="delete it")
    torch.save({"step": Code()}, path)
    with pytest.raises(RunError, match="is damaged"):
        read_checkpoint(path)
    assert not Path("made-by-code").exists()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    with pytest.raises(RunError, match="says that it holds 10,000,000 bytes"):
        read_checkpoint(path)
