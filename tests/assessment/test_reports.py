"""Reports: the figures that follow from the labels, whatever file they come in; and what must be said."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from terrasift import InputError, assess
from terrasift.assessment import Sample, SampleDesign, draw_sample
from terrasift.assessment import assess as estimate
from terrasift.assessment.drawing import draw_pixels
from terrasift.assessment.estimators import Stratified, area_shares, overall_accuracy
from terrasift.assessment.sample import points_of
from terrasift.assessment.strata import count_map
from terrasift.progress import quiet
from terrasift.raster import ClassMap
from tests.assessment.known_maps import CLASSES, LEGEND, Site, write_map


def truths(sample: Sample, site: Site) -> dict[int, str]:
    return {point.id: CLASSES[site.truth[point.row, point.column]] for point in sample.points}


def fill(path: Path, references: dict[int, str], *, delimiter: str = ",", mark: str = "") -> None:
    """As a person with a spreadsheet does."""
    rows = list(csv.DictReader(path.read_text().splitlines()))
    lines = [delimiter.join([*rows[0]])]
    for row in rows:
        lines.append(delimiter.join([*list(row.values())[:-1], references.get(int(row["id"]), "")]))
    path.write_text(mark + "\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")


@pytest.fixture
def sampled(site: Site, tmp_path: Path) -> Sample:
    return assess.sample(site.map, tmp_path / "check", assess.SampleDesign(per_class=60)).sample


def test_figures_are_those_of_the_estimators(sampled: Sample, site: Site) -> None:
    fill(Path("check/points.csv"), truths(sampled, site))
    done = assess.report("check")
    found = done.assessment
    mapped = np.array([point.value for point in sampled.points])
    truth = np.array([site.truth[point.row, point.column] for point in sampled.points])
    pixels = np.bincount(site.mapped.ravel())[:3]
    stratified = Stratified(mapped, pixels, pixels / 100, finite=False)
    assert found.method == "Olofsson et al. (2014)"
    overall = overall_accuracy(stratified, mapped, truth)
    assert found.overall is not None
    assert found.overall.value == pytest.approx(overall.value)
    assert found.overall.standard_error == pytest.approx(overall.standard_error)
    assert found.total == pytest.approx((site.mapped != 255).sum() / 100)
    assert [entry.name for entry in found.classes] == list(CLASSES)
    assert [entry.area.value for entry in found.classes] == pytest.approx(
        [share.value * found.total for share in area_shares(stratified, truth, 3)]
    )
    assert [entry.mapped for entry in found.classes] == pytest.approx(list(pixels / 100))
    assert found.counts.sum() == 180
    assert found.notes == ()


def test_files_say_the_same(sampled: Sample, site: Site) -> None:
    fill(Path("check/points.csv"), truths(sampled, site))
    done = assess.report("check")
    assert [path.name for path in done.written] == ["report.html", "report.csv", "report.json"]
    content = json.loads(Path("check/report.json").read_text())
    rows = list(csv.DictReader(Path("check/report.csv").read_text().splitlines()))
    assert len(rows) == 10
    wood = next(row for row in rows if row["class"] == "wood" and row["measure"] == "area")
    assert {name: float(wood[name]) for name in ("estimate", "standard_error", "low", "high")} == content["classes"][1][
        "area"
    ]
    assert content["overall_accuracy"]["estimate"] == done.assessment.overall.value  # type: ignore[union-attr]
    assert content["error_matrix"]["counts"] == done.assessment.counts.tolist()
    frame = done.assessment.to_frame()
    assert frame.loc["wood", "ha"] == content["classes"][1]["area"]["estimate"]
    assert frame.loc["wood", "users_accuracy"] == content["classes"][1]["users_accuracy"]["estimate"]
    overall = done.assessment.overall.value  # type: ignore[union-attr]
    assert repr(done.assessment) == f"Assessment(overall accuracy {overall:.1%}, 3 classes, 180 points)"
    page = Path("check/report.html").read_text()
    assert "wood" in page
    assert "data:image/png;base64," in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_truth_lies_in_the_intervals(site: Site) -> None:
    """300 samples of one map, whose truth is known in every pixel; `benchmarks/assess.py` does 2,000."""
    valid = site.mapped != 255
    areas = np.bincount(site.truth[valid]) / 100
    truth = [(site.truth == site.mapped)[valid].mean(), *areas]
    inside = np.zeros(4)
    first = dataclasses.replace(draw_sample(site.map, SampleDesign(total=300)), map="")
    with quiet(), ClassMap(site.map) as opened:
        counted = count_map(opened)
        for seed in range(300):
            drawn = draw_pixels(opened, counted, first.strata, first.points_of_strata, seed)
            sample = dataclasses.replace(first, points=points_of(opened, counted, drawn))
            found = estimate(sample, truths(sample, site))
            assert found.overall is not None
            intervals = [found.overall.interval, *(entry.area.interval for entry in found.classes)]
            inside += [low <= value <= high for value, (low, high) in zip(truth, intervals, strict=True)]
    assert (inside >= 0.91 * 300).all()  # of 95 %, fewer once in 500 times


def test_points_without_a_label_are_said_and_count_nowhere(sampled: Sample, site: Site) -> None:
    labels = truths(sampled, site)
    some = {number: name for number, name in labels.items() if number % 3}
    found = estimate(sampled, some)
    assert found.labelled == len(some) == 120
    assert "60 of 180 points have no reference and count nowhere" in found.notes[0]
    assert {entry.name: entry.points for entry in found.strata} == dict.fromkeys(CLASSES, 60)


def test_unknown_classes_are_classes_of_their_own(sampled: Sample, site: Site) -> None:
    labels = truths(sampled, site) | {1: "rode", 2: "rode", 3: "glacier"}
    found = estimate(sampled, labels)
    assert [entry.name for entry in found.classes] == [*CLASSES, "rode", "glacier"]
    assert found.notes[-2:] == (
        "rode (2 points) is no class of the map and counts as one of its own; did you mean road?",
        "glacier (1 point) is no class of the map and counts as one of its own",
    )
    rode = found.classes[3]
    assert rode.area.value > 0
    assert rode.mapped == 0
    assert rode.users is not None
    assert np.isnan(rode.users.value)
    assert rode.producers is not None
    assert rode.producers.value == 0
    assert found.to_dict()["classes"][3]["users_accuracy"]["estimate"] is None
    assert sum(entry.area.value for entry in found.classes) == pytest.approx(found.total)


def test_one_point_in_a_stratum_is_said(sampled: Sample, site: Site) -> None:
    roads = [point.id for point in sampled.points if point.stratum == 2]
    labels = {number: name for number, name in truths(sampled, site).items() if number not in roads[1:]}
    found = estimate(sampled, labels)
    assert any(note.startswith("one labelled point in road: its variance cannot be estimated") for note in found.notes)


def test_a_stratum_without_a_label_is_refused(sampled: Sample, site: Site) -> None:
    roads = {point.id for point in sampled.points if point.stratum == 2}
    labels = {number: name for number, name in truths(sampled, site).items() if number not in roads}
    with pytest.raises(InputError, match=r"road: no point of this part of the map, 17\.6% of it, has a reference"):
        estimate(sampled, labels)


def test_a_stratum_without_an_error_is_said(sampled: Sample) -> None:
    found = estimate(sampled, {point.id: CLASSES[point.value] for point in sampled.points})
    assert found.overall is not None
    assert (found.overall.value, found.overall.standard_error) == (1, 0)
    assert found.notes == (
        "no error was found in water, wood, road: the sample saw none, which does not say that there is none",
    )


def test_a_map_that_has_changed_is_said(sampled: Sample, site: Site) -> None:
    site.mapped[60:, 60:] = 0
    write_map(site.map, site.mapped)
    found = estimate(sampled, truths(sampled, site))
    assert "map.tif has changed since it was sampled" in found.notes[0]
    site.map.unlink()
    assert estimate(sampled, truths(sampled, site)).notes == ()


def test_another_map_is_assessed_by_the_same_points(sampled: Sample, site: Site, tmp_path: Path) -> None:
    """A better map of the same scene: the strata are not its classes (Stehman 2014)."""
    better = np.where(site.mapped == 255, 255, site.truth).astype(np.uint8)
    fill(Path("check/points.csv"), truths(sampled, site))
    found = assess.report("check", map=write_map(tmp_path / "better.tif", better), out="better").assessment
    first = assess.report("check").assessment
    assert found.method == "Stehman (2014)"
    assert found.overall is not None
    assert found.overall.value == 1
    assert Path("better/report.html").exists()
    for entry, earlier in zip(found.classes, first.classes, strict=True):
        assert entry.area.value == pytest.approx(earlier.area.value)  # what there is does not depend on the map
        assert entry.mapped == pytest.approx(float((better == CLASSES.index(entry.name)).sum()) / 100)


def test_clusters_give_areas_and_no_accuracy(site: Site) -> None:
    LEGEND.save("classes.yaml")
    sample = draw_sample(site.map, SampleDesign(total=200, clusters=True, classes="classes.yaml"))
    found = estimate(sample, truths(sample, site))
    assert found.overall is None
    assert found.rows == ("cluster 0", "cluster 1", "cluster 2")
    assert sum(entry.area.value for entry in found.classes) == pytest.approx(found.total)
    assert found.to_dict()["classes"][0]["users_accuracy"] is None
    assert found.to_frame()["users_accuracy"].isna().all()
    later = estimate(sample, truths(sample, site), site.map)
    assert later.overall is not None
    assert [entry.area for entry in later.classes] == [entry.area for entry in found.classes]


def labels_as_values(sample: Sample, site: Site) -> None:
    fill(Path("check/points.csv"), {point.id: str(site.truth[point.row, point.column]) for point in sample.points})


def labels_in_capitals(sample: Sample, site: Site) -> None:
    fill(Path("check/points.csv"), {number: f" {name.upper()} " for number, name in truths(sample, site).items()})


def labels_by_a_german_spreadsheet(sample: Sample, site: Site) -> None:
    fill(Path("check/points.csv"), truths(sample, site), delimiter=";", mark="\ufeff")


def labels_by_a_gis(sample: Sample, site: Site) -> None:
    references = truths(sample, site)
    pyogrio.raw.write(
        "check/points.gpkg",
        geometry=shapely.to_wkb(shapely.points([(point.x, point.y) for point in sample.points])),
        field_data=[
            np.array([point.id for point in sample.points]),
            np.array([references[point.id] for point in sample.points], object),
        ],
        fields=["id", "reference"],
        geometry_type="Point",
        crs="EPSG:32633",
    )


@pytest.mark.parametrize(
    "labelled", [labels_as_values, labels_in_capitals, labels_by_a_german_spreadsheet, labels_by_a_gis]
)
def test_labels_are_read_as_people_write_them(
    sampled: Sample, site: Site, labelled: Callable[[Sample, Site], None]
) -> None:
    labelled(sampled, site)
    found, expected = assess.report("check").assessment, estimate(sampled, truths(sampled, site))
    assert found.overall == expected.overall
    assert found.notes == expected.notes


def test_areas_in_degrees_count_pixels_by_what_they_cover(tmp_path: Path) -> None:
    """A map from 20 to 80 degrees north, wood in its north: by pixels a half, by ground a third."""
    mapped = np.zeros((120, 40), np.uint8)
    mapped[:60] = 1
    path = write_map(tmp_path / "map.tif", mapped, ("EPSG:4326", (0.5, 0.0, 0.0, 0.0, -0.5, 80.0)))
    sample = draw_sample(path, SampleDesign(per_class=50))
    found = estimate(sample, {point.id: CLASSES[point.value] for point in sample.points})
    north, south = (np.sin(np.radians(80)) - np.sin(np.radians(50))), (np.sin(np.radians(50)) - np.sin(np.radians(20)))
    assert found.classes[1].area.value / found.total == pytest.approx(north / (north + south), rel=0.005)
    assert found.unit == "ha"
