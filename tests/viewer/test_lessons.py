"""Teach mode's addresses: labels kept, and a map that follows them."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from terrasift import Run
from terrasift.raster import TILE
from tests.viewer.page_server import Served

CLASSES = [{"name": "dark", "color": "#101010"}, {"name": "bright", "color": "#F0F0F0"}]


def lesson(*places: tuple[int, int, int, str]) -> dict[str, Any]:
    labels = [dict(zip(("scene", "row", "column", "name"), place, strict=True)) for place in places]
    return {"classes": CLASSES, "labels": labels}


def put(served: Served, content: dict[str, Any]) -> Any:
    etag = served.client.get("/api/lesson").json()["etag"]
    return served.client.put("/api/lesson", json=content, headers={"If-Match": etag})


def ready(served: Served, scene: int = 0) -> dict[str, Any]:
    served.client.post(f"/api/lesson/scenes/{scene}")
    for _ in range(600):
        state = served.client.get(f"/api/lesson/scenes/{scene}").json()
        assert state["problem"] is None
        if state["ready"]:
            return state
        time.sleep(0.1)
    raise AssertionError("the scene is not ready after a minute")


def tile(served: Served, version: int, scene: int = 0) -> np.ndarray:
    reply = served.client.get(f"/api/lesson/scenes/{scene}/tiles/{version}/0/0/0")
    assert reply.status_code == 200, reply.text
    return np.frombuffer(reply.content, "<u2").reshape(TILE, TILE)


def test_labels_are_kept_and_come_back_as_they_were(own: Served) -> None:
    places = ((0, 300, 200, "dark"), (0, 310, 20, "bright"), (1, 3, 4, "dark"), (2, 5, 6, "bright"))
    assert put(own, lesson(*places)).status_code == 200
    kept = own.client.get("/api/lesson").json()
    assert kept["classes"] == CLASSES
    assert sorted(map(tuple, (label.values() for label in kept["labels"]))) == sorted(places)
    content = json.loads(own.client.get("/api/lesson/labels.geojson").content)
    assert content == json.loads(own.run.labels_file.read_text())
    longitude, latitude = content["features"][0]["geometry"]["coordinates"]
    assert 14 < longitude < 16
    assert 45 < latitude < 46


def test_the_map_follows_the_labels_and_the_run_takes_them(own: Served) -> None:
    first = ready(own)
    assert first["version"] == 0
    assert own.client.get("/api/lesson/scenes/0/tiles/1/0/0/0").status_code == 409
    suggested = own.client.get("/api/lesson/scenes/0/suggestions?count=5").json()["places"]
    assert len(suggested) == 5
    assert put(own, lesson((0, 300, 200, "dark"))).status_code == 200
    alone = tile(own, ready(own)["version"])
    assert set(np.unique(alone)) == {0, 65535}
    assert (alone[:90, :70] == 65535).all()  # nodata
    labels = [(0, 100 + 7 * index, 150 + 5 * index, CLASSES[index % 2]["name"]) for index in range(12)]
    assert put(own, lesson(*labels)).status_code == 200
    state = ready(own)
    both = tile(own, state["version"])
    assert set(np.unique(both)) == {0, 1, 65535}
    assert sum(state["superpixels"].values()) <= 12
    expected = own.client.get("/api/lesson/expected").json()
    assert 0 <= expected["accuracy"] <= 1
    assert own.client.post("/api/lesson/use").json() == {"classes": ["dark", "bright"]}
    taught = Run.open(own.run.path)
    assert taught.legend.names == ["dark", "bright"]
    assert taught.legend.taught
    assert own.client.get("/api/legend").status_code == 200  # of the clusters, as before


def test_the_command_learns_from_the_labels_of_the_page(own: Served) -> None:
    labels = [(0, 100 + 7 * index, 150 + 5 * index, CLASSES[index % 2]["name"]) for index in range(12)]
    put(own, lesson(*labels))
    taught = own.run.teach(scenes=[own.scenes[0].path])
    assert sorted(taught.names) == ["bright", "dark"]
    assert taught.gathered.tally.outside == 0


def test_labels_of_other_scenes_stay(own: Served) -> None:
    place = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [15.0, 45.1]}}
    other = place | {"properties": {"class": "dark", "scene": "elsewhere.tif"}}
    own.run.labels_file.write_text(json.dumps({"type": "FeatureCollection", "features": [other]}))
    put(own, lesson((0, 300, 200, "dark")))
    scenes = [entry["properties"]["scene"] for entry in json.loads(own.run.labels_file.read_text())["features"]]
    assert scenes == ["town.tif", "elsewhere.tif"]


def test_what_is_wrong_is_refused_and_changes_nothing(own: Served) -> None:
    put(own, lesson((0, 300, 200, "dark")))
    before = own.run.labels_file.read_bytes()
    wrong: list[Any] = [
        {},
        {"classes": CLASSES, "labels": [1]},
        {"classes": [{"name": "a"}], "labels": []},
        lesson((9, 1, 1, "dark")),
        lesson((0, 99_999, 1, "dark")),
        lesson((0, -1, 1, "dark")),
        lesson((0, 1, 1, "lava")),
    ]
    for content in wrong:
        reply = put(own, content)
        assert reply.status_code == 422, content
        assert reply.json()["problem"]
    assert own.client.put("/api/lesson", json=lesson()).status_code == 428
    assert own.client.put("/api/lesson", json=lesson(), headers={"If-Match": "x"}).status_code == 412
    assert own.client.get("/api/lesson/scenes/9").status_code == 404
    assert own.client.get("/api/lesson/scenes/0/suggestions?count=0").status_code == 422
    assert own.run.labels_file.read_bytes() == before
