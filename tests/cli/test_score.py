"""`terrasift score`: the published values of the Berkeley benchmark, tables, JSON, and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from terrasift.data.synthetic import SYNTHETIC_CLASSES
from terrasift.metrics import FACTS, segmentation_scores
from terrasift.raster import write_image

Command = Callable[..., Any]

BOUNDARY_DISPLACEMENT_ERRORS = (5.877053, 18.794784, 5.310962, 10.160805, 2.792537)
GLOBAL_CONSISTENCY_ERRORS = (0.240784, 0.010650, 0.076611, 0.240620, 0.080616)


@pytest.fixture(scope="module")
def golden(shared: Path) -> Path:
    folder = shared / "golden" / "bsds_five"
    if not folder.is_dir():
        pytest.skip("needs ../shared/golden/bsds_five")
    return folder


@pytest.fixture
def two_by_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: maps/ and truth/ with two images each, of 3 classes."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    for path in ("maps/a.tif", "maps/b.tif", "truth/a.png", "truth/b.png"):
        write_image(Path(path), generator.integers(0, 3, (30, 20), np.uint8))
    return tmp_path


def test_published_values_of_the_berkeley_benchmark(command: Command, golden: Path, tmp_path: Path) -> None:
    for variable in ("segs", "groundTruth"):  # the published values are of the first of each
        (tmp_path / variable).mkdir()
        for path in sorted((golden / variable).iterdir()):
            savemat(tmp_path / variable / path.name, {variable: loadmat(path)[variable][:, :1]})
    outcome = command("score", tmp_path / "segs", tmp_path / "groundTruth", "--json")
    assert outcome.code == 0, outcome.err
    content = json.loads(outcome.out)
    regions = [image["regions"] for image in content["images"]]
    assert content["regions"]["probabilistic_rand_index"] == pytest.approx(0.828962, abs=1e-6)
    assert content["regions"]["variation_of_information"] == pytest.approx(1.50732, abs=1e-5)
    assert content["pooled_coverings"]["segmentation_covering"] == pytest.approx(0.635571, abs=1e-6)
    errors = [scores["boundary_displacement_error"] for scores in regions]
    assert errors == pytest.approx(BOUNDARY_DISPLACEMENT_ERRORS, abs=1e-5)
    errors = [scores["global_consistency_error"] for scores in regions]
    assert errors == pytest.approx(GLOBAL_CONSISTENCY_ERRORS, abs=1e-6)


def test_each_segmentation_of_a_file_is_scored_against_each_annotator(command: Command, golden: Path) -> None:
    paths = [golden / variable / "2018.mat" for variable in ("segs", "groundTruth")]
    outcome = command("score", *paths, "--json")
    assert outcome.code == 0, outcome.err
    images = json.loads(outcome.out)["images"]
    assert [image["predicted"] for image in images] == [f"{paths[0]} #{number}" for number in range(1, 6)]
    assert images[0]["truths"] == [f"{paths[1]} #{number}" for number in range(1, 6)]
    annotators = [cell["Segmentation"][0, 0] for cell in loadmat(paths[1])["groundTruth"][0]]
    for image, segmentation in zip(images, loadmat(paths[0])["segs"][0], strict=True):
        assert image["regions"] == pytest.approx(segmentation_scores(segmentation, annotators))


def test_tables_have_the_columns_of_the_facts_in_their_order(command: Command, two_by_two: Path) -> None:
    outcome = command("score", "maps", "truth", "--classes", "3", "--base", "e")
    assert outcome.code == 0, outcome.err
    assert max(map(len, outcome.out.splitlines())) <= 80
    columns = [f"{facts.symbol}{facts.arrow}" for facts in FACTS.values()]
    words = outcome.out.split()
    assert [word for word in words if word[-1] in "↑↓"] == columns
    assert [word for word in words if word in ("bit", "nat", "Hart", "px")] == ["nat", "px"]
    rows = [word for word in words if word in ("a.tif", "b.tif", "mean", "pooled")]
    assert rows == ["a.tif", "b.tif", "pooled", "a.tif", "b.tif", "mean", "pooled"]
    assert "next: " in outcome.out


def test_one_image_has_one_row(command: Command, two_by_two: Path) -> None:
    out = command("score", "maps/a.tif", "maps/a.tif").out
    assert "Acc" not in out
    assert "pooled" not in out
    (row,) = (line.split() for line in out.splitlines() if "a.tif" in line)
    perfect = {
        name: facts.text(0 if facts.lower == 0 and not facts.higher_is_better else 1) for name, facts in FACTS.items()
    }
    assert row[1:] == list(perfect.values())[-10:]


def test_json_says_the_same_and_names_the_classes(command: Command, scenes: Path) -> None:
    north, south = (scenes / "masks" / f"{name}.tif" for name in ("north", "south"))
    options = ("--classes", scenes / "classes.yaml", "--ignore", 1, "--base", "10", "--json")
    outcome = command("score", scenes / "masks", scenes / "masks", *options)
    assert outcome.code == 0, outcome.err
    content = json.loads(outcome.out)
    assert content["base"] == 10
    assert content["classes"] == [name for name, _ in SYNTHETIC_CLASSES]
    assert [image["predicted"] for image in content["images"]] == [str(north), str(south)]
    assert content["class_scores"]["accuracy"] == 1
    assert content["class_scores"]["support"][1] == 0
    assert content["images"][0]["class_scores"]["total"] < 256 * 256


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["maps", "few"], ["maps/b.tif: has no partner in few; put one of that name there"]),
        (["few", "maps"], ["maps/b.tif: has no partner in few; put one of that name there"]),
        (["maps/a.tif", "none.tif"], ["none.tif: does not exist; check the path"]),
        (["maps/a.tif", "words.tif"], ["words.tif: is not a raster that can be opened"]),
        (["maps/a.tif", "float.tif"], ["float.tif: holds float32; labels are whole numbers"]),
        (["other.mat", "maps/a.tif"], ["other.mat: holds x; label maps are in groundTruth or segs"]),
        (["maps/a.tif", "narrow.png"], ["narrow.png: has 19 x 30 pixels, but maps/a.tif has 20 x 30 pixels"]),
        (["maps/a.tif", "few", "--classes", "2"], ["maps/a.tif: label 2 is outside 0..1"]),
        (["maps/a.tif", "few", "--classes", "none.yaml"], ["none.yaml: cannot be read"]),
        (["void.tif", "void.tif", "--ignore", "0"], ["void.tif: no pixel counts"]),
    ],
)
def test_bad_input_is_one_line(command: Command, two_by_two: Path, arguments: list[str], words: list[str]) -> None:
    labels = np.zeros((30, 20), np.uint8)
    write_image(Path("few/a.tif"), labels)
    write_image(Path("void.tif"), labels)
    write_image(Path("float.tif"), labels.astype(np.float32))
    write_image(Path("narrow.png"), labels[:, 1:])
    savemat("other.mat", {"x": labels})
    Path("words.tif").write_text("not a raster\n")
    outcome = command("score", *arguments)
    line = outcome.err.strip().splitlines()[-1]
    assert outcome.code == 2
    assert outcome.out == ""
    assert line.startswith("terrasift: ")
    assert outcome.err.count("terrasift: ") == 1
    for word in words:
        assert word in line
