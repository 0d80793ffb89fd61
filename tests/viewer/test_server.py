"""What the page's server answers, against the files it answers from."""

from __future__ import annotations

import shutil
import time
from typing import Any

import cv2
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from terrasift import Legend, Run
from terrasift.clusters import merge_clusters
from terrasift.viewer import static
from terrasift.viewer.app import Page
from tests.viewer.page_server import MARKUP, Served, stored

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def picture(content: bytes) -> NDArray[np.uint8]:
    """(H, W, 4): red, green, blue, alpha."""
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    alpha = found[:, :, 3:] if found.shape[2] == 4 else np.full((*found.shape[:2], 1), 255, np.uint8)
    return np.concatenate([found[:, :, 2::-1], alpha], axis=2)


def get_picture(served: Served, address: str) -> NDArray[np.uint8]:
    answer = served.client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    return picture(answer.content)


def get_labels(served: Served, address: str, dtype: str = "<u2") -> NDArray[Any]:
    answer = served.client.get(address)
    assert answer.headers["content-type"] == "application/octet-stream"
    return np.frombuffer(answer.content, dtype).reshape(256, 256)


def whole_image(path: object) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    with rasterio.open(path) as dataset:
        return np.moveaxis(dataset.read(), 0, 2), dataset.dataset_mask() > 0


