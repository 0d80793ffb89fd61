"""What README and docs say is so: their examples run, their commands parse, their settings exist."""

from __future__ import annotations

import doctest
import importlib
import json
import pydoc
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markdown_it import MarkdownIt  # rich brings it
from matplotlib import pyplot
from typer.main import get_command

import terrasift
from terrasift import Recipe, Run
from terrasift.baselines import BESIDE
from terrasift.cli import app
from terrasift.metrics import accumulators
from terrasift.raster import Raster, write_image
from terrasift.recipe import recipe_names

SOURCE = Path(terrasift.__file__).parent
ROOT = Path(__file__).parents[1]
PARSER = MarkdownIt().enable("table")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def modules_with_examples() -> list[str]:
    found = [path for path in SOURCE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")]
    return sorted(".".join(["terrasift", *path.relative_to(SOURCE).with_suffix("").parts]) for path in found)


@pytest.mark.parametrize("module", [name.removesuffix(".__init__") for name in modules_with_examples()])
def test_examples_of_docstrings(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of a page's code blocks."""
    return [(token.info, token.content) for token in PARSER.parse(text) if token.type in ("fence", "code_block")]


def spans(text: str) -> list[str]:
    """Pieces of code inside sentences."""
    children = [child for token in PARSER.parse(text) for child in token.children or ()]
    return [child.content for child in children if child.type == "code_inline"]


def command_lines() -> Iterator[tuple[str, str]]:
    """Where a whole command line stands, and the line."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for language, block in blocks(text):
            if language in ("", "sh"):
                lines = block.replace("\\\n", " ").splitlines()
                yield from ((page.name, line) for line in lines if line.startswith("terrasift "))
        yield from ((page.name, span) for span in spans(text) if re.match(r"terrasift \w+ .", span))
    for command in app.registered_commands:
        for line in (command.epilog or "").partition(": ")[2].split(";"):
            yield f"terrasift {command.name} --help", line.strip()


@pytest.mark.parametrize(("where", "line"), sorted(set(command_lines())))
def test_command_lines_parse(where: str, line: str) -> None:
    _, name, *arguments = shlex.split(line.partition(" > ")[0], comments=True)
    command = get_command(app).commands[name]
    context = command.make_context(name, arguments)
    recipe = context.params.get("recipe")
    Recipe.load(recipe if recipe in recipe_names() else "default", context.params.get("changes") or ())


def test_notebooks_are_kept_without_what_comes_out() -> None:
    """`make docs` executes them."""
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells), path


def test_help_lists_the_public_names(capsys: pytest.CaptureFixture[str]) -> None:
    """As the reference does: docs/extensions/public_names.py."""
    for module in (terrasift, terrasift.metrics, accumulators):
        shown = pydoc.plain(pydoc.render_doc(module))
        listed = shown.partition("FILE\n")[0]
        for name in module.__all__:
            assert re.search(rf"^    (class |)?{name}\b", listed, re.MULTILINE), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_and_commands_named_in_sentences_exist(page: Path) -> None:
    commands = get_command(app).commands
    inner = [below for command in commands.values() for below in getattr(command, "commands", {}).values()]
    every = [*commands.values(), *inner]
    options = {option for command in every for parameter in command.params for option in parameter.opts}
    for span in spans(page.read_text(encoding="utf-8")):
        if re.fullmatch(r"terrasift \w+", span):
            assert span.split()[1] in commands
        if span.startswith("--"):
            assert {word for word in span.split() if word.startswith("--")} <= options
            Recipe.load("default", re.findall(r"--set (\S+)", span))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_pages(page: Path) -> None:
    examples = "\n".join(block for language, block in blocks(page.read_text(encoding="utf-8")) if language == "pycon")
    test = doctest.DocTestParser().get_doctest(examples, {}, page.name, str(page), 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_the_page_on_python_runs_as_one_session(
    scenes: Path, tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On small scenes, with a small recipe in place of the default one."""
    shutil.copytree(scenes / "images", tmp_path / "ortho")
    shutil.copytree(scenes, tmp_path / "test")
    shutil.copy(scenes / "classes.yaml", tmp_path)
    tiny_run.recipe.save(tmp_path / "tiny.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    names: dict[str, Any] = {}
    for language, block in blocks((ROOT / "docs/python.md").read_text(encoding="utf-8")):
        if language == "python":
            exec(block.replace('"default"', '"tiny.yaml"'), names)
    pyplot.close("all")
    assert capsys.readouterr().out.startswith("Run('runs/town': ")
    assert names["run"].recipe.clusters == 50
    assert list(names["names"].name) == list(names["classes"].index) == names["run"].legend.names
    assert list(names["methods"].index) == ["this run", *BESIDE]
    assert len(names["steps"]) == names["run"].log.steps
    assert names["hectares"].ha.sum() == pytest.approx(64 * 64 / 10_000)


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_python_of_pages_runs(
    name: str, scenes: Path, tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a small scene, with a small recipe in place of the default one."""
    text = (ROOT / name).read_text(encoding="utf-8")
    (snippet,) = [block for _, block in blocks(text) if block.startswith("import terrasift")]
    for place in ("ortho/sheet_7.tif", "demo/images/second.tif"):
        (tmp_path / place).parent.mkdir(parents=True)
        shutil.copy(scenes / "images" / "north.tif", tmp_path / place)
    shutil.copytree(tiny_run.path, tmp_path / "runs" / "town")
    tiny_run.recipe.save(tmp_path / "tiny.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with Raster("ortho/sheet_7.tif") as raster:
        names = {"array": raster.read()[0]}
    exec(snippet.replace('"default"', '"tiny.yaml"'), names)
    assert names["labels"].shape == names["array"].shape[:2]
    assert Path("map.tif").exists()


@pytest.mark.parametrize("name", ["xarray", "embeddings", "backbones", "segment-anything"])
def test_a_page_on_other_inputs_runs(
    name: str, scenes: Path, tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On small scenes, with a small recipe in place of the default one."""
    with Raster(scenes / "images" / "north.tif") as raster:
        values, grid = raster.read()[0], raster.info.grid
    side = 256 if name == "backbones" else 128
    values = values[:side, :side]
    place = {"crs": grid.crs, "transform": grid.transform}
    generator = np.random.default_rng(0)
    projected = values.astype(np.float32) @ generator.normal(size=(3, 64)).astype(np.float32) / 10
    write_image(tmp_path / "embeddings.tif", np.clip(projected, -127, 127).astype(np.int8), **place)
    for path in ("scene.tif", "images/scene.tif"):
        write_image(tmp_path / path, values, **place)
    for band, asset in enumerate(("red", "nir")):
        write_image(tmp_path / f"{asset}.tif", values[:, :, band], **place)
    assets = {asset: {"href": str(tmp_path / f"{asset}.tif"), "roles": ["data"]} for asset in ("red", "nir")}
    (tmp_path / "items.json").write_text(json.dumps({"features": [{"id": "A", "assets": assets}]}))
    left, right = np.zeros((2, side, side), np.bool_)
    left[:, :75], right[20:45, 30:100] = True, True
    masks = [{"segmentation": mask, "area": int(mask.sum())} for mask in (right, left)]
    (tmp_path / "regions").mkdir()
    tiny_recipe.changed({"epochs": 1}).save(tmp_path / "tiny.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("terrasift.data.sampling._WINDOWS", 500)  # of 64 bands and 49 pixels
    names: dict[str, Any] = {"masks": masks}
    for language, block in blocks((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")):
        if language == "python":
            exec(block.replace('"default"', '"tiny.yaml"'), names)
    assert names["run"].is_finished
    if name == "xarray":
        assert names["counts"].sum() == side * side
        assert [path.name for path in names["maps"]] == ["A.tif"]
    if name == "embeddings":
        assert len(names["run"].recipe.measured_scaling.low) == 64
    if name == "backbones":
        with Raster("features.tif") as features:
            assert (features.info.height, features.info.transform[0]) == (16, 4.0)
    if name == "segment-anything":
        with Raster("regions/scene.tif") as regions:
            labels, valid = regions.read_indices()
        assert (labels == np.where(right, 2, np.where(left, 1, 0))).all()
        assert (valid == (left | right)).all()
