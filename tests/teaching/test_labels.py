"""Labels of every kind say the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from pyogrio import raw
from rasterio import warp

from terrasift import Legend, Run
from terrasift.raster import Raster, write_image
from terrasift.teaching import read_label_file
from tests.teaching.label_files import Clicks, middle, write_geojson

UTM = "EPSG:32633"


def taught_places(run: Run, labels: Path, **settings: object) -> tuple[set[tuple[int, ...]], list[str]]:
    taught = run.teach(labels, **settings)
    classes = [taught.legend.names[index] for index in taught.gathered.regions.classes.tolist()]
    return {
        (*place, name) for place, name in zip(taught.gathered.places.tolist(), classes, strict=True)
    }, taught.remarks


def test_every_kind_of_file_labels_the_same_superpixels(
    run: Run, scenes: Path, clicks: Clicks, csv_file: Path, tmp_path: Path
) -> None:
    places = [middle(scenes / "images" / f"{scene}.tif", row, column) for scene, row, column, _ in clicks]
    names = [called for *_, called in clicks]
    expected, _ = taught_places(run, csv_file)
    degrees = list(zip(*warp.transform(UTM, "EPSG:4326", *zip(*places, strict=True)), strict=True))
    mercator = list(zip(*warp.transform(UTM, "EPSG:3857", *zip(*places, strict=True)), strict=True))
    files = [write_geojson(tmp_path / "a.geojson", degrees, names)]
    for path, crs, coordinates in ((tmp_path / "b.gpkg", UTM, places), (tmp_path / "c.shp", "EPSG:3857", mercator)):
        raw.write(
            path,
            geometry=shapely.to_wkb(shapely.points(coordinates)),
            field_data=[np.array(names, object)],
            fields=["class"],
            driver={".gpkg": "GPKG", ".shp": "ESRI Shapefile"}[path.suffix],
            geometry_type="Point",
            crs=crs,
        )
        files.append(path)
    for file in files:
        assert taught_places(run, file)[0] == expected, file


def test_sparse_masks_label_the_superpixels_of_their_pixels(
    run: Run, scenes: Path, clicks: Clicks, csv_file: Path, legend: Legend, tmp_path: Path
) -> None:
    masks = {name: np.zeros((256, 256), np.uint8) for name in ("north", "south")}
    for scene, row, column, called in clicks:
        masks[scene][row, column] = 1 + legend.names.index(called)
    for name, mask in masks.items():
        write_image(tmp_path / "masks" / f"{name}.png", mask)
        painted = np.zeros((256, 256, 3), np.uint8)
        painted[mask > 0] = legend.rgb[mask[mask > 0] - 1]
        write_image(tmp_path / "painted" / f"{name}.png", painted)
    classes = scenes / "classes.yaml"
    expected, _ = taught_places(run, csv_file, classes=classes)
    assert taught_places(run, tmp_path / "masks", classes=classes)[0] == expected
    assert taught_places(run, tmp_path / "painted", classes=classes)[0] == expected


def test_a_polygon_labels_what_it_holds(run: Run, tmp_path: Path) -> None:
    square = [[500_010.0, 4_999_990.0], [500_020.0, 4_999_990.0], [500_020.0, 4_999_980.0], [500_010.0, 4_999_980.0]]
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[*corners, corners[0]]]},
            "properties": {"class": name},
        }
        for name, corners in (("a", square), ("b", [[x + 20, y] for x, y in square]))
    ]
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, "crs": UTM}))
    taught = run.teach(path)
    places = taught.gathered.places[taught.gathered.places[:, 0] == 0]
    assert len(places) > 20  # 40 x 40 pixels each, superpixels of about 64
    assert places[:, 1].min() >= 36
    assert places[:, 1].max() < 84
    assert taught.lesson.confusion is None  # each class is one group of superpixels that touch


def test_labels_outside_on_nodata_and_contradicting_are_counted(
    run: Run, scenes: Path, clicks: Clicks, tmp_path: Path
) -> None:
    with Raster(scenes / "images" / "north.tif") as raster:
        values, info = raster.read()[0], raster.info
    values[values == 0] = 1
    values[:40, :40] = 0
    holed = tmp_path / "holed.tif"
    write_image(holed, values, crs=info.crs, transform=info.transform)
    with rasterio.open(holed, "r+") as dataset:
        dataset.nodata = 0
    kept = [click for click in clicks if click[0] == "north" and max(click[1], click[2]) > 60]
    rows = [(*middle(holed, row, column), called) for _, row, column, called in kept]
    _, row, column, called = kept[0]
    rows += [(*middle(holed, row, column), kept[-1][3]), (*middle(holed, 5, 5), called), (0.0, 0.0, called)]
    path = tmp_path / "labels.csv"
    path.write_text("x,y,class\n" + "".join(f"{x},{y},{name}\n" for x, y, name in rows))
    taught = run.teach(path, scenes=[holed])
    assert (taught.gathered.tally.outside, taught.gathered.tally.without_data) == (1, 1)
    assert taught.gathered.tally.contradicting >= 1
    assert any(line.startswith("1 label outside all scenes") for line in taught.remarks)


@pytest.mark.parametrize("upwards", [False, True])
def test_scenes_without_a_crs_count_columns_and_rows(run: Run, scenes: Path, tmp_path: Path, upwards: bool) -> None:
    with Raster(scenes / "images" / "north.tif") as raster:
        write_image(tmp_path / "plain.png", raster.read()[0])
    sign = -1 if upwards else 1
    places = [(20.5, sign * 30.5), (200.5, sign * 100.5), (60.5, sign * 220.5)]
    labels = write_geojson(tmp_path / "labels.geojson", places, ["a", "b", "b"], crs=None)
    found, _ = taught_places(run, labels, scenes=[tmp_path / "plain.png"])
    assert {name for *_, name in found} == {"a", "b"}
    for _, row, column, _ in found:
        assert min(abs(row - abs(y)) + abs(column - x) for x, y in places) < 12


def test_features_without_a_class_are_no_labels(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "next.geojson", [(0.0, 0.0), (1.0, 1.0)], ["road", None])
    assert read_label_file(path).names == ["road"]