def naive_level(values: NDArray[Any], valid: NDArray[np.bool_], side: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Means of valid pixels over squares, one at a time."""
    if side == 1:
        return values, valid
    rows, columns = -(-values.shape[0] // side), -(-values.shape[1] // side)
    means = np.zeros((rows, columns, values.shape[2]))
    some = np.zeros((rows, columns), bool)
    for row in range(rows):
        for column in range(columns):
            square = np.s_[row * side : (row + 1) * side, column * side : (column + 1) * side]
            some[row, column] = valid[square].any()
            if some[row, column]:
                means[row, column] = values[square][valid[square]].mean(axis=0)
    return means, some


def test_the_session_describes_run_and_scenes(served: Served) -> None:
    session = served.client.get("/api/session").json()
    town, plain, small = session["scenes"]
    assert session["run"] == "run"
    assert (session["clusters"], session["classifiers"]) == (8, served.run.recipe.classifiers)
    assert [scene["id"] for scene in session["scenes"]] == [0, 1, 2]
    assert (town["name"], town["width"], town["height"]) == ("town.tif", 530, 601)
    assert (town["levels"], plain["levels"], small["levels"]) == (3, 1, 1)
    assert (town["crs"], town["transform"][:2], town["bands"]) == ("EPSG:32633", [0.5, 0.0], 3)
    assert town["ground_sampling"] == pytest.approx(0.5, rel=1e-3)
    assert (plain["name"], plain["crs"], plain["ground_sampling"]) == (f"{MARKUP}.png", "", None)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_image_tiles_are_the_scene(served: Served, level: int) -> None:
    values, valid = naive_level(*whole_image(served.scenes[0].path), 2**level)
    for row in range(-(-len(values) // 256)):
        for column in range(-(-values.shape[1] // 256)):
            tile = get_picture(served, f"/api/scenes/0/image/{level}/{row}/{column}.png")
            here = np.s_[row * 256 : (row + 1) * 256, column * 256 : (column + 1) * 256]
            height, width = valid[here].shape
            assert tile.shape == (256, 256, 4)
            assert np.array_equal(tile[:height, :width, 3] > 0, valid[here])
            assert not tile[height:, :, 3].any()
            assert not tile[:, width:, 3].any()
            seen = valid[here]
            assert np.abs(tile[:height, :width, :3][seen] - values[here][seen]).max() <= (0.501 if level else 0)


def test_label_tiles_are_the_map_and_its_overviews(served: Served) -> None:
    path = served.scenes[0].clusters
    for level in (0, 1):
        with rasterio.open(path, **({"overview_level": level - 1} if level else {})) as dataset:
            whole = dataset.read(1).astype(np.uint16)
        whole[whole == 255] = 65535
        tile = get_labels(served, f"/api/scenes/0/labels/{level}/0/0")
        assert np.array_equal(tile, whole[:256, :256])
    corner = get_labels(served, "/api/scenes/0/labels/0/2/2")
    assert np.array_equal(corner[: 601 - 512, : 530 - 512], stored(path)[512:, 512:])
    assert (corner[601 - 512 :] == 65535).all()
    assert (corner[:, 530 - 512 :] == 65535).all()
    assert (get_labels(served, "/api/scenes/0/labels/0/0/0")[:90, :70] == 65535).all()


def test_confidence_tiles_are_per_cent(served: Served) -> None:
    whole = stored(served.scenes[0].confidence)
    tile = get_labels(served, "/api/scenes/0/confidence/0/1/0", "u1")
    assert np.array_equal(tile, whole[256:512, :256])
    assert tile.max() <= 100
    assert (get_labels(served, "/api/scenes/0/confidence/2/0/0", "u1")[151:] == 255).all()


@pytest.mark.parametrize(
    "address",
    [
        *("scenes/3/clusters", "scenes/-1/clusters", "scenes/3/image/0/0/0.png", "scenes/0/image/3/0/0.png"),
        *("scenes/0/image/-1/0/0.png", "scenes/0/image/0/3/0.png", "scenes/0/labels/0/0/-1", "scenes/0/labels/1/2/0"),
        *("scenes/0/clusters/8.png", "scenes/0/point?x=530&y=0", "scenes/0/point?x=0&y=-0.1", "exports/0"),
        *("scenes/0/point?x=nan&y=0", "scenes/0/point?x=0&y=inf", "scenes/0/nothing"),
    ],
)
def test_what_is_not_there_is_404(served: Served, address: str) -> None:
    answer = served.client.get(f"/api/{address}")
    assert answer.status_code == 404
    assert list(answer.json()) == ["problem"]


def test_clusters_have_their_shares_colours_and_thumbnails(served: Served) -> None:
    labels = stored(served.scenes[0].clusters)
    image, valid = whole_image(served.scenes[0].path)
    found = served.client.get("/api/scenes/0/clusters").json()["clusters"]
    counts = np.bincount(labels[valid], minlength=8)
    assert [entry["cluster"] for entry in found] == [int(k) for k in np.argsort(-counts, kind="stable") if counts[k]]
    for entry in found:
        cluster = entry["cluster"]
        assert entry["share"] == pytest.approx(counts[cluster] / valid.sum(), abs=1e-12)
        mean = image[labels == cluster].mean(axis=0)
        color = [int(entry["color"][start : start + 2], 16) for start in (1, 3, 5)]
        assert np.abs(color - mean).max() <= 0.501
        assert entry["thumbnail"] == f"/api/scenes/0/clusters/{cluster}.png"
    _check_thumbnail(served, found[0]["cluster"], image, labels)


def test_groups_are_those_that_the_command_would_merge_to(served: Served) -> None:
    found = served.client.get("/api/groups").json()
    facts = served.run.facts_in()
    assert found["pixels"] == facts.pixels.tolist()
    groups = {place: [cluster] for place, cluster in enumerate(found["leaves"])}
    for step, (one, other) in enumerate(found["joins"][: len(found["leaves"]) - 3]):
        groups[len(found["leaves"]) + step] = groups.pop(one) + groups.pop(other)
    mapping = merge_clusters(facts, 3)
    assert sorted(map(sorted, groups.values())) == sorted(
        [cluster for cluster in found["leaves"] if mapping[cluster] == index] for index in range(3)
    )


def _check_thumbnail(served: Served, cluster: int, image: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    crop = get_picture(served, f"/api/scenes/0/clusters/{cluster}.png")
    most = 0
    for row in range(0, 601, 64):
        for column in range(0, 530, 64):
            here = np.s_[row : row + 64, column : column + 64]
            if (held := int((labels[here] == cluster).sum())) > most:
                most, place = held, here
    height, width = labels[place].shape
    inside = labels[place] == cluster
    assert crop.shape == (64, 64, 4)
    assert np.array_equal(crop[:height, :width, :3][inside], image[place][inside])
    assert (crop[:height, :width, :3][~inside] <= 0.36 * 255).all()


def test_a_point_tells_all(served: Served) -> None:
    image, _ = whole_image(served.scenes[0].path)
    found = served.client.get("/api/scenes/0/point", params={"x": 100.7, "y": 200.2}).json()
    assert (found["row"], found["column"]) == (200, 100)
    assert (found["easting"], found["northing"]) == (500_000 + 0.5 * 100.5, 5_000_000 - 0.5 * 200.5)
    assert found["longitude"] == pytest.approx(
        15.0006, abs=1e-4
    )  # zone 33: its middle is 15 degrees east, easting 500 km
    assert found["latitude"] == pytest.approx(45.1526, abs=1e-3)
    assert found["cluster"] == stored(served.scenes[0].clusters)[200, 100]
    assert found["confidence"] == stored(served.scenes[0].confidence)[200, 100]
    assert found["values"] == image[200, 100].tolist()
    nothing = served.client.get("/api/scenes/0/point?x=5&y=5").json()
    assert (nothing["cluster"], nothing["confidence"], nothing["values"]) == (None, None, [0, 0, 0])
    plain = served.client.get("/api/scenes/1/point?x=5&y=5").json()
    assert {plain[key] for key in ("easting", "northing", "longitude", "latitude")} == {None}


def put(served: Served, classes: object, etag: str) -> Any:
    return served.client.put("/api/legend", json={"classes": classes}, headers={"If-Match": etag})


def merged() -> list[dict[str, Any]]:
    """A legend of three classes for eight clusters; one cluster is nobody's."""
    return [
        {"name": "water", "color": "#0000FF", "clusters": [0, 3]},
        {"name": MARKUP, "color": "#00FF00", "clusters": [1, 2, 4, 5]},
        {"name": "Straße ‘żółć’", "color": "#FF0000", "clusters": [7]},
    ]


def test_a_run_without_names_has_its_clusters_as_classes(served: Served) -> None:
    answer = served.client.get("/api/legend")
    content = answer.json()
    assert content["classifier"] == 1
    assert [entry["clusters"] for entry in content["classes"]] == [[k] for k in range(8)]
    assert answer.headers["etag"] == f'"{content["etag"]}"'


def test_a_saved_legend_is_the_runs_and_markup_stays_text(own: Served) -> None:
    before = own.client.get("/api/legend").json()
    answer = put(own, merged(), f'"{before["etag"]}"')
    assert answer.status_code == 200
    after = own.client.get("/api/legend")
    assert after.json()["etag"] == answer.json()["etag"] != before["etag"]
    assert after.json()["classes"] == merged()
    assert after.headers["content-type"] == "application/json"
    assert after.headers["x-content-type-options"] == "nosniff"
    assert own.run.legend.names == [entry["name"] for entry in merged()]
    previous = Legend.load(own.run.path / "legend.previous.yaml")
    assert previous.names == [entry["name"] for entry in before["classes"]]


def test_a_legend_changed_elsewhere_is_not_overwritten(own: Served) -> None:
    etag = own.client.get("/api/legend").json()["etag"]
    own.run.save_legend(Legend.from_content("other window", {"classes": merged()[:1], "ignore": ["#123456"]}))
    refused = put(own, merged(), etag)
    assert refused.status_code == 412
    assert refused.json()["legend"]["classes"] == merged()[:1]
    assert refused.json()["legend"]["ignore"] == own.client.get("/api/legend").json()["ignore"] == ["#123456"]
    assert own.run.legend.names == ["water"]
    assert put(own, merged(), refused.json()["etag"]).status_code == 200
    assert own.run.legend.ignore == ("#123456",)  # what the page does not show stays


def test_of_two_windows_only_one_saves(own: Served) -> None:
    etag = own.client.get("/api/legend").json()["etag"]
    assert put(own, merged(), etag).status_code == 200
    assert put(own, merged()[:2], etag).status_code == 412
    assert len(own.run.legend.classes) == 3


def entry(**changes: object) -> dict[str, object]:
    return {"name": "road", "color": "#000000", "clusters": [1]} | changes


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (None, "has no list 'classes'"),
        ([], "has no list 'classes'"),
        ([7], "is not a class"),
        ([entry(color="red")], "'red' is not a colour"),
        ([entry(color="url(//evil)")], "is not a colour"),
        ([entry(clusters=[8])], "holds cluster 8"),
        ([entry(clusters=[-1])], "is not a list of cluster numbers"),
        ([entry(clusters=[1.5])], "is not a list of cluster numbers"),
        ([entry(), entry(name="b", color="#000001")], "cluster 1 twice"),
        ([entry(), entry(name="b", clusters=[2])], "#000000 twice"),
        ([entry(), entry(color="#000001", clusters=[2])], "road twice"),
        ([entry(name="")], "is empty"),
        ([entry(name=" ")], "is empty"),
        ([entry(name=7)], "is 7, not text"),
        ([entry(name="a\x00b")], "control character"),
        ([entry(name="a\nb")], "control character"),
        ([entry(name="a\x1b[31m")], "control character"),
        ([entry(name="a\u2028b")], "control character"),
        ([entry(name="a" * 201)], "201 characters"),
        ([entry(onload="alert(1)")], "onload"),
    ],
)
def test_a_wrong_legend_is_refused_in_a_line(served: Served, classes: object, words: str) -> None:
    before = served.run.legend_file.read_bytes()
    answer = put(served, classes, served.client.get("/api/legend").json()["etag"])
    assert answer.status_code == 422
    assert words in answer.json()["problem"]
    assert "\n" not in answer.json()["problem"]
    assert served.run.legend_file.read_bytes() == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"classes": ' + b"[" * 100_000, b"\xff", b'"classes"'])
