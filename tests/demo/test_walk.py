"""The whole way on generated scenes, small."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import rasterio

from terrasift import InputError, Legend, Recipe
from terrasift.demo.walk import demo
from terrasift.scoring import score_label_maps


@pytest.mark.slow
def test_demo_leaves_a_map_scores_and_a_page(tmp_path: Path) -> None:
    recipe = Recipe.load("demo", ["width=4", "clusters=12", "patch=64", "steps=12", "compute.device=cpu"])
    page = demo(tmp_path / "demo", recipe, side=256).read_text()
    with rasterio.open(tmp_path / "demo" / "map.tif") as dataset:
        assert dataset.crs.to_epsg() == 32633
        assert dataset.colormap(1)[1][:3] == (0, 0, 255)
    scores = json.loads((tmp_path / "demo" / "scores.json").read_text())
    for method in ("terrasift", "k-means on pixels", "k-means on superpixels"):
        assert 0 < scores[method]["accuracy"] < 1
        assert f'<th scope="row" class="name">{method}</th>' in page
    truth = Legend.load(tmp_path / "demo" / "classes.yaml")
    mask = tmp_path / "demo" / "masks" / "second.tif"
    drawn = score_label_maps(tmp_path / "demo" / "kmeans.tif", [mask], classes=truth)
    assert drawn.images[0].pairs[0].confusion.counts.tolist() == scores["k-means on pixels"]["counts"]
    assert len(re.findall(r'src="data:image/png;base64,[A-Za-z0-9+/=]{500,}"', page)) == 6
    merged = Legend.load(tmp_path / "demo" / "run" / "legend.yaml")
    assert [entry.name for entry in merged.classes] == [entry.name for entry in truth.classes], "it is shown, not taken"
    with rasterio.open(tmp_path / "demo" / "merged.tif") as dataset:
        assert dataset.tags()["CLASS_0"] == "class 0"
    assert "terrasift view" in page
    assert "http" not in page  # opens offline


def test_demo_spares_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="there already"):
        demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
