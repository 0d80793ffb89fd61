"""Recipes: what is saved is what is loaded, and what is wrong is named by its dotted key with what it may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from terrasift import Recipe, Scaling, SettingError, discover, train
from terrasift.recipe import Compute, Predict, Refinement, recipe_names

shares = st.floats(0, 1, exclude_min=True)
counts = st.integers(1, 10**6)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    bands = draw(st.integers(1, 4))
    values = st.lists(numbers, min_size=bands, max_size=bands).map(tuple)
    scaling = st.builds(Scaling, dtype=st.sampled_from(["uint8", "float64"]), low=values, high=values, fill=values)
    lr = draw(shares)
    margin = draw(st.integers(0, 100))
    return Recipe(
        width=draw(st.none() | counts),
        classifiers=draw(st.integers(1, 2)),
        clusters=draw(st.integers(2, 65535)),
        bands=draw(st.none() | st.permutations(range(1, bands + 1)).map(tuple)),
        scaling=draw(st.none() | scaling),
        patch=draw(st.integers(16, 4000)),
        min_valid=draw(shares),
        steps=draw(st.none() | counts),
        lr=lr,
        lr_final=draw(st.floats(0, lr, exclude_min=True)),
        class_weights=draw(st.sampled_from(["balanced", "median_frequency", "none"])),
        refinement=draw(st.builds(Refinement, area=counts, compactness=st.floats(1e-300, 1e300))),
        seed=draw(st.integers(0, 2**32 - 1)),
        compute=draw(st.builds(Compute, workers=st.integers(0, 64), tensorboard=st.booleans())),
        predict=Predict(window=draw(st.integers(max(16, 2 * margin), 5000)), margin=margin),
    )


@given(recipes())
def test_what_is_written_is_what_is_read(recipe: Recipe) -> None:
    assert Recipe.from_tree(yaml.safe_load(recipe.to_yaml())) == recipe


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_load_and_round_trip(tmp_path: Path, name: str) -> None:
    recipe = Recipe.load(name)
    recipe.save(tmp_path / "recipe.yaml")
    assert Recipe.load(tmp_path / "recipe.yaml") == recipe
    assert [entry.name for entry in tmp_path.iterdir()] == ["recipe.yaml"]
    assert all("#" in line for line in (tmp_path / "recipe.yaml").read_text().splitlines())  # each key explained


def test_the_recipes_are_those_promised() -> None:
    assert set(recipe_names()) >= {"paper", "default", "demo", "thorough"}


def test_paper_is_the_study() -> None:
    paper = Recipe.load("paper")
    assert (paper.extractor, paper.width, paper.classifiers, paper.clusters) == ("dic", 64, 2, 100)
    assert (paper.patch, paper.batch_size, paper.epochs, paper.lr, paper.lr_final) == (200, 10, 10, 1e-4, 1e-5)
    assert (paper.class_weights, paper.refinement.method) == ("balanced", "slic")


def test_changes_reach_nested_keys_and_the_last_one_counts() -> None:
    changes = ["refinement.area=64", "bands=[3, 2,1]", "lr=1e-3", "lr_final=1e-4", "steps=5", "steps=null"]
    recipe = Recipe.load("paper", changes)
    assert (recipe.refinement.area, recipe.refinement.method) == (64, "slic")
    assert (recipe.bands, recipe.lr, recipe.steps) == ((3, 2, 1), 1e-3, None)


def test_exponents_without_a_point_are_numbers(tmp_path: Path) -> None:
    """YAML 1.1 takes 1e-4 for text."""
    (tmp_path / "recipe.yaml").write_text("lr: 1e-4\nlr_final: 1E-5\nrefinement: {compactness: 1e1}\n")
    recipe = Recipe.load(tmp_path / "recipe.yaml")
    assert (recipe.lr, recipe.lr_final, recipe.refinement.compactness) == (1e-4, 1e-5, 10.0)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("clusters=1", "recipe paper: clusters: 1 is wrong; allowed: a whole number from 2 up to 65535"),
        ("clusters=1.5", "recipe paper: clusters: 1.5 is wrong; allowed: a whole number from 2 up to 65535"),
        ('clusters="9"', 'recipe paper: clusters: "9" is wrong; allowed: a whole number from 2 up to 65535'),
        ("clusters=true", "recipe paper: clusters: true is wrong; allowed: a whole number from 2 up to 65535"),
        ("classifiers=3", "recipe paper: classifiers: 3 is wrong; allowed: a whole number from 1 up to 2"),
        ("classifiers=true", "recipe paper: classifiers: true is wrong; allowed: a whole number from 1 up to 2"),
        ("lr=fast", 'recipe paper: lr: "fast" is wrong; allowed: a number above 0 up to 1'),
        ("lr=0", "recipe paper: lr: 0 is wrong; allowed: a number above 0 up to 1"),
        ("lr=true", "recipe paper: lr: true is wrong; allowed: a number above 0 up to 1"),
        ("lr=.nan", "recipe paper: lr: NaN is wrong; allowed: a number above 0 up to 1"),
        ("lr=", "recipe paper: lr: null is wrong; allowed: a number above 0 up to 1"),
        ("seed=-1", "recipe paper: seed: -1 is wrong; allowed: a whole number from 0 up to 4294967295"),
        ("width=abc", 'recipe paper: width: "abc" is wrong; allowed: a whole number from 1 or null'),
        ("bands=3", "recipe paper: bands: 3 is wrong; allowed: a list, each a whole number from 1 or text or null"),
        ("bands=[0]", "recipe paper: bands: 0 is wrong; allowed: a list, each a whole number from 1 or text or null"),
        ("extractor=vgg", 'recipe paper: extractor: "vgg" is wrong; allowed: kan, seek, dic, dictionary'),
        ("augmentation=color", 'augmentation: "color" is wrong; allowed: none, flips, geometric, colour, both'),
        ("class_weights=max", 'class_weights: "max" is wrong; allowed: balanced, median_frequency, none'),
        ("refinement=slic", 'recipe paper: refinement: "slic" is wrong; allowed: the keys method, area, compactness'),
        (
            "refinement.method=mcg",
            'recipe paper: refinement.method: "mcg" is wrong;'
            " allowed: slic, opencv_slic, felzenszwalb, external, precomputed, none",
        ),
        ("refinement.compactness=.inf", "refinement.compactness: Infinity is wrong; allowed: a number above 0"),
        ("compute.device=tpu", 'recipe paper: compute.device: "tpu" is wrong; allowed: auto, cpu, cuda, mps'),
        ("compute.tensorboard=1", "recipe paper: compute.tensorboard: 1 is wrong; allowed: true or false"),
        ("predict.window=8", "recipe paper: predict.window: 8 is wrong; allowed: a whole number from 16"),
        ("scaling={low: [0]}", "scaling.dtype: is missing (and 2 more wrong keys); allowed: text"),
        ("cluster=9", "recipe paper: cluster: is not a key; did you mean clusters? allowed: augmentation, bands, "),
        (
            "refinement.zzz=9",
            "refinement.zzz: is not a key; allowed: area, color_bands, compactness, folder, method, min_size, ",
        ),
        ("compactness=9", "recipe paper: compactness: is not a key; did you mean refinement.compactness? allowed:"),
        ("a.b.c=9", "recipe paper: a: is not a key; allowed: augmentation, bands,"),
        # Keys that clash
        ("lr_final=0.1", "recipe paper: lr_final 0.1 clashes with lr 0.0001: allowed is at most lr"),
        ("predict.margin=300", "predict.margin 300 clashes with predict.window 512: allowed is at most half of the"),
        ("refinement.method=precomputed", "refinement.method precomputed needs refinement.folder: name the folder"),
        ("bands=[1, 1]", "recipe paper: bands [1, 1] clashes with itself: name one band or more, each once"),
        ("bands=[]", "recipe paper: bands [] clashes with itself: name one band or more, each once"),
        ("scaling={dtype: uint8, low: [0, 0], high: [1], fill: [0]}", "scaling.fill have 2, 1 and 1 values: allowed"),
        # What is no change at all
        ("clusters", "clusters: is not KEY=VALUE; write it so: refinement.area=64"),
        ("=9", "=9: is not KEY=VALUE; write it so: refinement.area=64"),
        ("bands=[1, 2", "bands: '[1, 2' is not a YAML value; quote it"),
    ],
)
def test_a_wrong_key_is_one_line_with_what_is_allowed(change: str, line: str) -> None:
    with pytest.raises(SettingError) as error:
        Recipe.load("paper", [change])
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"clusters": 50, "refinement.area": 64, "bands": [3, "nir"]},
        {"clusters": 50, "refinement": {"area": 64}, "bands": (3, "nir")},
        {"clusters": np.int64(50), "refinement.area": np.uint8(64), "bands": [3, "nir"]},
        ["clusters=50", "refinement={area: 64}", "bands=[3, nir]"],
    ],
    ids=["dotted", "nested", "of NumPy", "texts"],
)
def test_a_dictionary_changes_what_texts_change(changes: Any) -> None:
    recipe = Recipe.load("default", changes)
    assert (recipe.clusters, recipe.refinement.area, recipe.bands) == (50, 64, (3, "nir"))
    assert recipe.refinement.method == Recipe.load("default").refinement.method  # the group's other keys stay
    assert recipe == Recipe.load("default").changed(changes)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"cluster": 50}, "recipe default: cluster: is not a key; did you mean clusters? allowed: augmentation, bands"),
        ({5: 50}, "recipe default: 5: is not a key; allowed: augmentation, bands"),
        ({"refinement": {"areas": 9}}, "recipe default: refinement.areas: is not a key; did you mean area? allowed: "),
        ({"clusters": "50"}, 'recipe default: clusters: "50" is wrong; allowed: a whole number from 2 up to 65535'),
        ({"lr": np.nan}, "recipe default: lr: NaN is wrong; allowed: a number above 0 up to 1"),
        ({"clusters": object}, "recipe default: clusters: \"<class 'object'>\" is wrong; allowed: a whole number from"),
        ("clusters=50", "changes: is the text 'clusters=50'; write a dictionary: {\"clusters\": 50}"),
    ],
)
def test_a_wrong_dictionary_is_one_line_that_names_the_key(changes: Any, line: str) -> None:
    with pytest.raises(SettingError) as error:
        Recipe.load("default", changes)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("recipe", [{"clusters": 50}, 50, ["default"]])
def test_what_is_no_recipe_is_told_how_to_become_one(recipe: Any, tmp_path: Path) -> None:
    for function in (lambda: train([tmp_path], tmp_path / "run", recipe), lambda: discover([tmp_path], recipe)):
        with pytest.raises(
            SettingError, match=r"recipe: is of type \w+; give a name or a file, or change .*Recipe\.load"
        ):
            function()
    assert not (tmp_path / "run").exists()


def test_bands_and_scaling_must_agree() -> None:
    with pytest.raises(SettingError, match=r"scaling\.low has 1 values, but bands names 2"):
        Recipe.load("paper", ["bands=[1, 2]", "scaling={dtype: uint8, low: [0], high: [1], fill: [0]}"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a recipe"),
        ("- a\n- b", "is not a recipe"),
        ("lr: [", "is not YAML"),
        ("1: 2", r"recipe\.yaml:1: 1: is not a key; allowed: augmentation, bands"),
        (
            "refinement:\n  1: 2",
            r"recipe\.yaml:2: refinement\.1: is not a key; allowed: area, color_bands, compactness, folder, method, ",
        ),
        ("lr: 2020-01-01", r'lr: "2020-01-01" is wrong'),
        ("seed: 1\n\npredict:\n  window: 8\n", r"recipe\.yaml:4: predict\.window: 8 is wrong"),
        (
            "predict:\n  context: patch\n  window: 64\n  margin: 60\n",
            r"recipe\.yaml:1: predict\.margin 60 clashes with",
        ),
        ("bands: [1, 2]\nbands: [3]", r"recipe\.yaml:2: bands is written twice; keep one"),
        ("seed: &a {b: *a}", r"recipe\.yaml:1: holds itself by an alias"),
        ("seed: {2020-01-01: 1}", r"recipe\.yaml:1: seed: .* is wrong"),
        (f"extractor: {'x' * 100_000}", r"x\.\.\. is wrong"),
        ("lr: " + "[" * 1000, r"recipe\.yaml:1: is nested too deep"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(SettingError, match=words) as error:
        Recipe.load(tmp_path / "recipe.yaml")
    assert "\n" not in str(error.value)


def test_what_the_command_line_changes_has_no_line_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("seed: 1\nclusters: 8\n")
    with pytest.raises(SettingError, match=r"recipe\.yaml: clusters: 1 is wrong"):
        Recipe.load(tmp_path / "recipe.yaml", ["clusters=1"])


def test_every_key_is_listed_with_what_it_may_be() -> None:
    keys = {key.name: key for key in Recipe.keys()}  # noqa: SIM118  # no dictionary
    written = [line.split("#")[0] for line in Recipe().to_yaml().splitlines()]
    assert len(keys) == sum(bool(line.split(":")[1].strip()) for line in written)
    assert keys["predict.window"].allowed == "a whole number from 16"
    assert keys["clusters"].allowed == "a whole number from 2 up to 65535"
    assert keys["refinement.method"].default == Refinement().method
    assert all(key.meaning and key.allowed for key in keys.values())


def test_a_missing_recipe_names_those_there_are(tmp_path: Path) -> None:
    for name in ("papper", str(tmp_path), str(tmp_path / "none.yaml")):
        with pytest.raises(SettingError, match=r"neither a recipe's name nor a file; use .*paper"):
            Recipe.load(name)


@pytest.mark.parametrize("value", ["[1]", "[0,1,2]", "red"])
def test_three_color_bands_are_asked_for(value: str) -> None:
    with pytest.raises(SettingError, match=r"color_bands: .*allowed: a list of 3, each a whole number from 1"):
        Recipe.load("paper", [f"refinement.color_bands={value}"])
