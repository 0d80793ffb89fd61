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
    letters = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
    name = st.text(letters, min_size=1, max_size=20).filter(str.strip)
    names = draw(st.lists(name, min_size=1, max_size=6, unique=True))
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


@pytest.mark.parametrize("name", ["trees, shrubs", "a: b", "#1", "{x}", "yes", "12", "Wasserfläche", 'a "b"'])
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
TREE = '{name: tree, color: "#00FF00"}'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "has no list 'classes'"),
        ("just words", 1, "has no list 'classes'"),
        ("# first\n\nclasses: []", 3, "has no list 'classes'; write one line for each"),
        ("classifier: 1\nclasses: [\n", 3, "is not YAML"),
        ("classes:\n  - road", 2, r"classes\[0\] is not a class; write {name"),
        (f"classes:\n  - {ROAD}\n  - {{name: tree}}", 3, r"classes\[1\] is not a class"),
        (
            f"classifier: 1\n# names\nclasses:\n\n  - {ROAD}\n  - {TREE}\n  - {{name: car, color: red}}",
            7,
            r"classes\[2\]\.color 'red' is not a colour; write it as \"#RRGGBB\", in quotes",
        ),
        ('classes:\n- name:\n  color: "#808080"', 2, r"classes\[0\]\.name is None, not text; write it in quotes"),
        ('classes:\n- name: no\n  color: "#808080"', 2, r"classes\[0\]\.name is False, not text; write it in quotes"),
        ('classes:\n- name: " "\n  color: "#808080"', 2, r"classes\[0\]\.name is empty; give every class a name"),
        ('classes:\n- name: "a\\nb"\n  color: "#808080"', 2, r"classes\[0\]\.name holds a control character"),
        ("classes:\n- name: road\n  color: #808080", 3, r"classes\[0\]\.color None is not a colour; .*in quotes"),
        (
            f"classes:\n- {ROAD}\n- {TREE}\n- {ROAD}",
            4,
            r"classes\[2\]\.name .*road twice; classes\[0\]\.name on line 2 has it",
        ),
        (
            f'classes:\n- {ROAD}\n- {{name: tree, color: "#808080"}}',
            3,
            r"classes\[1\]\.color .*#808080 twice; .* line 2",
        ),
        (f'classes:\n- {ROAD}\nignore:\n- "#808080"', 4, r"ignore\[0\] names colour #808080 twice; .* line 2"),
        (f"classes: [{ROAD}]\nignore: black", 2, "ignore is not a list"),
        (f"classes: [{ROAD}]\nignore: [black]", 2, r"ignore\[0\] 'black' is not a colour"),
        (f"classes: [{ROAD}]\nclassifier: 3", 2, "classifier is 3; allowed are 1 and 2"),
        (f"classes: [{ROAD}]\ncolours: []", 2, "colours is an unknown key; allowed are classes, ignore, classifier"),
        ('classes:\n- name: road\n  color: "#808080"\n  hue: 3', 4, r"classes\[0\]\.hue is an unknown key"),
        (
            'classes:\n- name: road\n  color: "#808080"\n  clusters: [a]',
            4,
            r"clusters is not a list of cluster numbers",
        ),
        (
            'classes:\n- name: road\n  color: "#808080"\n  clusters:\n  - 1\n  - 7\n  - 1',
            7,
            r"classes\[0\]\.clusters\[2\] names cluster 1 twice; classes\[0\]\.clusters\[0\] on line 5 has it",
        ),
        ('classes:\n- name: road\n  color: "#808080"\n  name: tree', 4, r"classes\[0\]\.name is written twice"),
    ],
)
def test_a_wrong_classes_file_is_refused_in_one_line_that_names_its_line(
    tmp_path: Path, text: str, line: int | None, words: str
) -> None:
    path = tmp_path / "classes.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as error:
        Legend.load(path)
    assert str(error.value).startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_legend_is_checked_against_the_network_it_is_for(tmp_path: Path) -> None:
    path = tmp_path / "legend.yaml"
    THREE.save(path)
    assert Legend.load(path, 5, 2) == THREE
    with pytest.raises(InputError, match=r"legend\.yaml:4: classes\[0\]\.clusters\[1\] is 4; the clusters are 0 to 3"):
        Legend.load(path, 4, 2)
    with pytest.raises(InputError, match=r"legend\.yaml:2: classifier is 2, but the run has one; write classifier: 1"):
        Legend.load(path, 5, 1)


def test_content_without_a_file_is_checked_the_same_way() -> None:
    content = {"classes": [{"name": "road", "color": "#808080", "clusters": [3]}], "classifier": 2}
    assert Legend.from_content("page", content) == Legend((LandClass("road", "#808080", (3,)),), classifier=2)
    with pytest.raises(InputError, match=r"^page: classes\[0\]\.color 'red' is not a colour"):
        Legend.from_content("page", {"classes": [{"name": "road", "color": "red"}]})
    with pytest.raises(InputError, match=r"^page: has no list 'classes'"):
        Legend.from_content("page", [])


@pytest.mark.parametrize(
    "text", ["&a [*a]", "classes: &a [*a]", "? [1]\n: 2", "classes: !!python/object:os.system {}", "1: 2"]
)
def test_odd_yaml_is_refused_too(tmp_path: Path, text: str) -> None:
    path = tmp_path / "legend.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"legend\.yaml"):
        Legend.load(path)


def test_a_missing_or_binary_classes_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="is not text in UTF-8"):
        Legend.load(tmp_path / "classes.yaml")
    with pytest.raises(InputError, match="No such file"):
        Legend.load(tmp_path / "nothing.yaml")
