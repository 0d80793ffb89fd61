"""Legends changed: every operation gives a legend that could be saved, and refuses what would not be one."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrasift import LandClass, Legend, SettingError
from terrasift.legend import colours
from terrasift.legend.changes import change_legend
from terrasift.legend.colours import class_colors, named_color
from terrasift.legend.editing import legend_of_groups, split_cluster

CLUSTERS = 6
FOUR = Legend(
    (
        LandClass("road", "#808080", (0, 4)),
        LandClass("tree", "#00FF00", (2,)),
        LandClass("car", "#FFFF00"),
        LandClass("sea", "#0000FF", (1, 3)),
    ),
    ignore=("#000000",),
    classifier=2,
)


def change(legend: Legend = FOUR, **changes: list[str] | list[int]) -> Legend:
    return change_legend(legend, CLUSTERS, **changes)  # type: ignore[arg-type]


def summary(legend: Legend) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(entry.name, entry.color, entry.clusters) for entry in legend.classes]


def test_joining_keeps_the_first_ones_name_colour_and_place() -> None:
    joined = change(merges=["sea,0,car"])
    assert summary(joined) == [("tree", "#00FF00", (2,)), ("sea", "#0000FF", (0, 1, 3, 4))]
    assert (joined.ignore, joined.classifier) == (FOUR.ignore, 2)


def test_splitting_makes_a_last_class_of_a_colour_of_its_own() -> None:
    split = change(splits=[4, 5])  # 5 is in no class
    assert summary(split)[0] == ("road", "#808080", (0,))
    assert [entry[0::2] for entry in summary(split)[4:]] == [("cluster 4", (4,)), ("cluster 5", (5,))]
    assert len({entry.color for entry in split.classes}) == 6
    again = change(change(split, names=["sea=cluster 3"]), splits=[3])
    assert again.names[-1] == "cluster 3 (2)"


def test_indices_and_names_are_those_before_any_change() -> None:
    changed = change(merges=["0,1"], colors=["3=#aabbcc"], names=["2=boat", "sea=water"])
    assert changed.names == ["road", "boat", "water"]
    assert changed.classes[2].color == "#AABBCC"


def test_names_can_be_swapped_and_hold_odd_letters() -> None:
    assert change(names=["0=tree", "1=road"]).names[:2] == ["tree", "road"]
    assert change(names=["0=a=b, c: #1"]).names[0] == "a=b, c: #1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"merges": ["0,9"]}, r"has no class '9'; its classes are 0 road, 1 tree, 2 car, 3 sea"),
        ({"merges": ["0"]}, "class 'road' cannot be joined with itself"),
        ({"merges": ["0,1", "1,2"]}, "class 'tree' has just been joined with another"),
        ({"merges": ["0,1"], "names": ["1=wood"]}, "class 'tree' has just been joined"),
        ({"splits": [2]}, "cluster 2 is alone in class 'tree'"),
        ({"splits": [6]}, "splits: there is no cluster 6; the clusters are 0 to 5"),
        ({"names": ["road"]}, r"names: 'road' lacks a '='; write it so: 0=road"),
        ({"names": ["0="]}, "cannot call a class '': the name is empty"),
        ({"names": ["0=a\nb"]}, "cannot call a class .*: the name holds a control character"),
        ({"names": [f"0={201 * 'a'}"]}, "the name has 201 characters; allowed are 200"),
        ({"names": ["0=tree"]}, "has a class 'tree' already"),
        ({"colors": ["0=red"]}, "'red' is not a colour"),
        ({"colors": ["0=#00ff00"]}, "#00FF00 is that of tree already"),
        ({"colors": ["0=#000000"]}, "#000000 is ignored already"),
    ],
)
def test_what_gives_no_legend_is_refused(changes: dict[str, list[str]], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        change(**changes)


@given(st.lists(st.tuples(st.sampled_from(["merge", "split", "name", "color"]), st.integers(0, 5), st.integers(0, 5))))
def test_any_changes_give_a_legend_that_can_be_saved_or_none(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    legend = FOUR
    for kind, one, two in steps:
        try:
            match kind:
                case "merge":
                    legend = change(legend, merges=[f"{one},{two}"])
                case "split":
                    legend = change(legend, splits=[one])
                case "name":
                    legend = change(legend, names=[f"{one}=name {two}"])
                case _:
                    legend = change(legend, colors=[f"{one}=#00000{two}"])
        except SettingError:
            continue
    path: Path = tmp_path_factory.getbasetemp() / "any.yaml"
    legend.save(path)
    assert Legend.load(path, CLUSTERS, 2) == legend
    assert {0, 1, 2, 3, 4} <= {cluster for entry in legend.classes for cluster in entry.clusters}  # none is lost


def test_splitting_all_of_a_class_but_one_leaves_one() -> None:
    legend = Legend((LandClass("all", "#FFFFFF", tuple(range(5))),))
    for cluster in range(4):
        legend = split_cluster(legend, cluster)
    assert sorted(entry.clusters for entry in legend.classes) == [(k,) for k in range(5)]


def test_groups_become_classes_without_names() -> None:
    legend = legend_of_groups(np.array([1, 0, -1, 1]), 2, ["#3F90DA"])
    assert [(entry.name, entry.clusters) for entry in legend.classes] == [("class 0", (1,)), ("class 1", (0, 3))]
    assert (legend.classifier, legend.ignore) == (2, ("#3F90DA",))
    assert "#3F90DA" not in {entry.color for entry in legend.classes}


def test_the_first_ten_colours_are_petroffs_and_all_differ() -> None:
    published = [matplotlib.colors.to_hex(color).upper() for color in matplotlib.color_sequences["petroff10"]]
    assert class_colors(10) == published
    assert len(set(class_colors(300))) == 300


def test_a_first_name_gives_its_colour_unless_somebody_has_chosen_one() -> None:
    groups = legend_of_groups(np.array([0, 1, 2, 3, 4]))
    named = change_legend(groups, 5, names=["0=Open water", "1=lakes", "2=trees", "3=thing"], colors=["2=#102030"])
    water, shade = named_color("water"), named_color("lake", [str(named_color("water"))])
    assert [entry.color for entry in named.classes] == [water, shade, "#102030", *class_colors(5)[3:]]
    assert len({water, shade}) == 2
    again = change_legend(named, 5, names=["0=grass"])
    assert again.classes[0].color == water, "the second name"


def test_the_page_draws_names_in_the_same_colours() -> None:
    source = Path(__file__).parents[2] / "page" / "src" / "colors.js"
    rows = re.findall(r'^  \["(#[^"]+)", "(#\w{6})", "(#\w{6})"\],$', source.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(rows) == colours._KINDS
