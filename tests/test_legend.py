"""Legends: what is saved is what is loaded, colours become indices, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrasift import InputError, LandClass, Legend
from terrasift.legend import IGNORE

THREE = Legend(
    (LandClass("road", "#808080", (0, 4)), LandClass("tree", "#00FF00", (2,)), LandClass("car", "#FFFF00")),
    ignore=("#000000",),
    classifier=2,
)


@st.composite
def legends(draw: st.DrawFn) -> Legend:
    names = draw(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=6, unique=True))
    count = len(names)
    colors = draw(st.lists(st.integers(0, 0xFFFFFF), min_size=count + 1, max_size=count + 1, unique=True))
    owners = draw(st.lists(st.integers(-1, count - 1), max_size=12))
    classes = tuple(
        LandClass(name, f"#{colors[i]:06X}", tuple(np.flatnonzero(np.array(owners) == i).tolist()))
        for i, name in enumerate(names)
    )
    return Legend(classes, (f"#{colors[-1]:06X}",), draw(st.sampled_from([1, 2])))


@given(legends())
def test_what_is_saved_is_what_is_loaded(tmp_path_factory: pytest.TempPathFactory, legend: Legend) -> None:
    path = tmp_path_factory.mktemp("legend") / "legend.yaml"
    legend.save(path)
    assert Legend.load(path) == legend
    assert [entry.name for entry in path.parent.iterdir()] == ["legend.yaml"]


@pytest.mark.parametrize("name", ["trees, shrubs", "a: b", "#1", "{x}", "yes", "12", "", "Wasserfläche", 'a "b"'])
def test_any_name_can_be_saved(tmp_path: Path, name: str) -> None:
    legend = Legend((LandClass(name, "#000001"),))
    legend.save(tmp_path / "legend.yaml")
    assert Legend.load(tmp_path / "legend.yaml").names == [name]


@pytest.mark.parametrize("clusters", [2, 100, 255, 256, 3000])
def test_the_legend_of_clusters_can_be_saved_whatever_their_number(tmp_path: Path, clusters: int) -> None:
    legend = Legend.of_clusters(clusters)
    legend.save(tmp_path / "legend.yaml")
    assert Legend.load(tmp_path / "legend.yaml") == legend
    assert len({entry.color for entry in legend.classes}) == clusters
    np.testing.assert_array_equal(legend.mapping(clusters), np.arange(clusters))


@pytest.mark.parametrize(("classes", "dtype", "nodata"), [(255, np.uint8, 255), (256, np.uint16, 65535)])
def test_a_map_of_more_than_255_classes_is_wider(classes: int, dtype: type, nodata: int) -> None:
    legend = Legend.of_clusters(classes)
    assert legend.dtype == dtype
    assert legend.nodata == nodata
    assert legend.table(classes).tolist() == list(range(classes))


def test_clusters_of_no_class_become_nodata() -> None:
    assert THREE.mapping(6).tolist() == [0, -1, 1, -1, 0, -1]
    assert THREE.table(6).tolist() == [0, 255, 1, 255, 0, 255]
    with pytest.raises(InputError, match=r"road: holds cluster 4; .* 0 to 2"):
        THREE.mapping(3)


def test_with_clusters_gives_each_class_its_clusters() -> None:
    legend = THREE.with_clusters(np.array([2, 2, 0, 1]), 1)
    assert [entry.clusters for entry in legend.classes] == [(2,), (3,), (0, 1)]
    assert (legend.names, legend.ignore, legend.classifier) == (THREE.names, THREE.ignore, 1)


def test_rgb_is_the_colours() -> None:
    assert THREE.rgb.tolist() == [[128, 128, 128], [0, 255, 0], [255, 255, 0]]


@given(st.lists(st.integers(-1, 2), min_size=1, max_size=30))
def test_a_painted_mask_becomes_its_indices(labels: list[int]) -> None:
    rgb = np.array([(0, 0, 0) if label < 0 else THREE.rgb[label] for label in labels], np.uint8)
    expected = [IGNORE if label < 0 else label for label in labels]
    assert THREE.indices(rgb[None]).tolist() == [expected]


def test_colours_without_a_name_are_listed() -> None:
    mask = np.zeros((4, 4, 3), np.uint8)
    mask[0, 0], mask[1, 1] = (255, 0, 128), (1, 2, 3)
    with pytest.raises(InputError, match=r"m\.png: has colours .* does not name: #010203, #FF0080; .*ignore"):
        THREE.indices(mask, "m.png")
    many = np.arange(1, 49, dtype=np.uint8).reshape(4, 4, 3)
    with pytest.raises(InputError, match="and 8 more"):
        THREE.indices(many)


def test_classes_file_of_the_dubai_masks(shared: Path) -> None:
    legend = Legend.load(shared / "data" / "dubai" / "classes.yaml")
    assert legend.names == ["building", "land", "road", "vegetation", "water", "unlabeled"]
    assert legend.rgb[0].tolist() == [0x3C, 0x10, 0x98]
    assert (legend.ignore, legend.classifier) == (("#000000",), 1)


ROAD = '{name: road, color: "#808080"}'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no list 'classes'"),
        ("just words", "has no list 'classes'"),
        ("classes: []", "has no list 'classes'"),
        ("classes: [", "is not YAML"),
        ("classes: [road]", r"classes\[0\]: is not a class; write {name"),
        ("classes: [{name: road}]", r"classes\[0\]: is not a class"),
        ("classes: [{name: road, color: red}]", r"classes\[0\]\.color: 'red' is not a colour; .*#RRGGBB"),
        ("classes:\n- name: road\n  color: #808080", r"classes\[0\]\.color: None is not a colour; .*in quotes"),
        (f"classes: [{ROAD}, {ROAD}]", "names one name twice: road"),
        (f'classes: [{ROAD}, {{name: tree, color: "#808080"}}]', "names one colour twice: #808080"),
        (f'classes: [{ROAD}]\nignore: ["#808080"]', "names one colour twice: #808080"),
        (f"classes: [{ROAD}]\nignore: black", "ignore: is not a list"),
        (f"classes: [{ROAD}]\nignore: [black]", r"ignore\[0\]: 'black' is not a colour"),
        (f"classes: [{ROAD}]\nclassifier: 3", "classifier: is 3; allowed are 1 and 2"),
        (f"classes: [{ROAD}]\ncolours: []", "unknown keys: colours; allowed are classes, ignore, classifier"),
        ('classes: [{name: road, color: "#808080", clusters: [a]}]', r"clusters: is not a list of cluster numbers"),
        ('classes: [{name: road, color: "#808080", clusters: [1, 1]}]', "names one cluster twice: 1"),
    ],
)
def test_a_wrong_classes_file_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "classes.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as error:
        Legend.load(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_missing_or_binary_classes_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="is not YAML"):
        Legend.load(tmp_path / "classes.yaml")
    with pytest.raises(InputError, match="No such file"):
        Legend.load(tmp_path / "nothing.yaml")
