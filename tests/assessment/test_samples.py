"""Samples: the right number of pixels of the right strata, by the seed alone, and every pixel as likely as another."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from terrasift import SettingError, assess
from terrasift.assessment import Sample, SampleDesign, allocate, draw_sample
from terrasift.assessment.drawing import draw_pixels
from terrasift.assessment.strata import count_map, strata_of
from terrasift.progress import quiet
from terrasift.raster import ClassMap, class_areas
from tests.assessment.known_maps import PLAIN, Site, write_map


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=8),
    st.integers(0, 500),
    st.sampled_from(["equal", "proportional", "neyman"]),
    st.data(),
)
def test_allocations_hold_to_their_bounds(sizes: list[int], more: int, how: str, data: st.DataObject) -> None:
    pixels = np.array(sizes)
    expected = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(sizes), max_size=len(sizes))))
    total = min(int(np.minimum(pixels, 2).sum()) + more, int(pixels.sum()))
    points = allocate(pixels, total, how, expected)  # type: ignore[arg-type]
    assert points.sum() == total
    assert (points <= pixels).all()
    assert (points >= np.minimum(pixels, 2)).all()
    if how == "equal":
        free = points[(points < pixels) & (points > 2)]
        assert len(free) == 0 or np.ptp(free) <= 1


def test_neyman_gives_most_where_most_is_unsure() -> None:
    pixels = np.array([10_000, 10_000, 20_000])
    assert allocate(pixels, 100, "neyman", np.array([0.5, 0.9, 0.9])).tolist() == [36, 21, 43]  # as 5 : 3 : 6


def test_points_show_what_the_map_has_there(site: Site) -> None:
    sample = draw_sample(site.map, SampleDesign(per_class=20))
    assert [stratum.name for stratum in sample.strata] == ["water", "wood", "road"]
    assert [stratum.pixels for stratum in sample.strata] == np.bincount(site.mapped.ravel())[:3].tolist()
    assert [stratum.area for stratum in sample.strata] == [entry.area for entry in class_areas(site.map).classes]
    assert sample.points_of_strata.tolist() == [20, 20, 20]
    assert len({(point.row, point.column) for point in sample.points}) == 60
    assert [point.id for point in sample.points] == list(range(1, 61))
    for point in sample.points:
        assert site.mapped[point.row, point.column] == point.value == sample.strata[point.stratum].values[0]
        assert (point.x, point.y) == (500_005 + 10 * point.column, 4_999_995 - 10 * point.row)
    order = [point.stratum for point in sample.points]
    assert order != sorted(order)


def test_the_draw_depends_on_map_and_seed_alone(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = draw_sample(site.map, SampleDesign(total=50, seed=3))
    monkeypatch.setattr("terrasift.raster.class_map_reading._MOST_PIXELS", 11 * 120)
    with ClassMap(site.map) as opened:
        assert len(opened.strips()) > 10
    assert draw_sample(site.map, SampleDesign(total=50, seed=3)) == sample
    assert draw_sample(site.map, SampleDesign(total=50, seed=4)).points != sample.points
    site.mapped[60, 60] = (site.mapped[60, 60] + 1) % 3
    assert draw_sample(write_map(tmp_path / "other.tif", site.mapped), SampleDesign(total=50)).digest != sample.digest


def test_every_pixel_is_as_likely(site: Site) -> None:
    """400 samples of a twentieth of a stratum: each pixel is drawn 20 times, give or take."""
    drawn = np.zeros(site.mapped.shape, np.int64)
    with quiet(), ClassMap(site.map) as opened:
        counted = count_map(opened)
        strata = strata_of(opened, counted, clusters=False)
        for seed in range(400):
            found = draw_pixels(opened, counted, strata, np.array([2, 2, strata[2].pixels // 20]), seed)
            drawn[found.rows, found.columns] += 1
    counts = drawn[site.mapped == 2]
    assert counts.mean() == pytest.approx(20, rel=0.01)
    assert counts.var() == pytest.approx(20 * 0.95, rel=0.1)  # binomial
    assert not drawn[site.mapped == 255].any()


def test_groups_of_clusters_hold_a_twentieth_each(tmp_path: Path) -> None:
    shares = np.array([0.5, 0.3, 0.1, 0.04, 0.03, 0.02, 0.01])
    labels = np.repeat(np.arange(7), np.rint(shares * 10_000).astype(int)).reshape(100, 100).astype(np.uint8)
    sample = draw_sample(write_map(tmp_path / "map.tif", labels), SampleDesign(total=60, clusters=True))
    assert [stratum.name for stratum in sample.strata] == ["cluster 0", "cluster 1", "cluster 2", "clusters 3, 4, 5, 6"]
    assert sample.classes == ()
    assert {point.value for point in sample.points if point.stratum == 3} <= {3, 4, 5, 6}


def test_samples_come_back_as_they_were_saved(site: Site, tmp_path: Path) -> None:
    sample = draw_sample(site.map, SampleDesign(standard_error=0.05, expected=0.9))
    sample.save(tmp_path)
    assert Sample.load(tmp_path) == sample
    assert len(sample.points) == 36  # 0.09 / 0.05 ** 2


def test_files_of_points_lie_where_the_pixels_are_and_say_nothing_of_the_map(site: Site, tmp_path: Path) -> None:
    done = assess.sample(site.map, tmp_path / "check", assess.SampleDesign(total=30), scene=site.scene)
    points = done.sample.points
    rows = list(csv.DictReader((tmp_path / "check" / "points.csv").read_text().splitlines()))
    assert list(rows[0]) == ["id", "x", "y", "longitude", "latitude", "reference"]
    assert [float(row["x"]) for row in rows] == [point.x for point in points]
    assert {row["reference"] for row in rows} == {""}
    for name, places in (
        ("points.gpkg", [(point.x, point.y) for point in points]),
        ("points.geojson", [(point.longitude, point.latitude) for point in points]),
    ):
        meta, _, geometry, values = pyogrio.raw.read(tmp_path / "check" / name)
        assert meta["crs"] == ("EPSG:32633" if name == "points.gpkg" else "EPSG:4326")
        assert list(meta["fields"]) == ["id", "reference"]
        assert values[0].tolist() == [point.id for point in points]
        assert set(values[1].tolist()) == {None}
        found = shapely.get_coordinates(shapely.from_wkb(geometry))
        np.testing.assert_allclose(found, places, atol=1e-6)
    page = (tmp_path / "check" / "label.html").read_text()
    content = json.loads(page.partition("const data = ")[2].partition(";\n")[0])
    assert set(content["points"][0]) == {"id", "x", "y", "longitude", "latitude", "pixel", "chip"}
    assert len(list((tmp_path / "check" / "chips").iterdir())) == 30


def test_chips_have_the_point_in_their_middle(site: Site, tmp_path: Path) -> None:
    done = assess.sample(site.map, tmp_path / "check", assess.SampleDesign(total=12), scene=site.scene)
    colors = np.array([[20, 30, 160], [30, 120, 20], [130, 130, 130]])
    for point in done.sample.points:
        chip = np.asarray(Image.open(tmp_path / "check" / "chips" / f"{point.id}.png"))
        middle = chip[len(chip) // 2, len(chip) // 2]
        assert middle.tolist() == colors[site.truth[point.row, point.column]].tolist()


def test_a_plain_map_is_sampled_in_pixels(site: Site, tmp_path: Path) -> None:
    plain = write_map(tmp_path / "plain.tif", site.mapped, PLAIN)
    done = assess.sample(plain, tmp_path / "check", assess.SampleDesign(total=10))
    assert done.sample.unit == "pixels"
    assert [path.name for path in done.written] == ["points.csv", "points.gpkg", "sample.json"]
    point = done.sample.points[0]
    assert (point.x, point.y, point.longitude) == (point.column + 0.5, -point.row - 0.5, None)


def test_without_the_extra_there_is_csv_and_a_line(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = assess.sample(site.map, tmp_path / "check", assess.SampleDesign(total=10))
    assert [path.name for path in done.written] == ["points.csv", "sample.json"]
    assert "shapely is not installed; pip install 'terrasift[vector]'" in caplog.text


def test_exactly_one_number_says_how_many(site: Site) -> None:
    for numbers in ({}, {"total": 10, "per_class": 5}):
        with pytest.raises(SettingError, match="exactly one number; give `per_class`, `total`"):
            draw_sample(site.map, SampleDesign(**numbers))  # type: ignore[arg-type]
