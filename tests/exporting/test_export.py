"""Exported networks beside the run they come from, executed without terrasift."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from numpy.typing import NDArray

from terrasift import Legend, RunError, Scaling
from terrasift.exporting import export_run
from terrasift.raster import write_image
from tests.exporting.untrained import SCALING, make_run, scene_values

onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra `export`")

ROOT = Path(__file__).parents[2]
Execute = Callable[[NDArray[np.float32]], list[NDArray[Any]]]


def execute_onnx(path: Path) -> Execute:
    session = onnxruntime.InferenceSession(path)
    return lambda images: session.run(None, {"image": images})


def execute_pt2(path: Path) -> Execute:
    module = torch.export.load(path).module()
    return lambda images: [output.detach().numpy() for output in module(torch.from_numpy(images))]


EXECUTE = {".onnx": execute_onnx, ".pt2": execute_pt2}


def as_input(values: NDArray[np.uint16], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.moveaxis(np.where(valid[..., None], values, np.nan), 2, 0).astype(np.float32)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    values, valid = scene_values(150, 171, seed=0)
    path = tmp_path / "scene.tif"
    grid = {"crs": "EPSG:32633", "transform": (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0)}
    write_image(path, np.where(valid[..., None], values, 0).astype(np.uint16), **grid)
    with rasterio.open(path, "r+") as dataset:
        dataset.nodata = 0
    return path


@pytest.mark.parametrize(
    ("extractor", "suffix"),
    [
        ("kan", ".pt2"),  # as ONNX: below, with 300 clusters
        ("seek", ".pt2"),
        pytest.param("seek", ".onnx", marks=pytest.mark.slow),
        ("dic", ".pt2"),
        pytest.param("dic", ".onnx", marks=pytest.mark.slow),
        ("dictionary", ".pt2"),
        ("dictionary", ".onnx"),
    ],
)
def test_a_file_that_sees_each_input_alone_gives_what_the_run_gives(
    tmp_path: Path, extractor: str, suffix: str
) -> None:
    run = make_run(tmp_path / "run", f"extractor={extractor}", "predict.context=patch")
    out = tmp_path / f"network{suffix}"
    comparison = export_run(run, run.predictor, out)
    assert comparison.difference < 1e-5
    assert comparison.agreement > 0.9999
    execute = EXECUTE[suffix](out)
    for height, width, count in ((61, 94, 3), (40, 33, 1)):
        images = [scene_values(height, width, seed) for seed in range(count)]
        *logits, labels = execute(np.stack([as_input(*image) for image in images]))
        assert [part.shape for part in logits] == [(count, 8, height, width)] * 2
        assert labels.dtype == np.uint8
        expected = np.stack([run.predict_array(*image) for image in images])
        assert set(np.unique(expected)) == {0, 1, 2, 255}
        assert (labels == expected).mean() > 0.9999
        assert (labels[:, :9, -20:] == 255).all()


@pytest.mark.parametrize("extractor", ["kan", "seek", "dic", "dictionary"])
def test_a_file_that_holds_a_scene_gives_the_map_of_it_whatever_the_window(
    tmp_path: Path, scene: Path, extractor: str
) -> None:
    run = make_run(tmp_path / "run", f"extractor={extractor}", "predict.context=scene", "predict.window=256")
    export_run(run, run.predictor, tmp_path / "network.pt2", scene)
    run.predict(scene, tmp_path / "map.tif")
    with rasterio.open(tmp_path / "map.tif") as dataset:
        expected = dataset.read(1)
    image = as_input(*scene_values(150, 171, seed=0))[None]
    execute = execute_pt2(tmp_path / "network.pt2")
    assert (execute(image)[-1][0] == expected).mean() > 0.9999
    margin = run.predictor.margin
    part = execute(image[:, :, 8:145, 32:])[-1][0]
    inside = np.s_[margin:-margin, margin:]
    assert (part[inside] == expected[8:145, 32:][inside]).mean() > 0.9999


def test_one_document_says_what_goes_in_and_what_comes_out(tmp_path: Path, scene: Path) -> None:
    run = make_run(tmp_path / "run", "extractor=kan", "bands=[4,2,1,3]")
    with rasterio.open(scene, "r+") as dataset:
        dataset.descriptions = ("blue", "green", "red", "infrared")
    for name in ("network.onnx", "network.pt2"):
        export_run(run, run.predictor, tmp_path / name, scene)
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx")
    extra = {"terrasift.json": ""}
    torch.export.load(tmp_path / "network.pt2", extra_files=extra)
    found = json.loads(extra["terrasift.json"])
    assert json.loads(session.get_modelmeta().custom_metadata_map["terrasift"]) == found
    assert found["bands"] == [4, 2, 1, 3]
    assert found["band_names"] == ["infrared", "green", "blue", "red"]
    assert (found["dtype"], found["low"], found["high"]) == ("uint16", list(SCALING.low), list(SCALING.high))
    assert found["classes"][1] == {"name": "tree", "color": "#00FF00", "clusters": [0, 4, 7]}
    assert (found["classifier"], found["nodata"]) == (2, 255)
    assert (found["context"], found["scene"]) == ("scene", "scene.tif")
    assert (found["window"], found["margin"], found["alignment"], found["smallest_side"]) == (80, 2, 1, 2)
    assert [(entry.name, entry.shape) for entry in session.get_outputs()] == [
        ("logits_1", ["batch", 8, "height", "width"]),
        ("logits_2", ["batch", 8, "height", "width"]),
        ("labels", ["batch", "height", "width"]),
    ]


@pytest.mark.slow
def test_the_page_maps_a_scene_without_terrasift(
    command: Callable[..., Any], tmp_path: Path, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    ended = command("export", run.path, "--out", tmp_path / "city.onnx", "--scene", scene, "--progress", "none")
    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"wrote {tmp_path / 'city.onnx'}\nbeside the run, on random values (2 x 4 x 64 x 96, ")
    assert "100.00% of labels are equal\nnext: in Python, " in ended.out
    exec(ended.out.partition("next: in Python, ")[2])  # what the extra `export` has brought suffices
    assert ended.err == ""
    page = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    (snippet,) = [part.partition("```")[0] for part in page.split("```python\n")[1:] if "session" in part]
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(snippet, names)
    run.predict(scene, "map.tif")
    with rasterio.open("map.tif") as dataset:
        assert (names["labels"] == dataset.read(1)).mean() > 0.9999
    assert names["names"] == ["road", "tree", "water"]


def test_more_than_255_classes_are_16_bit(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "extractor=kan", "clusters=300", "predict.context=patch")
    run.save_legend(Legend.of_clusters(300))
    export_run(run, run.predictor, tmp_path / "network.onnx")
    values, valid = scene_values(40, 40, seed=0)
    (labels,) = execute_onnx(tmp_path / "network.onnx")(as_input(values, valid)[None])[-1]
    assert labels.dtype == np.uint16
    assert (labels == run.predict_array(values, valid)).mean() > 0.9999


def test_what_disagrees_with_the_run_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    low = (1e9, 1e9, 1e9, 1e9)
    far = Scaling(dtype="float64", low=low, high=tuple(value + 1 for value in low), fill=(0.5, 0.5, 0.5, 0.5))
    run = make_run(tmp_path / "run", "extractor=kan", "predict.context=patch", scaling=far)  # too fine for float32
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "network.pt2").write_text("the one before")
    with pytest.raises(RunError, match=r"is not itself as \.pt2: on random values") as error:
        export_run(run, run.predictor, folder / "network.pt2")
    assert "\n" not in str(error.value)
    assert [path.name for path in folder.iterdir()] == ["network.pt2"]
    assert (folder / "network.pt2").read_text() == "the one before"


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object, path: Path, **__: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    run = make_run(tmp_path / "run", "extractor=kan", "predict.context=patch")
    monkeypatch.setattr(torch.export, "save", full)
    with pytest.raises(OSError, match="No space"):
        export_run(run, run.predictor, tmp_path / "network.pt2")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_is_wrong_is_one_line(
    command: Callable[..., Any], tmp_path: Path, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run", "extractor=kan")
    write_image(tmp_path / "bytes.tif", np.zeros((64, 64, 4), np.uint8))
    (tmp_path / "folder.pt2").mkdir()

    def line(*arguments: object) -> str:
        ended = command("export", run.path, *arguments)
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        return str(ended.err).strip()

    assert line("--out", tmp_path / "a.pt2") == (
        "terrasift: --scene: is missing: the network's global operations are frozen at what they find in a scene;"
        " name one, or let them see each window alone: --set predict.context=patch"
    )
    assert "a.pth is neither .onnx nor .pt2" in line("--out", tmp_path / "a.pth", "--scene", scene)
    assert "there is no folder" in line("--out", tmp_path / "no" / "a.pt2", "--scene", scene)
    assert "folder.pt2 is a folder; name a file" in line("--out", tmp_path / "folder.pt2", "--scene", scene)
    assert "holds uint8, but" in line("--out", tmp_path / "a.pt2", "--scene", tmp_path / "bytes.tif")
    assert "cannot be changed once a run is trained" in line("--out", tmp_path / "a.pt2", "--set", "clusters=9")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    missing = line("--out", tmp_path / "a.onnx", "--scene", scene)
    assert missing == "terrasift: --out: onnx is not installed; pip install 'terrasift[export]'"
    assert not list(tmp_path.glob("a.*"))
