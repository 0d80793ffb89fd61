"""Whatever is wrong with an input: exit code 2, one line with the place and the mend, and nothing half made."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from terrasift import Legend, Recipe, Run
from terrasift.data.synthetic import synthetic_scene
from terrasift.raster import write_image
from terrasift.run import RunFolder

Command = Callable[..., Any]
TINY_CHANGES = ("width=4", "clusters=8", "patch=32", "batch_size=2", "steps=2", "compute.device=cpu")


def assert_refused(outcome: Any, *words: str) -> None:
    line = outcome.err.strip().splitlines()[-1]
    assert outcome.code == 2
    assert outcome.out == ""
    assert line.startswith("terrasift: ")
    assert outcome.err.count("terrasift: ") == 1
    assert "Traceback" not in outcome.err
    for word in words:
        assert word in line


def listing(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def set_nodata(path: Path, nodata: float) -> None:
    with rasterio.open(path, "r+") as dataset:
        dataset.nodata = nodata


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that can go wrong, a file or folder each."""
    folder = tmp_path_factory.mktemp("inputs")
    grid: dict[str, Any] = {"crs": "EPSG:32633", "transform": (1, 0, 0, 0, -1, 0)}
    image = synthetic_scene(64, 64, seed=0).image
    write_image(folder / "good.tif", image, **grid)
    write_image(folder / "wide.tif", image.astype(np.uint16) * 100, **grid)
    write_image(folder / "gray.tif", image[:, :, 0], **grid)
    write_image(folder / "dot.png", np.zeros((1, 1), np.uint8))
    write_image(folder / "flat.tif", np.full((64, 64, 3), 7, np.uint8), **grid)
    write_image(folder / "void.tif", np.zeros((64, 64, 3), np.uint8), **grid)
    set_nodata(folder / "void.tif", 0)
    write_image(folder / "nan.tif", np.full((64, 64), np.nan, np.float32), **grid)
    holes = image.copy()
    holes[::5, ::5] = 0
    write_image(folder / "holes.tif", holes, **grid)
    set_nodata(folder / "holes.tif", 0)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    write_image(folder / "torn.tif", noise, **grid)
    (folder / "torn.tif").write_bytes((folder / "torn.tif").read_bytes()[:-4000])
    (folder / "words.txt").write_text("not an image\n")
    (folder / "nothing.tif").touch()
    (folder / "empty").mkdir()
    return folder


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (["empty"], ["empty: is a folder without images"]),
        (["none.tif"], ["none.tif: does not exist; check the path"]),
        (["*.jp2"], ["*.jp2: matches no image"]),
        (["words.txt"], ["not an image: does not exist"]),
        (["nothing.tif"], ["nothing.tif: is not a raster that can be opened"]),
        (["good.tif", "torn.tif"], ["torn.tif: cannot be read: the file is damaged"]),
        (["dot.png"], ["dot.png: has only 1 x 1 pixels; use images of at least 16 x 16"]),
        (["void.tif"], ["void.tif: no window of 32 px has 50% valid pixels; check nodata"]),
        (["nan.tif"], ["nan.tif: no window of 32 px has 50% valid pixels; check nodata"]),
        (["flat.tif"], ["flat.tif: one value, 7, nearly everywhere"]),
        (["good.tif", "wide.tif"], ["wide.tif: holds uint16, but ", "good.tif holds uint8"]),
        (["good.tif", "gray.tif"], ["gray.tif: has 1 bands, but ", "good.tif has 3"]),
    ],
)
def test_train_refuses_images(
    command: Command, inputs: Path, tmp_path: Path, images: list[str], words: list[str]
) -> None:
    changes = [part for change in TINY_CHANGES for part in ("--set", change)]
    paths = [inputs / name for name in images]
    assert_refused(command("train", *paths, "--out", tmp_path / "run", "--cache", tmp_path / "cache", *changes), *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--recipe", "papper"], ["papper: is neither a recipe's name nor a file; use ", "paper"]),
        (["--set", "cluster=9"], ["recipe default: cluster: is not a key; did you mean clusters?"]),
        (["--set", "lr=2"], ["recipe default: lr: 2 is wrong; allowed: a number above 0 up to 1"]),
        (["--set", "bands=[4]"], ["good.tif: has no band 4; its bands are 1 to 3; change `bands`"]),
        (["--recipe", "words.txt"], ["words.txt: is not a recipe"]),
        (["--cache", "words.txt"], ["words.txt: cannot be written", "choose another folder: --cache"]),
        (["--out", "words.txt"], ["words.txt: is a file; choose another folder"]),
    ],
)
def test_train_refuses_options(
    command: Command,
    inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(shutil.copytree(inputs, tmp_path / "inputs"))
    before = listing(tmp_path)
    changes = [part for change in TINY_CHANGES for part in ("--set", change)]
    target = [] if "--out" in options else ["--out", "run"]
    cache = [] if "--cache" in options else ["--cache", "cache"]
    assert_refused(command("train", "good.tif", *target, *cache, *changes, *options), *words)
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("images", "changes", "words"),
    [
        (["good.tif"], ["clusters=9000"], ["clusters: 9000 is more than the ", " superpixels; set clusters to "]),
        (["good.tif"], ["clusters=9000", "extractor=kan"], ["clusters: 9000 is more than the "]),
        (["good.tif"], ["refinement.area=9000", "clusters=2"], ["good.tif: has no superpixels that touch"]),
        (["good.tif"], ["refinement.method=none"], ["targets contrast clashes with refinement.method none"]),
        (["good.tif"], ["refinement.method=external"], ["targets contrast clashes with refinement.method external"]),
        (["holes.tif"], [], ["holes.tif: has too few places without nodata to learn filters from"]),
        (["holes.tif"], ["targets=self"], ["holes.tif: has too few places without nodata to learn filters from"]),
        (["good.tif", "gray.tif"], [], ["gray.tif: has 1 bands, but "]),
    ],
)
@pytest.mark.parametrize("cache", [("--cache", "cache"), ("--no-cache",)])
def test_training_on_discovered_targets_refuses(
    command: Command,
    inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    images: list[str],
    changes: list[str],
    words: list[str],
    cache: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("terrasift.data.sampling._WINDOWS", 1500)
    options = [part for change in (*TINY_CHANGES, *changes) for part in ("--set", change)]
    outcome = command("train", *(inputs / name for name in images), "--out", "run", *cache, *options)
    assert_refused(outcome, *words)
    assert not Path("run").exists()


def test_a_refusal_leaves_what_else_is_in_the_folder(command: Command, inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    changes = [part for change in (*TINY_CHANGES, "clusters=9000") for part in ("--set", change)]
    assert_refused(command("train", inputs / "good.tif", "--out", tmp_path, "--no-cache", *changes), "clusters: 9000")
    assert listing(tmp_path) == {"notes.txt": b"mine"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("discovery", "restore it; while training, delete it and resume"),
        ("targets", "delete it, and resume"),
    ],
)
def test_a_damaged_discovery_is_said_and_whole_again_once_it_is_deleted(
    command: Command, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("terrasift.data.sampling._WINDOWS", 1500)
    changes = [part for change in TINY_CHANGES for part in ("--set", change)]
    arguments = ("train", inputs / "good.tif", "--out", tmp_path / "run", "--cache", tmp_path / "cache", "--resume")
    with monkeypatch.context() as patch:
        patch.setattr("terrasift.api.stages.fit", stop)
        assert command(*arguments, *changes).code == 130
    file = tmp_path / "run" / f"{name}.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    before = listing(tmp_path)
    assert_refused(command(*arguments), f"{name}.safetensors: is damaged", words)
    assert listing(tmp_path) == before
    file.unlink()
    assert command(*arguments).code == 0


def test_train_refuses_a_folder_that_holds_a_run(command: Command, tiny_run: Run, scenes: Path) -> None:
    before = listing(tiny_run.path)
    assert_refused(command("train", scenes / "images", "--out", tiny_run.path), "holds a run already; go on with it by")
    outcome = command("train", scenes / "images", "--out", tiny_run.path, "--resume", "--set", "clusters=9")
    assert_refused(outcome, "was begun with other values of", "clusters")
    assert listing(tiny_run.path) == before


@pytest.mark.parametrize(
    ("images", "out", "options", "words"),
    [
        (["none.tif"], "map.tif", [], ["none.tif: does not exist"]),
        (["words.txt"], "map.tif", [], ["not an image: does not exist"]),
        (["wide.tif"], "map.tif", [], ["wide.tif: holds uint16, but the run was trained on uint8"]),
        (["gray.tif"], "map.tif", [], ["gray.tif: has 1 bands, but the run was trained on 3"]),
        (["dot.png"], "map.tif", [], ["dot.png: "]),
        (["torn.tif"], "map.tif", [], ["torn.tif: cannot be read: the file is damaged"]),
        (["torn.tif"], "map.png", [], ["torn.tif: cannot be read: the file is damaged"]),
        (
            ["good.tif"],
            "map.jpg",
            [],
            ["map.jpg: a class map cannot be written as '.jpg'; end the name in .tif or .png"],
        ),
        (["good.tif"], "words.txt/map.tif", [], ["map.tif: cannot be written"]),
        (["good.tif", "void.tif"], "map.tif", [], ["map.tif: is one file for 2 scenes; name a folder"]),
        (["good.tif"], "good.tif", [], ["good.tif: would be replaced by its own map"]),
        (["good.tif"], ".", [], ["good.tif: would be replaced by its own map"]),
        (["good.tif"], "map.tif", ["--set", "clusters=9"], ["clusters: cannot be changed once a run is trained"]),
        (["good.tif"], "map.tif", ["--set", "predict.margin=300"], ["predict.margin 300 clashes with predict.window"]),
    ],
)
def test_predict_refuses(
    command: Command,
    tiny_run: Run,
    inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    images: list[str],
    out: str,
    options: list[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(shutil.copytree(inputs, tmp_path / "inputs"))
    before = listing(tmp_path)
    assert_refused(command("predict", tiny_run.path, *images, "--out", out, *options), *words)
    assert listing(tmp_path) == before


def test_predict_refuses_what_is_no_finished_run(command: Command, tiny_run: Run, inputs: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_run.path, tmp_path / "run"))
    arguments = (inputs / "good.tif", "--out", tmp_path / "map.tif")
    assert_refused(command("predict", inputs, *arguments), "inputs", "is not a run: it has no recipe.yaml")
    (copy / "weights.safetensors").write_bytes(b"torn")
    assert_refused(command("predict", copy, *arguments), "does not hold the weights of recipe.yaml")
    (copy / "weights.safetensors").unlink()
    assert_refused(command("predict", copy, *arguments), "is not finished; finish it by `terrasift train` with")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("clusters: [0]", "clusters: [8]", "legend.yaml:5: classes[0].clusters[0] is 8; the clusters are 0 to 7"),
        ("clusters: [0]", "clusters: [1]", "legend.yaml:6: classes[1].clusters[0] names cluster 1 twice"),
        ("classifier: 1", "classifier: 3", "legend.yaml:2: classifier is 3; allowed are 1 and 2"),
        ("clusters: [0]", "clusters: [0", "is not YAML"),
    ],
)
def test_predict_refuses_a_legend_that_was_edited_wrongly(
    command: Command, tiny_run: Run, inputs: Path, tmp_path: Path, before: str, after: str, words: str
) -> None:
    run = Path(shutil.copytree(tiny_run.path, tmp_path / "run"))
    text = (run / "legend.yaml").read_text()
    assert before in text
    (run / "legend.yaml").write_text(text.replace(before, after, 1))
    assert_refused(command("predict", run, inputs / "good.tif", "--out", tmp_path / "map.tif"), words)
    assert not (tmp_path / "map.tif").exists()


def test_a_legend_of_a_classifier_that_the_run_lacks_is_refused(command: Command, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.begin(Recipe.load("paper", ["classifiers=1"]), ["a.tif"])
    Legend.of_clusters(100).save(run.legend_file)
    run.legend_file.write_text(run.legend_file.read_text().replace("classifier: 1", "classifier: 2"))
    assert_refused(command("info", tmp_path), "legend.yaml:2: classifier is 2, but the run has one")


def spoil_nothing(folder: Path) -> None:
    pass


def remove_mask(folder: Path) -> None:
    (folder / "masks" / "north.tif").unlink()


def mask_of_another_size(folder: Path) -> None:
    write_image(folder / "masks" / "north.tif", np.zeros((99, 50), np.uint8))


def mask_of_unknown_colours(folder: Path) -> None:
    write_image(folder / "masks" / "north.tif", np.full((256, 256, 3), (1, 2, 3), np.uint8))


def mask_of_unknown_indices(folder: Path) -> None:
    write_image(folder / "masks" / "north.tif", np.full((256, 256), 77, np.uint8))


def mask_that_is_torn(folder: Path) -> None:
    path = folder / "masks" / "north.tif"
    path.write_bytes(path.read_bytes()[:1000])


def masks_that_count_nowhere(folder: Path) -> None:
    for name in ("north", "south"):
        write_image(folder / "masks" / f"{name}.tif", np.full((256, 256), 255, np.uint8))


def classes_that_are_wrong(folder: Path) -> None:
    (folder / "classes.yaml").write_text("classes: [{name: road, color: gray}]")


def no_masks(folder: Path) -> None:
    shutil.rmtree(folder / "masks")


def no_classes(folder: Path) -> None:
    (folder / "classes.yaml").unlink()


@pytest.mark.parametrize(
    ("spoil", "options", "words"),
    [
        (remove_mask, [], ["north.tif: has no mask in ", "north.png or .tif"]),
        (mask_of_another_size, [], ["masks/north.tif: has 50 x 99 pixels", "has 256 x 256"]),
        (mask_of_unknown_colours, [], ["north.tif: has colours that the classes file does not name: #010203"]),
        (mask_of_unknown_indices, [], ["north.tif: holds class indices that the classes file does not name: 77"]),
        (mask_that_is_torn, [], ["north.tif: "]),
        (masks_that_count_nowhere, [], ["masks: no pixel of the masks counts"]),
        (classes_that_are_wrong, [], ["classes[0].color 'gray' is not a colour"]),
        (no_masks, [], ["masks: is not a folder; name the folder of the masks"]),
        (no_classes, [], ["classes.yaml: cannot be read (No such file or directory)"]),
        (
            spoil_nothing,
            ["--mapping", "hungarian"],
            ["mapping: one-to-one needs as many clusters as classes, not 8 and 7"],
        ),
    ],
)
def test_evaluate_refuses(
    command: Command,
    tiny_run: Run,
    scenes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], None],
    options: list[str],
    words: list[str],
) -> None:
    run = Path(shutil.copytree(tiny_run.path, tmp_path / "run"))
    folder = Path(shutil.copytree(scenes, tmp_path / "scenes"))
    spoil(folder)
    monkeypatch.chdir(folder)
    before = listing(run)
    outcome = command("evaluate", run, "images", "--masks", "masks", "--classes", "classes.yaml", *options)
    assert_refused(outcome, *words)
    assert listing(run) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.tif", ["none.tif: does not exist"]),
        ("none.yaml", ["none.yaml: is neither a recipe's name nor a file"]),
        ("words.txt", ["words.txt: is not a raster that can be opened"]),
        ("torn.tif", ["torn.tif: cannot be read: the file is damaged"]),
        ("empty", ["empty: is not a run: it has no recipe.yaml"]),
    ],
)
def test_info_refuses(command: Command, inputs: Path, name: str, words: list[str]) -> None:
    assert_refused(command("info", inputs / name), *words)