def test_what_is_no_json_object_is_refused(served: Served, body: bytes) -> None:
    answer = served.client.put("/api/legend", content=body, headers={"If-Match": "x"})
    assert answer.status_code == 422


def test_half_a_character_in_a_name_is_refused(served: Served) -> None:
    body = rb'{"classes": [{"name": "\ud800", "color": "#000000"}]}'
    etag = served.client.get("/api/legend").json()["etag"]
    assert served.client.put("/api/legend", content=body, headers={"If-Match": etag}).status_code == 422


def test_saving_blindly_is_refused(own: Served) -> None:
    assert own.client.put("/api/legend", json={"classes": merged()}).status_code == 428


def test_a_broken_legend_file_is_said_in_a_line(own: Served) -> None:
    own.run.legend_file.write_text("classes: 7\n")
    answer = own.client.get("/api/legend")
    assert answer.status_code == 422
    assert "legend.yaml" in answer.json()["problem"]


def test_another_classifiers_legend_is_refused(tiny_run: Run, tmp_path: Any) -> None:
    from terrasift.errors import RunError
    from terrasift.viewer.legends import LegendStore

    run = Run.open(shutil.copytree(tiny_run.path, tmp_path / "run"))
    store = LegendStore(run, 3 - run.legend.classifier)
    with pytest.raises(RunError, match="start `terrasift view` again"):
        store.read()
    with pytest.raises(RunError, match="start `terrasift view` again"):
        store.write(merged(), "")


