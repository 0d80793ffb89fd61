"""docs/adding-an-extractor.md keeps its word: its own code, run as it stands, adds an extractor that trains."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from markdown_it import MarkdownIt  # rich brings it

from terrasift import Recipe, Run, SettingError
from terrasift.blocks.extractors import EXTRACTORS
from terrasift.raster import Raster

PAGE = Path(__file__).parents[1] / "docs" / "adding-an-extractor.md"
CLASS, TRAINING, CHECK = (
    token.content for token in MarkdownIt().parse(PAGE.read_text(encoding="utf-8")) if token.info == "python"
)


@pytest.fixture
def names() -> Iterator[dict[str, Any]]:
    """What the page's class and line leave behind; the extractors are as before afterwards."""
    with patch.dict(EXTRACTORS):
        found: dict[str, Any] = {}
        exec(CLASS, found)
        yield found


def test_one_class_and_one_line(names: dict[str, Any]) -> None:
    assert CLASS.strip().endswith('\n\n\nEXTRACTORS["atrous"] = Atrous')
    assert list(EXTRACTORS) == ["kan", "seek", "dic", "dictionary", "atrous"]
    assert Recipe.load("default", ["extractor=atrous"]).extractor == "atrous"
    with pytest.raises(SettingError, match=r'"atros" is wrong; allowed: kan, seek, dic, dictionary, atrous'):
        Recipe.load("default", ["extractor=atros"])


def test_its_check_passes(names: dict[str, Any]) -> None:
    exec(CHECK, names)


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("padding=dilation", "padding=1", "Kernel size"),
        ("return features", "return features[..., ::2]", r"\(2, 7, 2, 1\)"),
        ("self.features = width", "self.features = width; self.idle = nn.Linear(1, 1)", r"no gradient reaches \['idle"),
        ("super().__init__(bands, width)", "super().__init__(bands, width); torch.seed()", "seed does not repeat it"),
    ],
)
def test_its_check_can_fail(right: str, wrong: str, words: str) -> None:
    assert right in CLASS
    with patch.dict(EXTRACTORS):
        exec(CLASS.replace(right, wrong), {"torch": torch})
        with pytest.raises((AssertionError, RuntimeError), match=words):
            exec(CHECK, {})


def test_it_trains_and_predicts(
    names: dict[str, Any], scenes: Path, tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a small scene and for three steps, with a small recipe in place of the default one."""
    (tmp_path / "ortho").mkdir()
    shutil.copy(scenes / "images" / "north.tif", tmp_path / "ortho" / "sheet_7.tif")
    tiny_recipe.model_copy(update={"steps": 3}).save(tmp_path / "tiny.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert '"default"' in TRAINING
    exec(TRAINING.replace('"default"', '"tiny.yaml"'), names)
    run = names["run"]
    assert len(run.log_file.read_text().splitlines()) == 1 + 3
    assert isinstance(run.load_network().extractor, names["Atrous"])
    with Raster("map.tif") as raster:
        labels = raster.read()[0]
    assert labels.shape[:2] == (256, 256)
    assert len(np.unique(labels)) > 1

    EXTRACTORS.pop("atrous")
    with pytest.raises(SettingError) as error:
        Run.open("runs/atrous")
    assert str(error.value) in PAGE.read_text(encoding="utf-8")


def test_recipes_import_without_torch() -> None:
    """Names are looked up where they are used, not where recipes are defined."""
    code = "import sys, terrasift.recipe; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"