REAL = {
    "RGB.byte.tif": "3 bands of uint8",
    "rgb1_fake_nir_epsg3857.tif": "1 band of uint8",
    "float.tif": "1 band of float64",
    "float_nan.tif": "1 band of float32",
}
TOO_SMALL = {"float.tif", "float_nan.tif"}


def test_real_rasters_are_described_or_refused(command: Command, shared: Path) -> None:
    folder = shared / "data" / "rasters"
    names = {path.name for path in folder.glob("*.tif")}
    assert names == {*REAL, "corrupt.tif"}
    for name, words in REAL.items():
        outcome = command("info", folder / name)
        assert outcome.code == 0
        assert words in outcome.out
    assert_refused(command("info", folder / "corrupt.tif"), "corrupt.tif: cannot be read: the file is damaged")


def test_real_rasters_are_trained_on_or_refused(command: Command, shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "rasters"
    fast = ("patch=300", "targets=self", "refinement.method=none")
    changes = [part for change in (*TINY_CHANGES, *fast) for part in ("--set", change)]
    for path in sorted(folder.glob("*.tif")):
        run = tmp_path / path.stem
        outcome = command("train", path, "--out", run, "--cache", tmp_path / "cache", *changes)
        if path.name in TOO_SMALL:
            assert_refused(outcome, f"{path}: has only 3 x 2 pixels; use images of at least 16 x 16")
        elif path.name == "corrupt.tif":
            assert_refused(outcome, f"{path}: cannot be read: the file is damaged")
        else:
            assert outcome.code == 0, outcome.err
            assert command("predict", run, path, "--out", run / "map.tif").code == 0
            with rasterio.open(run / "map.tif") as found, rasterio.open(path) as scene:
                assert (found.crs, found.transform, found.shape) == (scene.crs, scene.transform, scene.shape)
                np.testing.assert_array_equal(found.read(1) == 255, scene.dataset_mask() == 0)
        assert run.exists() == (outcome.code == 0)
    assert_refused(command("train", folder, "--out", tmp_path / "all", *changes), "has only 3 x 2 pixels")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["info", "none.tif"], "terrasift: none.tif: does not exist; check the path\n"),
        (["train", "empty", "--out", "run"], "terrasift: empty: is a folder without images;"),
    ],
)
def test_the_real_command_ends_with_code_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "empty").mkdir()
    command = [sys.executable, "-m", "terrasift", *arguments]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith(words)
    assert ended.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_what_is_wrong_is_said_alone_without_half_a_bar(command: Command, tiny_run: Run, tmp_path: Path) -> None:
    write_image(tmp_path / "small.png", np.zeros((8, 8, 3), np.uint8))
    outcome = command("predict", tiny_run.path, tmp_path / "small.png", "--out", tmp_path / "map.tif")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1


def test_a_run_below_a_file_is_refused_before_any_work(command: Command, scenes: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    options = ["--out", tmp_path / "file" / "run", "--cache", tmp_path / "cache"]
    outcome = command("train", scenes / "images", *options)
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "cache").exists()
