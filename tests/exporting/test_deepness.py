"""A file for the QGIS plugin Deepness, read and executed as the plugin does it, without terrasift.

What the plugin does is told from its documentation and its sources: the properties it looks for, how it checks a model,
the numbers it hands over, how it lays tiles, and what it takes from each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from terrasift import Run, Scaling, SettingError
from terrasift.exporting.deepness import overlap_percent
from terrasift.raster import write_image
from tests.exporting.untrained import make_run, scene_values

onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra `export`")

BYTES = Scaling(dtype="uint8", low=(0, 0, 0, 0), high=(255, 255, 255, 255), fill=(0.5, 0.5, 0.5, 0.5))


class Plugin:
    """What Deepness makes of a model's file."""

    def __init__(self, path: Path) -> None:
        self.session = onnxruntime.InferenceSession(path)
        (self.input,), (output,) = self.session.get_inputs(), self.session.get_outputs()
        batch, self.bands, height, self.side = self.input.shape
        assert (batch, height, output.shape) == (1, self.side, [1, output.shape[1], self.side, self.side])
        self.form = {name: json.loads(text) for name, text in self.session.get_modelmeta().custom_metadata_map.items()}
        names = sorted(self.form["class_names"].items(), key=lambda entry: int(entry[0]))
        assert [int(number) for number, _ in names] == list(range(output.shape[1]))
        self.names = [name for _, name in names]

    def likelihoods(self, tile: NDArray[np.uint8]) -> NDArray[np.float32]:
        image = np.float32(tile[None, :, :, : self.bands] * 1.0 / 255.0).transpose(0, 3, 1, 2)
        (found,) = self.session.run(None, {self.input.name: image})
        return found[0]

    def map(self, image: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Tiles from the upper left on, zeros beyond the image, of which each gives all but half of the overlap."""
        overlap = int(self.side * self.form["tiles_overlap"] / 100 * 2) // 2
        step, half = self.side - overlap, overlap // 2
        rows, columns = (max(0, -(-(length - self.side) // step)) + 1 for length in image.shape[:2])
        size = ((rows - 1) * step + self.side, (columns - 1) * step + self.side)
        padded = np.zeros((*size, image.shape[2]), np.uint8)
        padded[: image.shape[0], : image.shape[1]] = image
        full = np.full(size, -1)
        for row in range(rows):
            for column in range(columns):
                found = self.likelihoods(padded[row * step :, column * step :][: self.side, : self.side])
                found[found < self.form["seg_thresh"]] = 0.0
                inside = np.s_[
                    half * (row > 0) : self.side - half * (row < rows - 1),
                    half * (column > 0) : self.side - half * (column < columns - 1),
                ]
                full[row * step :, column * step :][: self.side, : self.side][inside] = found.argmax(0)[inside]
        return full[: image.shape[0], : image.shape[1]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    changes = ("extractor=dictionary", "predict.context=scene", "predict.window=200")
    return make_run(tmp_path / "run", *changes, scaling=BYTES)


def test_the_plugin_draws_the_map_that_predict_writes(command: Callable[..., Any], run: Run, tmp_path: Path) -> None:
    image = (scene_values(330, 410, seed=0)[0] // 15).astype(np.uint8)
    scene = tmp_path / "scene.tif"
    write_image(scene, image, crs="EPSG:32633", transform=(0.25, 0.0, 500_000.0, 0.0, -0.25, 5_000_000.0))
    ended = command("export", run.path, "--out", tmp_path / "city.onnx", "--scene", scene, "--for", "deepness")
    assert ended.code == 0, ended.err
    assert "next: in QGIS, Plugins > Deepness: choose " in ended.out
    plugin = Plugin(tmp_path / "city.onnx")
    assert plugin.names == ["road", "tree", "water", "no class"]
    assert plugin.form["model_type"] == "Segmentor"
    assert plugin.form["resolution"] == pytest.approx(25, rel=1e-3)  # centimetres
    assert plugin.form["tile_size"] == plugin.form["tiles_size"] == plugin.side == 200
    assert plugin.side * plugin.form["tiles_overlap"] / 200 >= run.predictor.margin
    np.testing.assert_allclose(plugin.likelihoods(image[:200, :200]).sum(axis=0), 1, rtol=1e-5)
    run.predict(scene, tmp_path / "map.tif")
    with rasterio.open(tmp_path / "map.tif") as dataset:
        expected = dataset.read(1).astype(int)
    expected[expected == 255] = 3
    margin = run.predictor.margin  # towards what the plugin fills with zeros
    assert set(np.unique(expected)) == {0, 1, 2, 3}
    assert (plugin.map(image) == expected)[: 330 - margin, : 410 - margin].mean() > 0.9999


def test_what_the_plugin_cannot_do_with_is_said(run: Run, tmp_path: Path) -> None:
    wide = make_run(tmp_path / "wide", "extractor=kan", "predict.context=patch")
    with pytest.raises(
        SettingError, match=r"^program: Deepness hands over 8 bits a band, and the run was trained on ui"
    ):
        wide.export(tmp_path / "a.onnx", program="deepness")
    with pytest.raises(SettingError, match=r"a\.pt2 is no \.onnx, which deepness reads; name it so$"):
        run.export(tmp_path / "a.pt2", program="deepness")
    with pytest.raises(SettingError, match=r"a\.onnx is no \.pt2, which torch reads; name it so$"):
        run.export(tmp_path / "a.onnx", program="torch")
    assert not list(tmp_path.glob("a.*"))


def test_tiles_overlap_by_what_they_cannot_know_and_no_more() -> None:
    for side, margin, alignment in ((512, 32, 1), (512, 61, 8), (200, 30, 4), (256, 100, 16)):
        percent = overlap_percent(side, margin, alignment)
        overlaps = [int(side * each / 100 * 2) // 2 for each in range(percent + 1)]  # as the plugin counts
        fits = [each // 2 >= margin and (side - each) % alignment == 0 for each in overlaps]
        assert fits[-1]
        assert not any(fits[:-1])
    with pytest.raises(SettingError, match=r"^predict\.window: 64 leaves nothing of a tile whose margin is 40; "):
        overlap_percent(64, 40, 8)