def finished(served: Served, scene: int) -> dict[str, Any]:
    answer = served.client.post("/api/exports", json={"scene": scene})
    assert answer.status_code == 202
    for _ in range(600):
        export = served.client.get(f"/api/exports/{answer.json()['id']}").json()
        if export["finished"]:
            return dict(export)
        time.sleep(0.05)
    raise TimeoutError


def test_an_export_is_the_saved_legends_map(own: Served) -> None:
    put(own, merged(), own.client.get("/api/legend").json()["etag"])
    export = finished(own, 0)
    assert (export["done"], export["problem"]) == (1.0, None)
    assert export["path"] == str(own.maps / "0.tif")
    table = own.run.legend.table(8)
    clusters = stored(own.scenes[0].clusters)
    expected = np.where(clusters == 255, 255, table[np.minimum(clusters, 7)])
    with rasterio.open(export["path"]) as dataset:
        assert np.array_equal(dataset.read(1), expected)
        assert [dataset.tags()[f"CLASS_{index}"] for index in range(3)] == [entry["name"] for entry in merged()]
        assert (dataset.crs.to_epsg(), dataset.nodata) == (32633, 255)
        assert dataset.transform[2] == 500_000
    assert MARKUP.replace("<", "&lt;").replace(">", "&gt;") in (own.maps / "0.qml").read_text(encoding="utf-8")
    assert sorted(path.name for path in own.maps.iterdir()) == ["0.qml", "0.tif", "0.tif.aux.xml"]


def test_a_failed_export_leaves_nothing(own: Served) -> None:
    own.maps.mkdir()
    own.scenes[2].clusters.write_bytes(b"torn")
    export = finished(own, 2)
    assert "not recognized" in export["problem"]
    assert not list(own.maps.iterdir())
    assert finished(own, 1)["problem"] is None


@pytest.mark.parametrize("body", [{}, {"scene": "0"}, {"scene": True}, {"scene": 0.0}])
def test_an_export_needs_the_number_of_a_scene(served: Served, body: dict[str, object]) -> None:
    assert served.client.post("/api/exports", json=body).status_code == 422
    assert served.client.post("/api/exports", json={"scene": 3}).status_code == 404


def test_an_export_is_given_up_when_the_server_stops(own: Served) -> None:
    page = Page(own.run, own.scenes, [own.maps / "a.tif"], "ab")
    page._exports._closing.set()
    number = page._exports.start(own.scenes[0], own.run.legend, own.maps / "a.tif")
    page.close()
    export = page._exports.get(number)
    assert export is not None
    assert not export.done
    assert not list(own.maps.glob("**/*"))


def test_the_page_carries_its_token(served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(static, "_FOLDER", tmp_path)
    assert served.client.get("/").status_code == 422
    (tmp_path / "index.html").write_text('<meta charset="utf-8"><meta name="terrasift-token" content=""><p>content=""')
    (tmp_path / "page.js").write_text("1")
    (tmp_path / "page.css").write_text("p {}")
    (tmp_path / "licenses.txt").write_text("secret")
    page = served.client.get("/")
    token = served.client.headers["X-Terrasift-Token"]
    assert page.text == f'<meta charset="utf-8"><meta name="terrasift-token" content="{token}"><p>content=""'
    assert page.headers["content-type"].startswith("text/html")
    assert served.client.get("/assets/page.js").headers["content-type"].startswith("text/javascript")
    assert served.client.get("/assets/page.css").headers["content-type"].startswith("text/css")
    for other in ("/assets/licenses.txt", "/assets/index.html", "/assets/", "/docs", "/openapi.json"):
        assert served.client.get(other).status_code == 404
